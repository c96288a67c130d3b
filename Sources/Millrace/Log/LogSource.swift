/// Where records come from: a file, a directory of partitions, standard input, a Kafka topic.
///
/// A source is driven by one thread. It never runs ahead of its caller: what is not polled is not
/// read, which is all the back-pressure there is.
public protocol LogSource: AnyObject {
  /// How the records are written.
  var format: DataFormat { get }

  /// The partitions in ascending order. May grow between polls.
  var partitions: [Int] { get }

  /// Whether partitions may appear after all there are have ended, or where there is none yet.
  var isFollowed: Bool { get }

  /// The bytes of all partitions together, as far as they are known now; `nil` where they are not.
  var byteCount: Int64? { get }

  /// Continue from these positions: a partition that is not named starts at its beginning.
  ///
  /// - Throws: `input` when a position lies beyond the log's end (it was truncated or replaced),
  ///   or the source cannot go there.
  func seek(to positions: [Int: Int64]) throws(MillraceError)

  /// The line that names a partition's columns, without its line end. It is no record.
  ///
  /// - Returns: `nil` where the format has none or it is not written yet.
  func header(partition: Int) throws(MillraceError) -> [UInt8]?

  /// Fills `batch` with the next complete records of `partition`.
  ///
  /// Returns at once when records are there; otherwise waits up to `linger` for the first one, or
  /// until another partition may have some. An unfinished last line is not yet a record, unless the
  /// source has ended (`untilEnd`).
  ///
  /// - Parameters:
  ///   - partition: one of `partitions`.
  ///   - maxRecords: how many records to return at most.
  ///   - maxBytes: how many bytes to return at most; a longer record comes alone.
  ///   - linger: how long to wait.
  ///   - batch: emptied first; its memory is reused.
  /// - Returns: `false`, with an empty batch, when the partition has ended and nothing will come
  ///   any more; a batch may also be empty while the partition goes on.
  func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool
}
