internal import Glibc

/// The bytes of a file or of standard input, inflated where they start like a gzip file.
public struct ByteReader: ~Copyable {
  /// The file's path, `-` for standard input.
  public let path: String
  private let descriptor: CInt
  /// Made with the first read, when the bytes start like gzip.
  private var inflater: GzipInflater?
  private var started = false
  /// What was read and not yet passed on: `buffer[available]`.
  private let buffer: UnsafeMutableRawBufferPointer
  private var available = 0..<0
  private var ended = false

  /// Opens a file; `-` is standard input.
  ///
  /// - Throws: `system` with the operating system's reason.
  public init(path: String) throws(MillraceError) {
    descriptor = try Self.open(path)
    buffer = .allocate(byteCount: 1 << 16, alignment: 64)
    self.path = path
  }

  deinit {
    buffer.deallocate()
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// Reads up to `output.count` bytes; waits for at least one.
  ///
  /// - Returns: how many; 0 at the end.
  /// - Throws: `system` when reading fails; `input` when gzip data is damaged or cut short.
  public mutating func read(into output: UnsafeMutableRawBufferPointer) throws(MillraceError) -> Int
  {
    guard !output.isEmpty else { return 0 }
    if !started { try lookAtStart() }
    while true {
      if available.isEmpty && !ended {
        available = 0..<0
        try fill()
      }
      let held = UnsafeRawBufferPointer(rebasing: buffer[available])
      let consumed: Int
      let produced: Int
      if inflater != nil {
        (consumed, produced) = try inflater?.inflate(held, into: output) ?? (0, 0)
      } else {
        produced = min(held.count, output.count)
        consumed = produced
        output.copyMemory(from: UnsafeRawBufferPointer(rebasing: held[..<produced]))
      }
      available = available.lowerBound + consumed..<available.upperBound
      if produced > 0 { return produced }
      if ended && available.isEmpty {
        try inflater?.finish()
        return 0
      }
    }
  }

  /// Decides by the first bytes whether to inflate.
  private mutating func lookAtStart() throws(MillraceError) {
    started = true
    while available.count < GzipInflater.magic.count && !ended { try fill() }
    if buffer[available].starts(with: GzipInflater.magic) {
      inflater = try GzipInflater(name: path)
    }
  }

  /// Reads more behind what is held.
  private mutating func fill() throws(MillraceError) {
    let room = buffer[available.upperBound...]
    var count: Int
    repeat {
      count = Glibc.read(
        descriptor, UnsafeMutableRawBufferPointer(rebasing: room).baseAddress, room.count)
    } while count < 0 && errno == EINTR
    guard count >= 0 else { throw Self.systemError(path) }
    ended = count == 0
    available = available.lowerBound..<available.upperBound + count
  }

  private static func open(_ path: String) throws(MillraceError) -> CInt {
    if path == "-" { return STDIN_FILENO }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(path) }
    return descriptor
  }

  private static func systemError(_ path: String) -> MillraceError {
    MillraceError(.system, "\(path): \(String(cString: strerror(errno)))")
  }
}
