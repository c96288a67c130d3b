/// A directory with the newest checkpoints of one job, and a lock so that the job runs once.
///
/// A checkpoint is one file: 8 bytes of magic, the body's length in 8 bytes (little-endian), the
/// body's SHA-256, the body (a `TensorArchive`). It is written aside, made durable and renamed, so
/// that a crash at any moment leaves the checkpoints before it as they were.
public struct CheckpointStore: ~Copyable {
  /// A checkpoint that was read, and what was wrong with newer ones.
  public struct Loaded: Sendable {
    /// The state.
    public var archive: TensorArchive
    /// One sentence for each newer checkpoint that was damaged and passed over.
    public var warnings: [String]
  }

  /// Where the checkpoints are.
  public let directory: String
  private let keep: Int
  private var nextSequence: Int
  private let lock: FileLock

  private static let magic = Array("MILLCKPT".utf8)
  private static let headerLength = magic.count + 8 + SHA256.byteCount
  private static let prefix = "checkpoint-"
  private static let digitCount = 12

  /// Opens a directory of checkpoints, creates it where there is none, and locks it.
  ///
  /// - Parameters:
  ///   - directory: where the checkpoints are.
  ///   - keep: how many of the newest stay; at least 1.
  /// - Throws: `checkpoint` when another process holds it; `system` when it cannot be used.
  public init(directory: String, keeping keep: Int = 3) throws(MillraceError) {
    try Directory.create(directory)
    let lock = try FileLock("\(directory)/lock") { holder in
      MillraceError(
        .checkpoint,
        "checkpoint directory '\(directory)' is in use by \(holder); one job at a time may use it")
    }
    nextSequence = (try CheckpointStore.sequences(in: directory).last ?? 0) + 1
    self.directory = directory
    self.keep = max(keep, 1)
    self.lock = lock
  }

  /// Makes a checkpoint durable, then removes the oldest beyond those that are kept.
  ///
  /// - Throws: `system` when it cannot be written; the ones before it stay.
  public mutating func save(_ archive: TensorArchive) throws(MillraceError) {
    let body = archive.encoded()
    let length = withUnsafeBytes(of: UInt64(body.count).littleEndian, Array.init)
    let header = try CheckpointStore.magic + length + SHA256.digest(of: body[...])
    try DurableFile.write(header, body, to: path(nextSequence))
    nextSequence += 1
    for sequence in try CheckpointStore.sequences(in: directory).dropLast(keep) {
      try Directory.removeFile(path(sequence))
    }
  }

  /// The newest checkpoint that is whole; `nil` when there is none yet.
  ///
  /// - Throws: `checkpoint` when there are checkpoints and all are damaged; `system` when the
  ///   directory cannot be read.
  public func load() throws(MillraceError) -> Loaded? {
    var warnings: [String] = []
    for sequence in try CheckpointStore.sequences(in: directory).reversed() {
      let path = path(sequence)
      do {
        return Loaded(archive: try CheckpointStore.read(path), warnings: warnings)
      } catch {
        warnings.append("checkpoint '\(path)' is damaged and passed over: \(error.message)")
      }
    }
    guard !warnings.isEmpty else { return nil }
    throw MillraceError(
      .checkpoint,
      warnings.joined(separator: "; ") + "; no other is left: remove '\(directory)' to start anew")
  }

  private func path(_ sequence: Int) -> String {
    let digits = String(sequence)
    let zeros = String(repeating: "0", count: max(CheckpointStore.digitCount - digits.count, 0))
    return "\(directory)/\(CheckpointStore.prefix)\(zeros)\(digits)"
  }

  /// The numbers of the checkpoints, ascending.
  private static func sequences(in directory: String) throws(MillraceError) -> [Int] {
    try Directory.entries(directory)
      .filter { $0.hasPrefix(prefix) && $0.utf8.count == prefix.utf8.count + digitCount }
      .compactMap { Int($0.dropFirst(prefix.count)) }
      .sorted()
  }

  private static func read(_ path: String) throws(MillraceError) -> TensorArchive {
    let bytes = try DurableFile.read(path)
    func damaged(_ reason: String) -> MillraceError { MillraceError(.checkpoint, reason) }
    guard bytes.count >= headerLength else {
      throw damaged("it has \(bytes.count) bytes; expected at least \(headerLength)")
    }
    guard bytes.starts(with: magic) else { throw damaged("it does not start with MILLCKPT") }
    let length = bytes[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let body = bytes[headerLength...]
    guard length == UInt64(body.count) else {
      throw damaged("its body has \(body.count) bytes; expected \(length)")
    }
    guard try SHA256.digest(of: body) == Array(bytes[16..<headerLength]) else {
      throw damaged("its SHA-256 does not match")
    }
    return try TensorArchive(decoding: Array(body))
  }
}
