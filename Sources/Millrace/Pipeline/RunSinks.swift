/// Where a job writes, and the lines it writes there. Every sink is optional.
///
/// Sinks are JSON lines; their fields are the command line's contract. A sink with partitions gets
/// each record in the partition it came from.
public struct RunSinks {
  /// One line per record: what the learner answered before it learnt from it.
  public var predictions: (any LogSink)?
  /// Metrics over the latest window and over everything, at regular rows.
  public var metrics: (any LogSink)?
  /// Drift alarms.
  public var driftEvents: (any LogSink)?
  /// Records that did not become rows, with the reason.
  public var deadLetters: (any LogSink)?

  private var line = JSONLine()

  /// No sinks.
  public init() {}

  /// The sinks there are, by name.
  private var all: [(name: String, sink: any LogSink)] {
    [
      ("predictions", predictions), ("metrics", metrics), ("driftEvents", driftEvents),
      ("deadLetters", deadLetters),
    ].compactMap { name, sink in sink.map { (name, $0) } }
  }

  /// Makes everything durable.
  ///
  /// - Returns: the length of each partition of each sink.
  func flush() throws(MillraceError) -> [String: [Int: Int64]] {
    var lengths: [String: [Int: Int64]] = [:]
    for (name, sink) in all { lengths[name] = try sink.flush() }
    return lengths
  }

  /// Cuts every sink back to what a checkpoint knew; to nothing where it knew none.
  func truncate(to lengths: [String: [Int: Int64]]) throws(MillraceError) {
    for (name, sink) in all { try sink.truncate(to: lengths[name] ?? [:]) }
  }

  // MARK: - Lines

  /// Writes the predictions of rows.
  ///
  /// - Parameters:
  ///   - answers: `rows.count` rows of numbers.
  ///   - width: numbers per prediction.
  ///   - version: the version being served; `nil` before the first one.
  mutating func writePredictions(
    _ answers: [Double], width: Int, rows: Range<Int>, of batch: Batch, records: RecordBatch,
    format: PredictionFormat, version: Int?
  ) throws(MillraceError) {
    guard let sink = self.predictions else { return }
    for (index, row) in rows.enumerated() {
      line.removeAll()
      line.raw("{\"partition\":")
      line.number(Int64(records.partition))
      line.raw(",\"position\":")
      line.number(records.positions[batch.recordIndices[row]])
      line.raw(",")
      format.append(answers[index * width..<(index + 1) * width], to: &line)
      line.raw(",\"version\":")
      if let version { line.number(Int64(version)) } else { line.raw("null") }
      line.field("key", batch.key(row: row))
      line.field("timestamp", batch.timestamp(row: row))
      line.raw("}")
      try line.append(to: sink, partition: records.partition)
    }
  }

  /// Writes a record that did not become a row.
  mutating func writeDeadLetter(
    _ rejected: RejectedRecord, of records: RecordBatch
  ) throws(MillraceError) {
    guard let sink = deadLetters else { return }
    line.removeAll()
    line.raw("{\"partition\":")
    line.number(Int64(records.partition))
    line.raw(",\"position\":")
    line.number(rejected.position)
    line.raw(",\"reason\":")
    line.string(rejected.reason)
    line.raw(",\"column\":")
    if let column = rejected.column { line.string(column) } else { line.raw("null") }
    line.raw(",\"payload\":")
    try records.withBytes { bytes in
      let range = records.starts[rejected.recordIndex]..<records.ends[rejected.recordIndex]
      line.string(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
    line.raw("}")
    try line.append(to: sink, partition: records.partition)
  }
}

extension RunSinks {
  /// A line of the metrics sink.
  struct MetricsLine: Encodable {
    var atRow: Int
    var window: MetricSummary
    var cumulative: MetricSummary
    var served: MetricSummary?
  }

  /// Writes metrics.
  mutating func writeMetrics(_ metrics: MetricsLine) throws(MillraceError) {
    if let sink = self.metrics { try write(metrics, to: sink, partition: 0) }
  }

  /// Writes an alarm.
  mutating func writeAlarm(_ alarm: RunAlarm) throws(MillraceError) {
    if let sink = driftEvents { try write(alarm, to: sink, partition: alarm.partition) }
  }

  private mutating func write(
    _ value: some Encodable, to sink: any LogSink, partition: Int
  ) throws(MillraceError) {
    line.removeAll()
    line.raw(try JSONCoding.encodeForOthers(value))
    try line.append(to: sink, partition: partition)
  }
}
