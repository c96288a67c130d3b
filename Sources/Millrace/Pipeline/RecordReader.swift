internal import Glibc

/// One micro-batch of one partition: the records as they lie in the log, and the rows they became.
struct DecodedBatch: Sendable {
  var records = RecordBatch()
  var rows = Batch(columnCount: 0)
  var rejected: [RejectedRecord] = []
  /// The classes known after this batch.
  var classes: [String] = []
  /// The size of the source when this was read, where it is known.
  var sourceBytes: Int64?
  /// 0 while the source is read for the first time.
  var pass = 0

  /// The rows from `row` on that know the same classes, and these: a class is known from the row
  /// that brings it, whatever else its micro-batch holds.
  ///
  /// - Parameter known: the number of classes known before `row`.
  func span(from row: Int, known: Int) -> (end: Int, classes: [String]) {
    guard known < classes.count else { return (rows.count, classes) }
    let label = rows.labels[row]
    let count = label >= Double(known) ? Int(label) + 1 : known
    let end = (row + 1..<rows.count).first { rows.labels[$0] >= Double(count) }
    return (end ?? rows.count, Array(classes.prefix(count)))
  }
}

/// Polls a source's partitions in turn and decodes what comes.
final class RecordReader {
  private let source: SampledSource
  private let settings: PipelineSettings
  private let schema: Schema
  /// Per partition, once its header is known; with the classes it has met.
  private var decoders: [Int: PartitionDecoder] = [:]
  /// The classes that partitions had met before, for a job that goes on.
  private let knownClasses: [Int: [String]]
  private var ended: Set<Int> = []
  private var order: TurnOrder
  private var pass: Int

  /// - Parameters:
  ///   - taken: records of each partition that were dealt with before.
  ///   - knownClasses: the classes of each partition that was read before.
  ///   - pass: the pass to go on in.
  init(
    source: SampledSource, schema: Schema, settings: PipelineSettings, taken: [Int: Int] = [:],
    knownClasses: [Int: [String]] = [:], pass: Int = 0
  ) {
    self.source = source
    self.schema = schema
    self.settings = settings
    self.knownClasses = knownClasses
    self.pass = pass
    order = TurnOrder(
      taken: taken, patience: .milliseconds(settings.partitionIdleMilliseconds))
  }

  /// Fills `decoded` with the next micro-batch; with none when nothing came in time.
  ///
  /// - Returns: `false` when every partition has ended for the last time.
  func next(into decoded: inout DecodedBatch) throws(MillraceError) -> Bool {
    decoded.records.removeAll()
    decoded.rows.removeAll()
    decoded.rejected.removeAll(keepingCapacity: true)
    let open = source.partitions.filter { !ended.contains($0) }
    if open.isEmpty, source.isFollowed {
      usleep(UInt32(clamping: max(settings.lingerMilliseconds, 1) * 1000))
      return true
    }
    if open.isEmpty {
      guard pass + 1 < settings.passes, !ended.isEmpty else { return false }
      pass += 1
      ended = []
      try source.seek(to: [:])
      return true
    }
    let turns = order.next(among: open, maxRecords: settings.microBatchRecords)
    for (index, turn) in turns.enumerated() {
      let goesOn = try source.poll(
        partition: turn.partition, maxRecords: turn.maxRecords, maxBytes: settings.microBatchBytes,
        linger: turn.waits ? .milliseconds(settings.lingerMilliseconds) : .zero,
        into: &decoded.records)
      if !goesOn { ended.insert(turn.partition) }
      order.note(decoded.records.count, partition: turn.partition, isFirst: index == 0)
      if decoded.records.count > 0 {
        try decode(&decoded)
        return true
      }
    }
    if turns.count > 1 { order.nobodyIsReady() }
    return true
  }

  private func decode(_ decoded: inout DecodedBatch) throws(MillraceError) {
    let partition = decoded.records.partition
    if decoders[partition] == nil {
      var schema = schema
      if let classes = knownClasses[partition] { schema.classes = classes }
      let header = source.format.fieldNames(header: try source.header(partition: partition))
      decoders[partition] = PartitionDecoder(
        try RecordDecoder(schema: schema, format: source.format, header: header))
    }
    try decoders[partition]?.decoder.decode(
      decoded.records, into: &decoded.rows, rejected: &decoded.rejected)
    decoded.classes = decoders[partition]?.decoder.schema.classes ?? schema.classes
    decoded.pass = pass
    decoded.sourceBytes = source.byteCount
  }
}

/// A box, because a dictionary cannot hold a value that cannot be copied.
private final class PartitionDecoder {
  var decoder: RecordDecoder
  init(_ decoder: consuming RecordDecoder) { self.decoder = decoder }
}
