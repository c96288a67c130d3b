internal import Glibc

/// What the file system says about a file.
struct FileStatus {
  /// Which file it is, whatever its name.
  struct Identity: Hashable {
    var device: UInt
    var inode: UInt
  }

  /// Bytes in the file.
  var size: Int64
  var identity: Identity
  /// Whether it is a regular file: one that has a length and can be sought in.
  var isRegular: Bool
  var isDirectory: Bool

  /// The file at a path, links followed; `nil` where there is none that one may look at.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  fileprivate init(_ status: stat) {
    size = Int64(status.st_size)
    identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    isRegular = status.st_mode & S_IFMT == S_IFREG
    isDirectory = status.st_mode & S_IFMT == S_IFDIR
  }
}

extension FileDescriptor {
  func status() throws(MillraceError) -> FileStatus {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system("cannot examine", path) }
    return FileStatus(status)
  }

  /// Reads at an offset, or onwards where there is none; 0 at the end.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64? = nil
  ) throws(MillraceError) -> Int {
    let count = retryingInterrupted {
      offset.map { pread(number, buffer.baseAddress, buffer.count, off_t($0)) }
        ?? Glibc.read(number, buffer.baseAddress, buffer.count)
    }
    guard count >= 0 else { throw .system("cannot read", path) }
    return count
  }
}
