/// Metrics of a regression, as sums that merge: RMSE, MAE, R² and the coverage of intervals, with
/// two baselines beside them. Conventions as in scikit-learn.
public struct RegressionMetrics: Sendable, Equatable {
  /// Squared and absolute errors of one predictor.
  public struct Errors: Sendable, Equatable {
    /// Σ w (y − ŷ)².
    public internal(set) var squared = 0.0
    /// Σ w |y − ŷ|.
    public internal(set) var absolute = 0.0

    mutating func add(_ error: Double, weight: Double) {
      squared += weight * error * error
      absolute += weight * error.magnitude
    }

    mutating func merge(_ other: Errors) {
      squared += other.squared
      absolute += other.absolute
    }
  }

  /// The number of records.
  public internal(set) var rows = 0
  /// Predictions that were not finite; they are in no other number.
  public internal(set) var invalidPredictions = 0
  /// The total weight of the records.
  public internal(set) var weight = 0.0
  /// The regression.
  public internal(set) var model = Errors()
  /// The running mean of the labels, predicted before each record; right on the first one.
  public internal(set) var baseRate = Errors()
  /// The label of the record before; right on the first one.
  public internal(set) var noChange = Errors()
  /// The weighted mean of the labels.
  public internal(set) var labelMean = 0.0
  /// Σ w (y − ȳ)² (West 1979).
  var labelSquaredDistances = 0.0
  /// The weight of records that had an interval.
  var intervalWeight = 0.0
  /// The weight of records whose label was inside it, ends included.
  var coveredWeight = 0.0
  /// Σ w (upper − lower).
  var intervalWidths = 0.0

  /// Metrics of nothing.
  public init() {}

  /// Takes in what other metrics saw.
  public mutating func merge(_ other: RegressionMetrics) {
    rows += other.rows
    invalidPredictions += other.invalidPredictions
    model.merge(other.model)
    baseRate.merge(other.baseRate)
    noChange.merge(other.noChange)
    intervalWeight += other.intervalWeight
    coveredWeight += other.coveredWeight
    intervalWidths += other.intervalWidths
    let total = weight + other.weight
    guard total > 0 else { return }
    let delta = other.labelMean - labelMean
    labelSquaredDistances +=
      other.labelSquaredDistances + delta * delta * weight * other.weight / total
    labelMean += delta * other.weight / total
    weight = total
  }

  /// The root of the mean squared error; `nil` before the first record.
  public var rmse: Double? { mean(model.squared)?.squareRoot() }

  /// The mean absolute error; `nil` before the first record.
  public var mae: Double? { mean(model.absolute) }

  /// 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; of constant labels, 1 when all are predicted and 0 otherwise; `nil`
  /// before the second record.
  public var r2: Double? {
    guard rows > 1, weight > 0 else { return nil }
    guard labelSquaredDistances > 0 else { return model.squared == 0 ? 1 : 0 }
    return 1 - model.squared / labelSquaredDistances
  }

  /// The share of labels inside their interval; `nil` without intervals.
  public var intervalCoverage: Double? {
    intervalWeight > 0 ? coveredWeight / intervalWeight : nil
  }

  /// The mean width of the intervals; `nil` without intervals.
  public var meanIntervalWidth: Double? {
    intervalWeight > 0 ? intervalWidths / intervalWeight : nil
  }

  private func mean(_ sum: Double) -> Double? { weight > 0 ? sum / weight : nil }
}

extension RegressionMetrics: TaskMetrics {
  struct Baselines: LabelBaselines {
    var weight = 0.0
    var mean = 0.0
    var last = Double.nan
  }

  /// Prediction, lower and upper end (NaN without interval), label, weight, the two baselines.
  static let outcomeWidth = 7

  @inline(__always)
  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines, into outcome: UnsafeMutablePointer<Double>
  ) {
    outcome[0] = prediction[0]
    outcome[1] = width >= 3 ? prediction[1] : .nan
    outcome[2] = width >= 3 ? prediction[2] : .nan
    outcome[3] = label
    outcome[4] = weight
    outcome[5] = baselines.weight > 0 ? baselines.mean : label
    outcome[6] = baselines.last.isNaN ? label : baselines.last
    baselines.weight += weight
    if weight > 0 { baselines.mean += (label - baselines.mean) * weight / baselines.weight }
    baselines.last = label
  }

  @inline(__always)
  mutating func add(_ outcome: UnsafePointer<Double>) {
    let (prediction, lower, upper) = (outcome[0], outcome[1], outcome[2])
    let (label, weight) = (outcome[3], outcome[4])
    rows += 1
    guard prediction.isFinite else {
      invalidPredictions += 1
      return
    }
    model.add(label - prediction, weight: weight)
    baseRate.add(label - outcome[5], weight: weight)
    noChange.add(label - outcome[6], weight: weight)
    if weight > 0 {
      self.weight += weight
      let delta = label - labelMean
      labelMean += delta * weight / self.weight
      labelSquaredDistances += weight * delta * (label - labelMean)
    }
    if lower.isFinite && upper.isFinite {
      intervalWeight += weight
      coveredWeight += lower <= label && label <= upper ? weight : 0
      intervalWidths += weight * (upper - lower)
    }
  }

  var summary: MetricSummary {
    MetricSummary(
      rows: rows, rmse: rmse, mae: mae, r2: r2, intervalCoverage: intervalCoverage,
      baseRate: .init(rmse: mean(baseRate.squared)?.squareRoot(), mae: mean(baseRate.absolute)),
      noChange: .init(rmse: mean(noChange.squared)?.squareRoot(), mae: mean(noChange.absolute)))
  }
}
