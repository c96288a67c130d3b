internal import Glibc

/// Bytes that are read once, from the start to the end: standard input, a pipe, a `.gz` file.
/// Inflated where they start like gzip.
final class StreamSource: ByteSource {
  private static let chunk = 1 << 16

  let path: String
  private var file: FileDescriptor
  private let canReopen: Bool
  /// Of the next byte, inflated.
  private var offset: Int64 = 0
  private var inflater: GzipInflater?
  /// What was read from the file and not yet passed on.
  private var held: [UInt8] = []
  private var heldStart = 0
  private var isStarted = false
  private var hasEnded = false

  /// - Parameter canReopen: whether the same bytes come again when the path is opened again.
  init(_ file: consuming FileDescriptor, canReopen: Bool = false) {
    path = file.path
    self.file = file
    self.canReopen = canReopen
  }

  var byteCount: Int64? { nil }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(MillraceError) -> ByteRead {
    while true {
      if isStarted {
        let count = try passOn(into: buffer)
        offset += Int64(count)
        if count > 0 { return .bytes(count) }
        if hasEnded {
          try inflater?.finish()
          return .ended
        }
      }
      guard canReopen || waitReadable(file.number, upTo: .zero) else { return .nothingYet }
      try hold()
      let magic = GzipInflater.magic
      if !isStarted, hasEnded || held.count >= magic.count {
        isStarted = true
        if held.starts(with: magic) { inflater = try GzipInflater(name: path) }
      }
    }
  }

  private func hold() throws(MillraceError) {
    held.removeFirst(heldStart)
    heldStart = 0
    let count = held.count
    held.append(contentsOf: repeatElement(0, count: Self.chunk))
    let added = try held.withUnsafeMutableBufferPointer { (buffer) throws(MillraceError) in
      try file.read(
        into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[count...])))
    }
    held.removeLast(Self.chunk - added)
    hasEnded = added == 0
  }

  private func passOn(into output: UnsafeMutableRawBufferPointer) throws(MillraceError) -> Int {
    let start = heldStart
    let (consumed, produced) = try held.withUnsafeBufferPointer {
      (held) throws(MillraceError) -> (Int, Int) in
      let input = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: held[start...]))
      if inflater != nil { return try inflater?.inflate(input, into: output) ?? (0, 0) }
      let count = min(input.count, output.count)
      output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
      return (count, count)
    }
    heldStart += consumed
    return produced
  }

  func map(from position: Int64, count: Int) -> FileWindow? { nil }

  func wait(upTo limit: Duration) -> Bool { waitReadable(file.number, upTo: limit) }

  func seek(to target: Int64) throws(MillraceError) {
    if target == offset { return }
    guard canReopen else {
      throw MillraceError(
        .input,
        "\(path) cannot go to position \(target): it is a stream that was read up to \(offset);"
          + " read from a file to resume")
    }
    if target < offset {
      file = try FileDescriptor(path, flags: O_RDONLY)
      inflater = nil
      held.removeAll(keepingCapacity: true)
      (offset, heldStart, isStarted, hasEnded) = (0, 0, false, false)
    }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 64)
    defer { scratch.deallocate() }
    while offset < target {
      let part = scratch[..<Int(min(target - offset, Int64(scratch.count)))]
      guard case .bytes = try read(into: UnsafeMutableRawBufferPointer(rebasing: part)) else {
        throw MillraceError(
          .input,
          "\(path) holds \(offset) bytes, but was read up to position \(target): it was truncated"
            + " or replaced")
      }
    }
  }

  func openReplacement() {}
}
