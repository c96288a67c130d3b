/// Records of one partition as they lie in the log: bytes with offsets into them. The bytes are the
/// batch's own, or the log's file itself, mapped.
///
/// Reused from poll to poll. A record's bytes are valid until the next poll fills the batch again.
public struct RecordBatch: Sendable {
  /// How many readable bytes follow the last record at least, whatever they hold: parsers that
  /// load whole vectors may run past a record's end.
  public static let padding = 128

  /// The partition all records are of.
  public var partition = 0
  /// The batch's own bytes, for a source that copies its records; they are read by `withBytes`.
  public var buffer: [UInt8] = []
  /// The part of a file that holds the records, instead of `buffer`.
  var window: FileWindow?
  /// Whether the bytes are a file's own.
  package var isMapped: Bool { window != nil }
  /// Where each record starts in the bytes.
  public var starts: [Int] = []
  /// Where each record ends in the bytes (without its line end).
  public var ends: [Int] = []
  /// Each record's position in its partition: the byte offset in a file, the offset in a topic.
  public var positions: [Int64] = []
  /// The position to resume at once every record of this batch is dealt with.
  public var nextPosition: Int64 = 0

  /// An empty batch.
  public init() {}

  /// The number of records.
  public var count: Int { starts.count }

  /// Removes all records and keeps the memory, `buffer` included.
  public mutating func removeAll() {
    starts.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    window = nil
  }

  /// Calls `body` with the records' bytes and what separates them. Longer than the records: only
  /// what lies between `starts` and `ends` means anything.
  ///
  /// - Throws: `input` when the bytes are those of a file that was truncated by the time `body` had
  ///   read them: what it made of them is to be thrown away.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(MillraceError) -> Result {
    guard let window else { return buffer.withUnsafeBytes(body) }
    let result = body(window.bytes)
    try window.check()
    return result
  }

  /// Makes the bytes the batch's own, in `buffer`: for who passes on what can no longer be thrown
  /// away.
  ///
  /// - Throws: as `withBytes` does.
  public mutating func copyBytes() throws(MillraceError) {
    guard let window else { return }
    buffer.removeAll(keepingCapacity: true)
    buffer.append(contentsOf: window.bytes)
    try window.check()
    self.window = nil
  }
}
