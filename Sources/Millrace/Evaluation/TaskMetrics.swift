/// The metrics of one task as sums over outcomes: what is worth knowing of one predicted record.
protocol TaskMetrics: ArchivedState, Equatable {
  /// One predicted record, small enough to be kept in a window.
  associatedtype Outcome: BitwiseCopyable, Sendable
  /// The labels seen before a record, from which the baselines predict it.
  associatedtype Baselines: ArchivedState

  /// Metrics of nothing.
  init()

  /// No label seen.
  static var noBaselines: Baselines { get }

  /// Whether a label can be one of the task; a record with another has none.
  static func isLabel(_ label: Double) -> Bool

  /// Makes the outcomes of the records that have a label, in order; the baselines predict each
  /// label, then learn it.
  ///
  /// - Returns: how many outcomes were made.
  static func outcomes(
    _ predictions: PredictionRows, _ labels: UnsafePointer<Double>,
    _ weights: UnsafePointer<Float>, baselines: inout Baselines,
    in buffer: UnsafeMutableBufferPointer<Outcome>
  ) -> Int

  /// Finishes outcomes with what is cheaper for many at once.
  static func complete(_ outcomes: UnsafeMutableBufferPointer<Outcome>)

  /// The losses of the model, of the base rate and of no change.
  static func losses(of outcome: Outcome) -> (model: Double, baseRate: Double, noChange: Double)

  /// Takes in outcomes in order.
  mutating func add(_ outcomes: UnsafeBufferPointer<Outcome>)

  /// Takes in what other metrics saw.
  mutating func merge(_ other: Self)

  /// The numbers that people read.
  var summary: MetricSummary { get }

  /// Whether an outcome that was read from an archive can be one.
  static func isValid(_ outcome: Outcome) -> Bool
}

/// Metrics whose outcomes are made one by one.
protocol RecordMetrics: TaskMetrics {
  /// The outcome of one record; the baselines predict its label, then learn it.
  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines
  ) -> Outcome
}

extension RecordMetrics {
  static func outcomes(
    _ predictions: PredictionRows, _ labels: UnsafePointer<Double>,
    _ weights: UnsafePointer<Float>, baselines: inout Baselines,
    in buffer: UnsafeMutableBufferPointer<Outcome>
  ) -> Int {
    var count = 0
    for row in 0..<predictions.count where isLabel(labels[row]) {
      buffer[count] = outcome(
        prediction: predictions[row], width: predictions.width, label: labels[row],
        weight: Double(weights[row]), baselines: &baselines)
      count += 1
    }
    return count
  }
}

/// A part of the state of metrics that is saved.
protocol ArchivedState: Sendable {
  /// Writes everything under names that start with `prefix`.
  func encode(into archive: inout TensorArchive, prefix: String)

  /// Reads what `encode` wrote.
  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError)
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
  /// Of these, predictions that were not finite and are in no metric; `nil` when there were none.
  public var invalidPredictions: Int? = nil
  /// The mean log-loss.
  public var logLoss: Double? = nil
  /// The share of classes predicted.
  public var accuracy: Double? = nil
  /// The area under the ROC curve.
  public var auc: Double? = nil
  /// Predicted positives over true ones, or the mean prediction over the mean target: 1 when they
  /// agree on the whole.
  public var calibrationRatio: Double? = nil
  /// The root of the mean squared error.
  public var rmse: Double? = nil
  /// The mean absolute error.
  public var mae: Double? = nil
  /// The share of the labels' variance that is explained.
  public var r2: Double? = nil
  /// The share of labels inside their predicted interval.
  public var intervalCoverage: Double? = nil
  /// How sure the metrics are.
  public var intervals: MetricIntervals? = nil
  /// The running mean of the labels (their frequencies), predicted before each record.
  public var baseRate: Baseline? = nil
  /// The label of the record before; its probability is the running share of repeats.
  public var noChange: Baseline? = nil

  /// What a person should know; `nil` when all is well.
  var warning: String? {
    invalidPredictions.map { "\($0) of \(rows) predictions are not finite, and in no metric" }
  }

  /// The task's loss, smaller is better: log-loss, or RMSE.
  public var loss: Double? { logLoss ?? rmse }
}
