internal import Glibc

/// An open file, closed when it goes out of scope.
package struct FileDescriptor: ~Copyable {
  /// The number the system knows it by.
  package let number: Int32
  let path: String

  /// Opens `path`; `mode` is what a file that is created may be used for.
  ///
  /// - Throws: `system` when the file cannot be opened.
  package init(_ path: String, flags: Int32, mode: UInt32 = 0o644) throws(MillraceError) {
    number = retryingInterrupted { open(path, flags | O_CLOEXEC, mode) }
    self.path = path
    guard number >= 0 else { throw .system("cannot open", path) }
  }

  /// Shares an open file, such as standard input; `path` is its name in messages.
  ///
  /// - Throws: `system` when it is not open.
  package init(duplicating other: Int32, _ path: String) throws(MillraceError) {
    number = fcntl(other, F_DUPFD_CLOEXEC, 0)
    self.path = path
    guard number >= 0 else { throw .system("cannot open", path) }
  }

  deinit { close(number) }

  /// Writes all bytes where the file stands.
  ///
  /// - Throws: `system` when the disk is full or the file cannot be written.
  package func write(_ bytes: [UInt8]) throws(MillraceError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(MillraceError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Writes all bytes where the file stands.
  ///
  /// - Throws: `system` when the disk is full or the file cannot be written.
  func write(_ bytes: UnsafeRawBufferPointer) throws(MillraceError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written = retryingInterrupted { Glibc.write(number, part.baseAddress, part.count) }
      guard written >= 0 else { throw .system("cannot write", path) }
      rest = rest.dropFirst(written)
    }
  }

  /// Reads from where the file stands to its end.
  ///
  /// - Throws: `system` when it is a directory or cannot be read.
  package func readToEnd() throws(MillraceError) -> [UInt8] {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system("cannot examine", path) }
    // One byte more than its size, so that the read after the last byte says that it was the last.
    var bytes = [UInt8](repeating: 0, count: max(Int(status.st_size), 0) + 1)
    var count = 0
    while true {
      let read = bytes.withUnsafeMutableBytes { buffer in
        retryingInterrupted {
          Glibc.read(number, buffer.baseAddress.map { $0 + count }, buffer.count - count)
        }
      }
      guard read >= 0 else { throw .system("cannot read", path) }
      guard read > 0 else { break }
      count += read
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: count)) }
    }
    bytes.removeSubrange(count...)
    return bytes
  }

  /// Returns when everything written is on the disk.
  ///
  /// - Throws: `system` when it did not get there.
  package func synchronize() throws(MillraceError) {
    guard retryingInterrupted({ fsync(number) }) == 0 else {
      throw .system("cannot make durable", path)
    }
  }
}

/// Calls `body` again while a signal interrupts it.
func retryingInterrupted<Result: SignedInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result != -1 || errno != EINTR { return result }
  }
}

extension MillraceError {
  /// `cannot open 'models/x': No such file or directory`, from the last system call's `errno`.
  package static func system(_ what: String, _ path: String) -> MillraceError {
    MillraceError(.system, "\(what) '\(path)': \(String(cString: strerror(errno)))")
  }
}
