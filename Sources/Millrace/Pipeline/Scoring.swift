/// Answers for the records of a source: what `millrace predict` writes, and what a held-out part
/// is measured by. Nothing is learnt.
public struct Scoring {
  /// Rows that were answered.
  public private(set) var rows = 0
  /// Records that could not be read; each has an answer without a value.
  public private(set) var badRecords = 0
  /// The metrics over the records that have a label; `nil` where none has.
  public var metrics: MetricSummary? {
    let summary = progressive.cumulative.summary
    return summary.rows > 0 ? summary : nil
  }

  /// Mean outcomes by mean predictions; `nil` for several classes.
  public var calibration: [QualitySummary.Bin]? { progressive.cumulative.calibration }

  /// The share of records that may be bad; above it scoring stops.
  private let maxBadRecords: Double
  private let model: Model
  private var progressive: ProgressiveMetrics
  private var losses: [Double] = []

  /// Scoring by a model.
  ///
  /// - Parameter maxBadRecords: the share of records that may be bad; all of them if need be.
  public init(model: Model, maxBadRecords: Double = 1) {
    self.maxBadRecords = maxBadRecords
    self.model = model
    progressive = ProgressiveMetrics(task: model.schema.task)
  }

  /// What reads a partition's records by a schema; they need no label.
  ///
  /// - Throws: `input` when it has none of the schema's columns.
  static func decoder(
    of source: any LogSource, partition: Int, schema: Schema
  ) throws(MillraceError) -> RecordDecoder {
    try RecordDecoder(
      schema: schema, format: source.format,
      header: source.format.fieldNames(header: source.header(partition: partition)),
      labels: .optional)
  }

  /// The answer for one record.
  public enum Answer {
    /// `Model.outputWidth` numbers.
    case prediction(ArraySlice<Double>)
    /// The record could not be read, and why.
    case rejected(RejectedRecord)
  }

  /// Answers every record until the source ends, in the order of each partition.
  ///
  /// - Parameters:
  ///   - shouldStop: asked between micro-batches.
  ///   - warn: told of columns of the model that have no value, and of answers that are no numbers.
  ///   - answer: called once for each record.
  /// - Throws: `badRecords` when too many records were bad, which all have their answers; `input`,
  ///   `system`; what `answer` throws.
  public mutating func run(
    over source: any LogSource, shouldStop: () -> Bool = { false },
    warn: (String) -> Void = { _ in },
    answer: (Answer) throws(MillraceError) -> Void = { _ throws(MillraceError) in }
  ) throws(MillraceError) {
    var isFirst = true
    var firstReason: String?
    for partition in source.partitions {
      var decoder = try Self.decoder(of: source, partition: partition, schema: model.schema)
      var records = RecordBatch()
      var batch = Batch(columnCount: model.columnCount)
      var rejected: [RejectedRecord] = []
      var predictions: [Double] = []
      while !shouldStop(),
        try source.poll(
          partition: partition, maxRecords: 8192, maxBytes: 4 << 20, linger: .milliseconds(100),
          into: &records)
      {
        batch.removeAll()
        rejected.removeAll(keepingCapacity: true)
        try decoder.decode(records, into: &batch, rejected: &rejected)
        if isFirst, batch.count > 0 {
          isFirst = false
          let empty = emptyColumns(of: batch, absent: decoder.absentColumns)
          if !empty.isEmpty {
            warn(
              "no value for \(fieldList(empty)) in the first \(batch.count) records; means stand in"
            )
          }
        }
        predict(batch, into: &predictions)
        try pass(on: predictions, of: batch, rejected, to: answer)
        rows += batch.count
        badRecords += rejected.count
        firstReason = firstReason ?? rejected.first?.reason
        try checkBadRecords(atEnd: false, reason: firstReason)
      }
    }
    if !shouldStop() { try checkBadRecords(atEnd: true, reason: firstReason) }
    if let warning = metrics?.warning { warn(warning) }
  }

  private func checkBadRecords(atEnd: Bool, reason: String?) throws(MillraceError) {
    let error = MillraceError.badRecords(
      badRecords, of: rows + badRecords, limit: maxBadRecords, atEnd: atEnd, reason: reason)
    if let error { throw error }
  }

  /// The model's columns that have no value in any row of a batch.
  ///
  /// - Parameter absent: those that the header lacks; of sparse rows no others are told.
  private func emptyColumns(of batch: Batch, absent: [String]) -> [String] {
    guard model.schema.sparseWidth == nil else { return absent }
    var slot = 0
    return model.schema.columns.filter { column in
      defer { slot += column.width }
      return (0..<batch.count).allSatisfy { batch.features[$0 * batch.columnCount + slot].isNaN }
    }.map(\.name)
  }

  private mutating func predict(_ batch: Batch, into predictions: inout [Double]) {
    let width = model.outputWidth
    if predictions.count < batch.count * width {
      predictions = Array(repeating: 0, count: batch.count * width)
    }
    predictions.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let output = PredictionRows(base: base, count: batch.count, width: width)
      model.predict(batch, rows: 0..<batch.count, into: output)
      progressive.update(output, of: batch, rows: 0..<batch.count, losses: &losses)
    }
  }

  /// Merges rows and rejected records back into the order of the records.
  private func pass(
    on predictions: [Double], of batch: Batch, _ rejected: [RejectedRecord],
    to answer: (Answer) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    let width = model.outputWidth
    var remaining = rejected[...]
    for row in 0..<batch.count {
      while let next = remaining.first, next.recordIndex < batch.recordIndices[row] {
        try answer(.rejected(next))
        remaining.removeFirst()
      }
      try answer(.prediction(predictions[row * width..<(row + 1) * width]))
    }
    for record in remaining { try answer(.rejected(record)) }
  }
}
