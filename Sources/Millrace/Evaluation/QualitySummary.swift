/// How good predictions are, in more than one number.
public struct QualitySummary: Codable, Equatable, Sendable {
  /// A point of a receiver operating characteristic.
  public struct OperatingPoint: Codable, Equatable, Sendable {
    /// The share of negatives predicted positive.
    public var falsePositiveRate: Double
    /// The share of positives predicted positive.
    public var truePositiveRate: Double

    /// A point.
    public init(falsePositiveRate: Double, truePositiveRate: Double) {
      self.falsePositiveRate = falsePositiveRate
      self.truePositiveRate = truePositiveRate
    }
  }

  /// Rows with similar predictions.
  public struct Bin: Codable, Equatable, Sendable {
    /// Their mean prediction.
    public var meanPrediction: Double
    /// Their mean outcome: the share of positives, or the mean target.
    public var meanOutcome: Double
    /// How many they are.
    public var count: Double

    /// A bin.
    public init(meanPrediction: Double, meanOutcome: Double, count: Double) {
      self.meanPrediction = meanPrediction
      self.meanOutcome = meanOutcome
      self.count = count
    }
  }

  /// A quantile of the residuals (outcome − prediction).
  public struct Quantile: Codable, Equatable, Sendable {
    /// The share of residuals at or below.
    public var share: Double
    /// The residual.
    public var value: Double

    /// A quantile.
    public init(share: Double, value: Double) {
      self.share = share
      self.value = value
    }
  }

  /// The names of the classes.
  public var classes: [String] = []
  /// Rows by true class, then by predicted class.
  public var confusion: [[Double]] = []
  /// The receiver operating characteristic from (0, 0) to (1, 1).
  public var operatingPoints: [OperatingPoint] = []
  /// The area under it.
  public var areaUnderCurve: Double?
  /// Rows by prediction: the reliability diagram, or predicted against actual for a regression.
  public var bins: [Bin] = []
  /// Quantiles of the residuals of a regression, ascending.
  public var residualQuantiles: [Quantile] = []
  /// The share of outcomes inside the 90 % intervals of a regression.
  public var intervalCoverage: Double?

  /// Nothing known.
  public init() {}
}
