internal import Dispatch

/// All candidates of a grid over one reading of the data: each micro-batch is decoded once and
/// learnt by all of them, on several threads. Each predicts a record before it learns it.
struct GridSearch {
  private let source: SampledSource
  private let settings: PipelineSettings
  private let schema: Schema
  private var candidates: [Candidate]

  private struct Candidate: Sendable {
    var model: Model
    var metrics: ProgressiveMetrics
    var predictions: [Double] = []
    var losses: [Double] = []

    mutating func learn(_ decoded: DecodedBatch) {
      var row = 0
      while row < decoded.rows.count {
        let span = decoded.span(from: row, known: model.schema.classes.count)
        model.schema.classes = span.classes
        learn(decoded, rows: row..<span.end)
        row = span.end
      }
      model.schema.classes = decoded.classes
    }

    private mutating func learn(_ decoded: DecodedBatch, rows: Range<Int>) {
      let (batch, width) = (decoded.rows, model.outputWidth)
      if predictions.count < rows.count * width {
        predictions = Array(repeating: 0, count: rows.count * width)
      }
      predictions.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        let output = PredictionRows(base: base, count: rows.count, width: width)
        model.learn(batch, rows: rows, predictions: output)
        if decoded.pass == 0 { metrics.update(output, of: batch, rows: rows, losses: &losses) }
      }
    }
  }

  /// - Throws: `configuration` when a candidate's settings are not for the task.
  init(
    _ candidates: [LearnerSettings], over source: SampledSource, schema: Schema,
    settings: PipelineSettings
  ) throws(MillraceError) {
    self.source = source
    self.settings = settings
    self.schema = schema
    self.candidates = []
    for learner in candidates {
      self.candidates.append(
        Candidate(
          model: try Model(schema: schema, settings: learner),
          metrics: ProgressiveMetrics(task: schema.task)))
    }
  }

  /// Reads the source to its end.
  ///
  /// - Returns: each candidate's progressive metrics, in the order given; one that diverged has a
  ///   loss that is not finite.
  mutating func run(
    shouldStop: () -> Bool, progress: (Int) -> Void
  ) throws(MillraceError) -> [MetricSummary] {
    let reader = RecordReader(source: source, schema: schema, settings: settings)
    var decoded = DecodedBatch()
    var rowCount = 0
    while !shouldStop(), try reader.next(into: &decoded) {
      guard decoded.rows.count > 0 else { continue }
      learn(decoded)
      rowCount += decoded.rows.count
      progress(rowCount)
    }
    return candidates.map(\.metrics.cumulative.summary)
  }

  private mutating func learn(_ decoded: DecodedBatch) {
    candidates.withUnsafeMutableBufferPointer { buffer in
      // Safe: each candidate is touched by one thread, that of its iteration.
      nonisolated(unsafe) let candidates = buffer
      if settings.threads == 1 {
        for index in candidates.indices { candidates[index].learn(decoded) }
      } else {
        DispatchQueue.concurrentPerform(iterations: candidates.count) { index in
          candidates[index].learn(decoded)
        }
      }
    }
  }
}
