/// Progressive validation (Blum, Kalai, Langford 1999): every record is a test before it is a
/// lesson. Metrics over all records so far and over the latest `window` ones.
///
/// A value; feeding it in any micro-batches gives the same state. Records without a label (NaN)
/// are left out.
public struct ProgressiveMetrics: Sendable {
  /// The metrics of the task: one of the three is there.
  public struct Metrics: Sendable, Equatable {
    /// Of a binary classifier.
    public internal(set) var binary: BinaryMetrics?
    /// Of a classifier of several classes.
    public internal(set) var multiclass: MulticlassMetrics?
    /// Of a regression.
    public internal(set) var regression: RegressionMetrics?

    /// The numbers that people read.
    public var summary: MetricSummary {
      binary?.summary ?? multiclass?.summary ?? regression?.summary ?? MetricSummary()
    }

    /// Takes in metrics of the same task: those of another partition.
    public mutating func merge(_ other: Metrics) {
      if let metrics = other.binary { binary?.merge(metrics) }
      if let metrics = other.multiclass { multiclass?.merge(metrics) }
      if let metrics = other.regression { regression?.merge(metrics) }
    }
  }

  /// What is learnt.
  public let task: Task
  /// The number of records the window holds.
  public let window: Int
  var binary: MetricTrack<BinaryMetrics>?
  var multiclass: MetricTrack<MulticlassMetrics>?
  var regression: MetricTrack<RegressionMetrics>?

  /// Metrics of nothing.
  ///
  /// - Parameter window: the latest records that `windowed` tells of; at least 1.
  public init(task: Task, window: Int = 1_000) {
    self.task = task
    self.window = max(1, window)
    switch task {
    case .binary: binary = MetricTrack()
    case .multiclass: multiclass = MetricTrack()
    case .regression: regression = MetricTrack()
    }
  }

  /// Takes in predicted records in order.
  ///
  /// - Parameters:
  ///   - predictions: what was predicted before the label was known.
  ///   - labels: the target, or the class index; NaN where there is none.
  ///   - weights: importance of each row.
  ///   - losses: where given, receives three numbers a row: the log-loss (or squared error) of the
  ///     model, of the base rate and of no change; NaN where there is no label.
  public mutating func update(
    predictions: PredictionRows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    losses: UnsafeMutablePointer<Double>? = nil
  ) {
    binary?.update(predictions, labels, weights, window: window, losses: losses)
    multiclass?.update(predictions, labels, weights, window: window, losses: losses)
    regression?.update(predictions, labels, weights, window: window, losses: losses)
  }

  /// Metrics over all records so far.
  public var cumulative: Metrics {
    Metrics(
      binary: binary?.cumulative, multiclass: multiclass?.cumulative,
      regression: regression?.cumulative)
  }

  /// Metrics over the latest `window` records, computed in O(window).
  public var windowed: Metrics {
    Metrics(
      binary: binary?.windowed, multiclass: multiclass?.windowed, regression: regression?.windowed)
  }
}

/// One task's metrics: the sums over everything, and the latest outcomes in a ring.
struct MetricTrack<Metrics: TaskMetrics>: Sendable {
  var cumulative = Metrics()
  var baselines = Metrics.noBaselines
  /// Outcomes in the order of arrival; once the ring is full, the oldest gives way.
  var ring: [Metrics.Outcome] = []
  /// Where in the full ring the next outcome goes.
  var next = 0

  /// Records whose outcomes are made together.
  private static var blockRows: Int { 64 }

  mutating func update(
    _ predictions: PredictionRows, _ labels: UnsafePointer<Double>,
    _ weights: UnsafePointer<Float>, window: Int, losses: UnsafeMutablePointer<Double>?
  ) {
    withUnsafeTemporaryAllocation(of: Metrics.Outcome.self, capacity: Self.blockRows) { buffer in
      for start in stride(from: 0, to: predictions.count, by: Self.blockRows) {
        let count = min(Self.blockRows, predictions.count - start)
        let outcomes = makeOutcomes(
          predictions.slice(from: start, count: count), labels + start, weights + start, in: buffer
        )
        cumulative.add(outcomes)
        remember(outcomes, window: window)
        guard let losses else { continue }
        var next = 0
        for row in start..<start + count {
          var rowLosses = (model: Double.nan, baseRate: Double.nan, noChange: Double.nan)
          if Metrics.isLabel(labels[row]) {
            rowLosses = Metrics.losses(of: outcomes[next])
            next += 1
          }
          (losses[3 * row], losses[3 * row + 1], losses[3 * row + 2]) = rowLosses
        }
      }
    }
  }

  /// The outcomes of the rows that have a label.
  private mutating func makeOutcomes(
    _ predictions: PredictionRows, _ labels: UnsafePointer<Double>,
    _ weights: UnsafePointer<Float>, in buffer: UnsafeMutableBufferPointer<Metrics.Outcome>
  ) -> UnsafeBufferPointer<Metrics.Outcome> {
    let count = Metrics.outcomes(predictions, labels, weights, baselines: &baselines, in: buffer)
    let outcomes = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
    Metrics.complete(outcomes)
    return UnsafeBufferPointer(outcomes)
  }

  private mutating func remember(
    _ outcomes: UnsafeBufferPointer<Metrics.Outcome>, window: Int
  ) {
    let free = window - ring.count
    ring.append(contentsOf: outcomes.prefix(free))
    var rest = outcomes.dropFirst(free)
    while !rest.isEmpty {
      let part = rest.prefix(window - next)
      ring.replaceSubrange(next..<next + part.count, with: part)
      next = (next + part.count) % window
      rest = rest.dropFirst(part.count)
    }
  }

  /// The metrics of what the ring holds, oldest first.
  var windowed: Metrics {
    var metrics = Metrics()
    ring.withUnsafeBufferPointer { ring in
      metrics.add(UnsafeBufferPointer(rebasing: ring[next...]))
      metrics.add(UnsafeBufferPointer(rebasing: ring[..<next]))
    }
    return metrics
  }
}
