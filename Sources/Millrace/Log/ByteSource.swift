internal import Glibc

/// What came of an attempt to read.
enum ByteRead {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing now; more may come.
  case nothingYet
  /// The path now names another file, and this one is read to its end.
  case replaced
  /// Nothing will come any more.
  case ended
}

/// The bytes of one partition in order.
protocol ByteSource: AnyObject {
  /// For messages.
  var path: String { get }

  /// Bytes from the start to the end as it is now; `nil` where that is not known.
  var byteCount: Int64? { get }

  /// Reads the next bytes, without waiting.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(MillraceError) -> ByteRead

  /// Waits until it is worth while to read again, `limit` at most.
  ///
  /// - Returns: whether something is known to have changed.
  func wait(upTo limit: Duration) -> Bool

  /// Continues at this byte.
  func seek(to offset: Int64) throws(MillraceError)

  /// After `replaced`: continues at the start of the file that the path now names.
  func openReplacement() throws(MillraceError)
}

/// A regular file, which may grow, be rotated or be truncated while it is read.
///
/// Read by `pread` and not mapped: pages of a mapped file count as the process's memory.
final class PlainFile: ByteSource {
  let path: String
  private var file: FileDescriptor
  private var identity: FileStatus.Identity
  private var offset: Int64 = 0
  private let watch: ChangeWatch?

  /// Reads a file; without a `watch` it ends at its end.
  init(_ file: consuming FileDescriptor, watch: ChangeWatch?) throws(MillraceError) {
    path = file.path
    identity = try file.status().identity
    self.file = file
    self.watch = watch
  }

  var byteCount: Int64? { try? file.status().size }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(MillraceError) -> ByteRead {
    if let count = try readOn(into: buffer) { return .bytes(count) }
    let size = try file.status().size
    guard size >= offset else { throw truncated(size: size, position: offset) }
    guard watch != nil else { return .ended }
    guard let named = FileStatus(path: path), named.identity != identity else { return .nothingYet }
    // What was written to the old file before the new one was there must not be missed.
    return try readOn(into: buffer).map(ByteRead.bytes) ?? .replaced
  }

  private func readOn(into buffer: UnsafeMutableRawBufferPointer) throws(MillraceError) -> Int? {
    let count = try file.read(into: buffer, at: offset)
    offset += Int64(count)
    return count > 0 ? count : nil
  }

  func wait(upTo limit: Duration) -> Bool { watch?.wait(upTo: limit) ?? false }

  func seek(to offset: Int64) throws(MillraceError) {
    let size = try file.status().size
    guard size >= offset else { throw truncated(size: size, position: offset) }
    self.offset = offset
  }

  func openReplacement() throws(MillraceError) {
    file = try FileDescriptor(path, flags: O_RDONLY)
    identity = try file.status().identity
    offset = 0
    watch?.add(path)
  }

  private func truncated(size: Int64, position: Int64) -> MillraceError {
    MillraceError(
      .input,
      "\(path) is \(size) bytes long, but was read up to position \(position): it was truncated or"
        + " replaced")
  }
}
