/// A model that was trained from the recent window and now predicts and learns the same records as
/// the learner, until the gate decides between them.
struct Challenger: Sendable {
  /// The model; it has learnt the recent window and what came since.
  var model: Model
  /// The row of the alarm that called for it.
  let alarmRow: Int
  /// What it predicted, measured over the rows that came since.
  var metrics: ProgressiveMetrics
}

/// What a completed step led to.
enum PartitionEvent {
  /// The windows were compared with their references.
  case checked(DriftCheck)
  /// The learner diverged and started again.
  case diverged(Divergence)
  /// The model that `RetrainPolicy.onDrift` starts with is trained.
  case warmedUp
  /// A challenger was trained from the recent window of so many rows.
  case challengerStarted(windowRows: Int)
  /// The challenger took the learner's place.
  case challengerWon(PromotionGate.Measurement)
  /// The challenger did not pass the gate.
  case challengerLost(PromotionGate.Measurement, reason: String)
}

/// Everything that belongs to one partition of the log: a function of that partition's records
/// alone, so that neither crashes nor the order of partitions nor the number of workers change it.
struct Partition: Sendable {
  /// The partition's number.
  let number: Int
  let settings: PipelineSettings
  /// The model that learns, and whose answers are reported.
  var model: Model
  /// Whether the model learns no more, until a challenger takes its place.
  var isFrozen: Bool
  var challenger: Challenger?
  var recent: RecentRows
  var monitor: DriftMonitor?
  /// What the learner predicted, measured.
  var metrics: ProgressiveMetrics
  /// What the served version predicted of the same records, measured.
  var servedMetrics: ProgressiveMetrics
  /// Where to read on.
  var position: Int64 = 0
  /// Records that became rows.
  var rowCount = 0
  /// Records that did not.
  var badRecordCount = 0
  /// How many of the learner's new starts were told of.
  var toldRestarts: Int

  /// What the learner answered for the rows of the last `advance`.
  private(set) var predictions: [Double] = []
  /// For each of those rows: the loss of the learner, of the base rate and of no change.
  private(set) var losses: [Double] = []
  /// The same with the served version in the learner's place; empty where none is served.
  private(set) var servedLosses: [Double] = []
  private var otherPredictions: [Double] = []
  private var otherLosses: [Double] = []
  /// Drift checks of the step in work.
  private(set) var checks: [DriftCheck] = []

  init(number: Int, settings: PipelineSettings, model: Model) throws(MillraceError) {
    self.number = number
    self.settings = settings
    self.model = model
    toldRestarts = model.learner.divergence.restarts
    isFrozen = settings.retrain == .never
    let windowRows = settings.drift?.window ?? Self.measuredRows
    recent = RecentRows(
      capacity: settings.retrain == .never || settings.drift == nil ? 0 : windowRows,
      columnCount: model.columnCount)
    if let drift = settings.drift {
      monitor = DriftMonitor(
        settings: drift, task: model.schema.task, featureNames: model.schema.featureNames)
    }
    metrics = ProgressiveMetrics(task: model.schema.task, window: windowRows)
    servedMetrics = metrics
  }

  /// Rows between two moments at which anything but learning happens: alarms, challengers. Counted
  /// in this partition's rows, so that micro-batches do not matter.
  static let stepRows = 256

  /// The latest rows that are measured where no drift window says otherwise.
  private static let measuredRows = 1_000

  /// Rows until the step in work is complete.
  var rowsLeftInStep: Int { Self.stepRows - rowCount % Self.stepRows }

  /// Predicts rows, measures, watches and learns: the one path of every job.
  ///
  /// - Parameters:
  ///   - rows: rows of `batch` within the step in work.
  ///   - served: the version that is being served, measured beside the learner.
  mutating func advance(_ batch: Batch, rows: Range<Int>, served: Model?) {
    let (isFrozen, learnsWithoutLabels) = (isFrozen, settings.retrain == .onDrift)
    Self.predict(batch, rows, width: model.outputWidth, buffer: &predictions) { output in
      if isFrozen {
        model.predict(batch, rows: rows, into: output)
      } else {
        model.learn(batch, rows: rows, predictions: output)
      }
      metrics.update(output, of: batch, rows: rows, losses: &losses)
      checks += monitor?.observe(batch, rows: rows, predictions: output, losses: losses) ?? []
    }
    servedLosses.removeAll(keepingCapacity: true)
    if let served {
      Self.predict(batch, rows, width: served.outputWidth, buffer: &otherPredictions) { output in
        served.predict(batch, rows: rows, into: output)
        servedMetrics.update(output, of: batch, rows: rows, losses: &servedLosses)
      }
    }
    if var challenger = exchange(&self.challenger, with: nil) {
      let width = challenger.model.outputWidth
      Self.predict(batch, rows, width: width, buffer: &otherPredictions) { output in
        if learnsWithoutLabels {
          // It will be served frozen: it is judged by what it answers without fresh labels.
          challenger.model.predict(batch, rows: rows, into: output)
          challenger.metrics.update(output, of: batch, rows: rows, losses: &otherLosses)
        }
        challenger.model.learn(batch, rows: rows, predictions: output)
        if !learnsWithoutLabels {
          challenger.metrics.update(output, of: batch, rows: rows, losses: &otherLosses)
        }
      }
      self.challenger = challenger
    }
    recent.append(batch, rows: rows)
    rowCount += rows.count
  }

  /// Tells the models that learn which classes there are.
  mutating func know(_ classes: [String]) {
    model.schema.classes = classes
    challenger?.model.schema.classes = classes
  }

  /// Learns rows of a later pass: nothing is measured, watched or reported.
  mutating func learnAgain(_ batch: Batch) {
    Self.predict(
      batch, 0..<batch.count, width: model.outputWidth, buffer: &predictions
    ) { output in
      model.learn(batch, rows: 0..<batch.count, predictions: output)
    }
  }

  /// How the learner has diverged, where it has done so since the last call.
  mutating func newDivergence() -> Divergence? {
    let divergence = model.learner.divergence
    defer { toldRestarts = divergence.restarts }
    return divergence.restarts > toldRestarts ? divergence : nil
  }

  /// Acts on what the step that is now complete has shown.
  mutating func finishStep() throws(MillraceError) -> [PartitionEvent] {
    var events = checks.map(PartitionEvent.checked)
    let hasAlarms = checks.contains { !$0.alarms.isEmpty }
    checks.removeAll()
    if let divergence = newDivergence() { events.append(.diverged(divergence)) }
    if settings.retrain == .onDrift, !isFrozen, rowCount >= settings.drift?.reference ?? 0 {
      isFrozen = true
      events.append(.warmedUp)
    } else if hasAlarms, settings.retrain == .continuous || isFrozen, challenger == nil,
      recent.count > 0
    {
      var fresh = try Model(schema: model.schema, settings: settings.learner)
      let window = recent.ordered()
      Self.predict(
        window, 0..<window.count, width: fresh.outputWidth, buffer: &otherPredictions
      ) { output in
        fresh.learn(window, rows: 0..<window.count, predictions: output)
      }
      challenger = Challenger(
        model: fresh, alarmRow: rowCount,
        metrics: ProgressiveMetrics(task: model.schema.task, window: metrics.window))
      events.append(.challengerStarted(windowRows: window.count))
    } else if let challenger, rowCount - challenger.alarmRow >= metrics.window {
      let measurement = PromotionGate.Measurement(
        candidate: challenger.metrics.windowed.summary.loss,
        incumbent: metrics.windowed.summary.loss, rows: metrics.window)
      // Against a learner that kept learning, forgetting the past must be worth it.
      let margin = settings.retrain == .continuous ? 0.02 : 0
      if let reason = PromotionGate.objection(
        to: challenger.model, measurement: measurement, tolerance: -margin)
      {
        events.append(.challengerLost(measurement, reason: reason))
      } else {
        model = challenger.model
        toldRestarts = 0
        events.append(.challengerWon(measurement))
      }
      self.challenger = nil
    }
    return events
  }

  /// Calls `body` with room for the predictions of rows.
  private static func predict(
    _ batch: Batch, _ rows: Range<Int>, width: Int, buffer: inout [Double],
    _ body: (PredictionRows) -> Void
  ) {
    let count = rows.count * width
    if buffer.count < count {
      buffer.append(contentsOf: repeatElement(0, count: count - buffer.count))
    }
    buffer.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      body(PredictionRows(base: base, count: rows.count, width: width))
    }
  }
}

extension Model {
  /// Predicts rows of a batch as they are without fresh labels.
  func predict(_ batch: Batch, rows: Range<Int>, into output: PredictionRows) {
    if batch.sparse.width > 0 { return predictSparse(batch, rows: rows, into: output) }
    batch.features.withUnsafeBufferPointer { features in
      guard let base = features.baseAddress else { return }
      predict(base + rows.lowerBound * batch.columnCount, into: output)
    }
  }
}

extension ProgressiveMetrics {
  /// Takes in the predictions of rows of a batch.
  ///
  /// - Parameter losses: receives three losses a row (see `update`), from its start.
  mutating func update(
    _ output: PredictionRows, of batch: Batch, rows: Range<Int>, losses: inout [Double]
  ) {
    let count = 3 * rows.count
    if losses.count < count {
      losses.append(contentsOf: repeatElement(0, count: count - losses.count))
    }
    batch.labels.withUnsafeBufferPointer { labels in
      batch.weights.withUnsafeBufferPointer { weights in
        guard let labels = labels.baseAddress, let weights = weights.baseAddress else { return }
        update(
          predictions: output, labels: labels + rows.lowerBound,
          weights: weights + rows.lowerBound, losses: &losses)
      }
    }
  }
}

extension DriftMonitor {
  /// Watches rows of a batch.
  mutating func observe(
    _ batch: Batch, rows: Range<Int>, predictions: PredictionRows, losses: [Double]
  ) -> [DriftCheck] {
    batch.features.withUnsafeBufferPointer { features in
      batch.labels.withUnsafeBufferPointer { labels in
        guard let features = features.baseAddress, let labels = labels.baseAddress else {
          return []
        }
        return observe(
          features + rows.lowerBound * batch.columnCount, labels: labels + rows.lowerBound,
          predictions: predictions, losses: losses)
      }
    }
  }
}
