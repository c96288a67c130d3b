/// A dataset becomes a log at a chosen pace: `millrace replay`.
///
/// Records keep their text, unless CSV goes into JSON lines (see `JSONLinesConverter`): a directory
/// is JSON lines, as logs are by default, except where it already holds CSV partitions or
/// that was asked for. What goes to partition p of the target is by key, or in turns.
public struct Replay: Sendable {
  /// What was replayed.
  public struct Outcome: Equatable, Sendable {
    /// Records appended.
    public var rows = 0
    /// How long it took.
    public var seconds = 0.0
  }

  /// Records per second; `nil` for as fast as they can be read and written.
  public var rate: Double?
  /// How many times faster than the `timestamp` field says; needs it, and no `rate`.
  public var speed: Double?
  /// The field with a record's time: see `RecordTime` for its forms. The first record goes at
  /// once; one that has no time goes with the record before it.
  public var timestamp: String?
  /// Whether to begin again at the end, for ever.
  public var loops = false
  /// The field whose value decides the partition, as Kafka's producers do (murmur2). Records
  /// without it, and all records when it is `nil`, take the partitions in turns.
  public var key: String?
  /// The number of partitions of the target.
  public var partitions = 1

  /// At all speed, once, into one partition.
  public init() {}

  /// Replays a dataset into a file, or a directory of partitions.
  ///
  /// - Parameters:
  ///   - data: where the records are; read to its end.
  ///   - target: where they go; appended to what is there.
  ///   - isStopped: asked between records; the replay ends when it says so.
  ///   - progress: told now and then how many records there are so far.
  /// - Returns: what was replayed; all of it is durable.
  /// - Throws: `configuration` when settings do not fit together; `input` when the data cannot be
  ///   used; `system` when it cannot be read or written.
  public func run(
    from data: LogAddress, to target: LogAddress, isStopped: () -> Bool,
    progress: (Int) -> Void = { _ in }
  ) throws(MillraceError) -> Outcome {
    try check()
    if data == target {
      throw .setting("to", "\(target)", expected: "another log than the one that is replayed")
    }
    let source = try FileLog(data, untilEnd: true)
    var header: [UInt8]?
    if let first = source.partitions.first { header = try source.header(partition: first) }
    return try run(
      from: source, as: FileSink.format(of: target), isStopped: isStopped, progress: progress
    ) { () throws(MillraceError) in try FileSink(target, header: header, key: "to") }
  }

  /// Replays the records of a source that ends into a sink, whose records are written in `format`.
  public func run(
    from source: any LogSource, to sink: any LogSink, as format: DataFormat,
    isStopped: () -> Bool, progress: (Int) -> Void = { _ in }
  ) throws(MillraceError) -> Outcome {
    try check()
    return try run(from: source, as: format, isStopped: isStopped, progress: progress) { sink }
  }

  /// - Parameter openSink: see `ReplayRun`.
  private func run(
    from source: any LogSource, as format: DataFormat, isStopped: () -> Bool,
    progress: (Int) -> Void, openSink: () throws(MillraceError) -> any LogSink
  ) throws(MillraceError) -> Outcome {
    var run = try ReplayRun(self, from: source, as: format, openSink: openSink)
    repeat {
      try run.replayToEnd(isStopped: isStopped, progress: progress)
      if loops && !run.isStopped { try source.seek(to: [:]) }
    } while loops && !run.isStopped && run.outcome.rows > 0
    _ = try run.sink.flush()
    return run.outcome
  }

  private func check() throws(MillraceError) {
    for (name, value) in [("rate", rate), ("speed", speed)] {
      if let value, !(value > 0 && value.isFinite) {
        throw .setting(name, "\(value)", expected: "a positive number")
      }
    }
    guard (1...100_000).contains(partitions) else {
      throw .setting("partitions", "\(partitions)", expected: "a number from 1 to 100000")
    }
    if let speed, timestamp == nil || rate != nil {
      throw .setting(
        "speed", "\(speed)", expected: "none without a timestamp column or with a rate")
    }
    if let timestamp, speed == nil {
      throw .setting("timestamp", timestamp, expected: "none without a speed")
    }
  }
}
