/// Progressive validation (Blum, Kalai, Langford 1999): every record is a test before it is a
/// lesson. Metrics over all records so far and over the latest `window` ones.
///
/// A value; feeding it in any micro-batches gives the same state. Records without a label (NaN)
/// are left out.
public struct ProgressiveMetrics: Sendable, Equatable {
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
  private var binary: MetricTrack<BinaryMetrics>?
  private var multiclass: MetricTrack<MulticlassMetrics>?
  private var regression: MetricTrack<RegressionMetrics>?

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
  public mutating func update(
    predictions: PredictionRows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>
  ) {
    binary?.update(predictions, labels: labels, weights: weights, window: window)
    multiclass?.update(predictions, labels: labels, weights: weights, window: window)
    regression?.update(predictions, labels: labels, weights: weights, window: window)
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
struct MetricTrack<Metrics: TaskMetrics>: Sendable, Equatable {
  var cumulative = Metrics()
  var baselines = Metrics.Baselines()
  /// Outcomes in the order of arrival; once the ring is full, the oldest gives way.
  var ring: [Double] = []
  /// Where in the full ring the next outcome goes.
  var next = 0

  mutating func update(
    _ predictions: PredictionRows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    window: Int
  ) {
    let width = Metrics.outcomeWidth
    for row in 0..<predictions.count where labels[row].isFinite {
      if ring.count < window * width {
        ring.append(contentsOf: repeatElement(0, count: width))
        next = ring.count - width
      }
      ring.withUnsafeMutableBufferPointer { [start = next] ring in
        guard let outcome = ring.baseAddress.map({ $0 + start }) else { return }
        Metrics.outcome(
          prediction: predictions[row], width: predictions.width, label: labels[row],
          weight: Double(weights[row]), baselines: &baselines, into: outcome)
        cumulative.add(outcome)
      }
      next = (next + width) % (window * width)
    }
  }

  /// The metrics of what the ring holds, oldest first.
  var windowed: Metrics {
    var metrics = Metrics()
    let width = Metrics.outcomeWidth
    ring.withUnsafeBufferPointer { ring in
      guard let base = ring.baseAddress else { return }
      let oldest = next < ring.count ? next : 0
      for offset in stride(from: 0, to: ring.count, by: width) {
        metrics.add(base + (oldest + offset) % ring.count)
      }
    }
    return metrics
  }
}
