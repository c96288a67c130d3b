internal import Glibc

/// A lock between processes: held until it goes out of scope or its process ends, however it ends.
///
/// The lock file stays and names the process that locked it last.
struct FileLock: ~Copyable {
  private let file: FileDescriptor

  /// Waits until the lock is free.
  ///
  /// - Throws: `system` when the lock file cannot be created.
  init(waitingFor path: String) throws(MillraceError) {
    let file = try FileDescriptor(path, flags: O_RDWR | O_CREAT)
    while flock(file.number, LOCK_EX) != 0 {
      guard errno == EINTR else { throw .system("cannot lock", path) }
    }
    self.file = file
  }

  /// Takes the lock now, or fails and says who holds it.
  ///
  /// - Parameters:
  ///   - path: the lock file; created when missing.
  ///   - refusal: the error to throw when another holds the lock, given who: `process 4711`.
  init(
    _ path: String, orThrow refusal: (_ holder: String) -> MillraceError
  ) throws(MillraceError) {
    let file = try FileDescriptor(path, flags: O_RDWR | O_CREAT)
    guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
      guard errno == EWOULDBLOCK else { throw .system("cannot lock", path) }
      let holder = String(decoding: try file.readToEnd(), as: UTF8.self)
      throw refusal(holder.isEmpty ? "another process" : "process \(holder)")
    }
    guard ftruncate(file.number, 0) == 0 else { throw .system("cannot write", path) }
    try file.write(Array(String(getpid()).utf8))
    self.file = file
  }

  /// Gives the lock back before its scope ends.
  func unlock() { flock(file.number, LOCK_UN) }
}

extension FileDescriptor {
  /// Locks the file itself until it is closed.
  ///
  /// - Returns: `false` when another has it locked; a file system without locks never says so.
  func lock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }
}
