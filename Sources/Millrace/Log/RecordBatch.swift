/// Records of one partition as they lie in the log: one buffer with offsets into it.
///
/// Reused from poll to poll. A record's bytes are valid until the next poll fills the batch again.
public struct RecordBatch: Sendable {
  /// How many readable bytes follow the last record at least, whatever they hold: parsers that
  /// load whole vectors may run past a record's end.
  public static let padding = 128

  /// The partition all records are of.
  public var partition = 0
  /// The records' bytes, with what separates them. Longer than the records: only what lies between
  /// `starts` and `ends` means anything.
  public var bytes: [UInt8] = []
  /// Where each record starts in `bytes`.
  public var starts: [Int] = []
  /// Where each record ends in `bytes` (without its line end).
  public var ends: [Int] = []
  /// Each record's position in its partition: the byte offset in a file, the offset in a topic.
  public var positions: [Int64] = []
  /// The position to resume at once every record of this batch is dealt with.
  public var nextPosition: Int64 = 0

  /// An empty batch.
  public init() {}

  /// The number of records.
  public var count: Int { starts.count }

  /// Removes all records and keeps the memory, `bytes` included.
  public mutating func removeAll() {
    starts.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
  }
}
