/// The metrics of one task, computed from outcomes: what is worth knowing of one predicted record,
/// a few numbers that a window can keep.
protocol TaskMetrics: Sendable, Equatable {
  /// What is known of the labels before a record, from which the baselines predict it.
  associatedtype Baselines: LabelBaselines

  /// Numbers per outcome.
  static var outcomeWidth: Int { get }

  /// The outcome of one record; `baselines` predict its label, then learn it.
  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines, into outcome: UnsafeMutablePointer<Double>)

  /// Takes in one outcome.
  mutating func add(_ outcome: UnsafePointer<Double>)

  /// Takes in what other metrics saw.
  mutating func merge(_ other: Self)

  /// The numbers that people read.
  var summary: MetricSummary { get }

  /// Metrics of nothing.
  init()
}

/// What is known of the labels before a record.
protocol LabelBaselines: Sendable, Equatable {
  /// Nothing.
  init()
}

/// Metrics in the form in which they are reported; a metric without meaning for the task, or
/// without a value yet, is `nil` and absent from JSON.
public struct MetricSummary: Codable, Equatable, Sendable {
  /// The losses of a predictor that looks at labels only.
  public struct Baseline: Codable, Equatable, Sendable {
    /// The mean log-loss.
    public var logLoss: Double? = nil
    /// The share of classes predicted.
    public var accuracy: Double? = nil
    /// The root of the mean squared error.
    public var rmse: Double? = nil
    /// The mean absolute error.
    public var mae: Double? = nil
  }

  /// The number of records.
  public var rows = 0
  /// The mean log-loss.
  public var logLoss: Double? = nil
  /// The share of classes predicted.
  public var accuracy: Double? = nil
  /// The area under the ROC curve.
  public var auc: Double? = nil
  /// Predicted positives over true ones: 1 when calibrated on the whole.
  public var calibrationRatio: Double? = nil
  /// The root of the mean squared error.
  public var rmse: Double? = nil
  /// The mean absolute error.
  public var mae: Double? = nil
  /// The share of the labels' variance that is explained.
  public var r2: Double? = nil
  /// The share of labels inside their predicted interval.
  public var intervalCoverage: Double? = nil
  /// The running mean of the labels (their frequencies), predicted before each record.
  public var baseRate: Baseline? = nil
  /// The label of the record before; its probability is the running share of repeats.
  public var noChange: Baseline? = nil

  /// The task's loss, smaller is better: log-loss, or RMSE.
  public var loss: Double? { logLoss ?? rmse }
}
