import Glibc
import Testing

/// Runs `body` with a directory on a disk of `kilobytes`; skips the test where that needs rights
/// which the process has not.
func withSmallDisk(kilobytes: Int, _ body: (String) throws -> Void) throws {
  try withTemporaryDirectory { directory in
    guard mount("tmpfs", directory, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
      try Test.cancel("mounting a small disk needs a privileged user")
    }
    defer { umount(directory) }
    try body(directory)
  }
}
