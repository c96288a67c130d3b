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

  /// Maps up to `count` of the bytes from `position` on instead of reading them, with
  /// `RecordBatch.padding` behind them, and continues there; `nil` where they are to be read.
  func map(from position: Int64, count: Int) throws(MillraceError) -> FileWindow?

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
/// Mapped where a poll takes much of it, a window at a time, because mapped pages count as the
/// process's memory; read by `pread` where it takes little, and always at the end, which may grow.
final class PlainFile: ByteSource {
  /// A smaller window costs more than a copy of its bytes.
  private static let smallestWindow: Int64 = 1 << 18

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
    guard size >= offset else { throw .truncated(path, size: size, position: offset) }
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

  func map(from position: Int64, count: Int) throws(MillraceError) -> FileWindow? {
    guard count >= Self.smallestWindow else { return nil }
    let there = try file.status().size - Int64(RecordBatch.padding) - position
    guard there >= Self.smallestWindow else { return nil }
    let count = Int(min(there, Int64(count)))
    let window = FileWindow(file, from: position, count: count)
    if window != nil { offset = position + Int64(count) }
    return window
  }

  func wait(upTo limit: Duration) -> Bool { watch?.wait(upTo: limit) ?? false }

  func seek(to offset: Int64) throws(MillraceError) {
    let size = try file.status().size
    guard size >= offset else { throw .truncated(path, size: size, position: offset) }
    self.offset = offset
  }

  func openReplacement() throws(MillraceError) {
    file = try FileDescriptor(path, flags: O_RDONLY)
    identity = try file.status().identity
    offset = 0
    watch?.add(path)
  }
}
