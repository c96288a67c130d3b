/// Where records go: appended in order, durable after `flush`.
public protocol LogSink: AnyObject {
  /// Appends one record to a partition; the sink adds what separates records.
  func append(_ record: UnsafeRawBufferPointer, partition: Int) throws(MillraceError)

  /// Passes everything appended on, so that readers see it. A power failure may still lose it.
  func send() throws(MillraceError)

  /// Makes everything appended durable and returns the length of each partition.
  func flush() throws(MillraceError) -> [Int: Int64]

  /// Cuts each partition back to a length that `flush` returned; one that is not named, to nothing.
  func truncate(to lengths: [Int: Int64]) throws(MillraceError)
}

extension LogSink {
  /// Makes everything durable, where there is no cheaper way to let readers see it.
  public func send() throws(MillraceError) { _ = try flush() }
}
