/// Metrics of a regression, as sums that merge: RMSE, MAE, R² and the coverage of intervals, with
/// two baselines beside them. Conventions as in scikit-learn.
public struct RegressionMetrics: Sendable, Equatable {
  /// Squared and absolute errors of one predictor.
  public struct Errors: Sendable, Equatable {
    /// Σ w (y − ŷ)².
    public internal(set) var squared = 0.0
    /// Σ w |y − ŷ|.
    public internal(set) var absolute = 0.0
    /// Σ w (y − ŷ)⁴.
    public internal(set) var fourthPowers = 0.0

    mutating func add(_ error: Double, weight: Double) {
      squared += weight * error * error
      absolute += weight * error.magnitude
      fourthPowers += weight * error * error * error * error
    }

    mutating func merge(_ other: Errors) {
      squared += other.squared
      absolute += other.absolute
      fourthPowers += other.fourthPowers
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
  /// Σ w ŷ.
  var predictionSum = 0.0
  /// The weight of records that had an interval.
  var intervalWeight = 0.0
  /// The weight of records whose label was inside it, ends included.
  var coveredWeight = 0.0
  /// Σ w (upper − lower).
  var intervalWidths = 0.0

  /// Predictions and labels of some records.
  var sample = PredictionSample()

  /// Metrics of nothing.
  public init() {}

  /// Takes in what other metrics saw.
  public mutating func merge(_ other: RegressionMetrics) {
    rows += other.rows
    invalidPredictions += other.invalidPredictions
    model.merge(other.model)
    baseRate.merge(other.baseRate)
    noChange.merge(other.noChange)
    predictionSum += other.predictionSum
    intervalWeight += other.intervalWeight
    coveredWeight += other.coveredWeight
    intervalWidths += other.intervalWidths
    sample.merge(other.sample)
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

  /// Quantiles of label − prediction, of a uniform sample of some thousand records.
  public func residualQuantiles(_ shares: [Double]) -> [QualitySummary.Quantile] {
    sample.residualQuantiles(shares)
  }

  /// Mean label by mean prediction, in bins of like predictions of the same sample.
  public func bins(_ count: Int) -> [QualitySummary.Bin] { sample.bins(count) }

  /// How sure the metrics are.
  private var intervals: MetricIntervals {
    let meanSquare = mean(model.squared)
    let squares = MetricIntervals.ofMean(
      meanSquare, meanSquare: model.fourthPowers / weight, rows: rows)
    return MetricIntervals(
      rmse: squares.map { $0.map { $0.squareRoot() } },
      mae: MetricIntervals.ofMean(mae, meanSquare: meanSquare ?? 0, rows: rows))
  }

  private func mean(_ sum: Double) -> Double? { weight > 0 ? sum / weight : nil }
}

extension RegressionMetrics: RecordMetrics {
  struct Baselines: Sendable {
    var weight = 0.0
    var mean = 0.0
    var last = Double.nan
  }

  /// The ends are NaN where there is no interval.
  struct Outcome: BitwiseCopyable, Sendable {
    var prediction = 0.0
    var lower = Double.nan
    var upper = Double.nan
    var label = 0.0
    var weight = 0.0
    var runningMean = 0.0
    var last = 0.0
  }

  static var noBaselines: Baselines { Baselines() }

  static func isLabel(_ label: Double) -> Bool { label.isFinite }

  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines
  ) -> Outcome {
    let hasInterval = width >= 3
    let outcome = Outcome(
      prediction: prediction[0], lower: hasInterval ? prediction[1] : .nan,
      upper: hasInterval ? prediction[2] : .nan, label: label, weight: weight,
      runningMean: baselines.weight > 0 ? baselines.mean : label,
      last: baselines.last.isNaN ? label : baselines.last)
    baselines.weight += weight
    if weight > 0 { baselines.mean += (label - baselines.mean) * weight / baselines.weight }
    baselines.last = label
    return outcome
  }

  static func losses(of outcome: Outcome) -> (model: Double, baseRate: Double, noChange: Double) {
    func squared(_ error: Double) -> Double { error * error }
    return (
      squared(outcome.label - outcome.prediction), squared(outcome.label - outcome.runningMean),
      squared(outcome.label - outcome.last)
    )
  }

  static func complete(_ outcomes: UnsafeMutableBufferPointer<Outcome>) {}

  mutating func add(_ outcomes: UnsafeBufferPointer<Outcome>) {
    for outcome in outcomes { add(outcome) }
  }

  private mutating func add(_ outcome: Outcome) {
    rows += 1
    guard outcome.prediction.isFinite else {
      invalidPredictions += 1
      return
    }
    let (label, weight) = (outcome.label, outcome.weight)
    guard weight > 0 else { return }
    model.add(label - outcome.prediction, weight: weight)
    baseRate.add(label - outcome.runningMean, weight: weight)
    noChange.add(label - outcome.last, weight: weight)
    self.weight += weight
    let delta = label - labelMean
    labelMean += delta * weight / self.weight
    labelSquaredDistances += weight * delta * (label - labelMean)
    predictionSum += weight * outcome.prediction
    sample.add(prediction: outcome.prediction, outcome: label)
    if outcome.lower.isFinite && outcome.upper.isFinite {
      intervalWeight += weight
      coveredWeight += outcome.lower <= label && label <= outcome.upper ? weight : 0
      intervalWidths += weight * (outcome.upper - outcome.lower)
    }
  }

  var summary: MetricSummary {
    MetricSummary(
      rows: rows, invalidPredictions: invalidPredictions > 0 ? invalidPredictions : nil,
      calibrationRatio: labelMean == 0 ? nil : mean(predictionSum).map { $0 / labelMean },
      rmse: rmse, mae: mae, r2: r2, intervalCoverage: intervalCoverage, intervals: intervals,
      baseRate: .init(rmse: mean(baseRate.squared)?.squareRoot(), mae: mean(baseRate.absolute)),
      noChange: .init(rmse: mean(noChange.squared)?.squareRoot(), mae: mean(noChange.absolute)))
  }
}
