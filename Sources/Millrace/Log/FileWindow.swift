internal import CMillraceKernels

/// Part of a file as memory, without a copy, for as long as this lives.
///
/// `@unchecked Sendable`: it never changes, its bytes are only read, and any thread may ask the
/// kernel whether they are still the file's.
final class FileWindow: @unchecked Sendable {
  private let map: OpaquePointer
  private let file: FileDescriptor
  private let end: Int64
  /// The bytes asked for, and `RecordBatch.padding` behind them.
  let bytes: UnsafeRawBufferPointer

  /// Maps bytes that are there, with the padding; `nil` where that cannot be.
  init?(_ file: borrowing FileDescriptor, from position: Int64, count: Int) {
    let length = count + RecordBatch.padding
    guard let own = try? FileDescriptor(duplicating: file.number, file.path),
      let map = millrace_map(own.number, position, length)
    else { return nil }
    self.map = map
    self.file = own
    end = position + Int64(count)
    bytes = UnsafeRawBufferPointer(start: millrace_mapped_bytes(map), count: length)
  }

  deinit { millrace_unmap(map) }

  /// To be called when the bytes have been read, before what they said is used.
  ///
  /// - Throws: `input` when the file has lost some of them by now: zeros may have been read.
  func check() throws(MillraceError) {
    let size = try file.status().size
    guard size >= end else { throw .truncated(file.path, size: size, position: end) }
    guard millrace_map_is_damaged(map) == 0 else {
      throw MillraceError(
        .input,
        "\(file.path) was truncated while it was read up to position \(end), or its disk fails")
    }
  }
}

extension MillraceError {
  /// A file that is shorter than what was read of it.
  static func truncated(_ path: String, size: Int64, position: Int64) -> MillraceError {
    MillraceError(
      .input,
      "\(path) is \(size) bytes long, but was read up to position \(position): it was truncated or"
        + " replaced")
  }
}
