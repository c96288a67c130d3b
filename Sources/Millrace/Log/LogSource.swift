/// Where records come from: a file, a directory of partitions, standard input, a Kafka topic.
///
/// A source is driven by one thread. It never runs ahead of its caller: what is not polled is not
/// read, which is all the back-pressure there is.
public protocol LogSource: AnyObject {
  /// The partitions in ascending order. May grow between polls.
  var partitions: [Int] { get }

  /// Continue from these positions: a partition that is not named starts at its beginning.
  ///
  /// - Throws: `input` when a position lies beyond the log's end (it was truncated or replaced).
  func seek(to positions: [Int: Int64]) throws(MillraceError)

  /// Fills `batch` with the next complete records of `partition`.
  ///
  /// Returns at once when records are there; otherwise waits up to `linger` for the first one. An
  /// unfinished last line is not yet a record, unless the source has ended (`untilEnd`).
  ///
  /// - Returns: `false` when the partition has ended and nothing will come any more; a batch may
  ///   be empty while the partition goes on.
  func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool
}

/// Where records go: appended in order, durable after `flush`.
public protocol LogSink: AnyObject {
  /// Appends one record to a partition; the sink adds what separates records.
  func append(_ record: UnsafeRawBufferPointer, partition: Int) throws(MillraceError)

  /// Makes everything appended durable and returns the length of each partition.
  func flush() throws(MillraceError) -> [Int: Int64]

  /// Cuts each partition back to a length that `flush` returned; one that is not named, to nothing.
  func truncate(to lengths: [Int: Int64]) throws(MillraceError)
}
