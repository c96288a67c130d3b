/// A feature in the reference and in the current sample.
public struct FeatureDrift: Codable, Equatable, Sendable {
  /// The feature's name.
  public var name: String
  /// Its number among `RunHistory.driftStatistics`.
  public var index: Int?
  /// The Kolmogorov-Smirnov statistic D; `nil` when a sample is too small.
  public var statistic: Double?
  /// The p-value of D.
  public var pValue: Double?
  /// How the p-value was found.
  public var method: String?
  /// The population stability index.
  public var stabilityIndex: Double?
  /// The share of missing values in the reference.
  public var missingReference: Double = 0
  /// The share of missing values in the current sample.
  public var missingCurrent: Double = 0
  /// The row of its first alarm; taken from the history when it is `nil`.
  public var firstAlarmRow: Int?
  /// Whether it counts as drifted: significant and large.
  public var drifted: Bool = false
  /// The learner's weight per standard deviation of the feature.
  public var weight: Double?
  /// How far the mean moved, in standard deviations of the reference; D stands in when it is `nil`.
  public var shift: Double?
  /// Both histograms over the same bins.
  public var histogram: HistogramPair?
  /// Both distribution functions.
  public var distributions: DistributionPair?

  /// A feature that is not tested yet.
  public init(name: String) { self.name = name }
}

/// Two histograms over the same bins.
public struct HistogramPair: Codable, Equatable, Sendable {
  /// The ends of the bins: one more than there are bins.
  public var edges: [Double]
  /// The share of the reference in each bin.
  public var reference: [Double]
  /// The share of the current sample in each bin.
  public var current: [Double]

  /// Two histograms.
  public init(edges: [Double], reference: [Double], current: [Double]) {
    self.edges = edges
    self.reference = reference
    self.current = current
  }
}

/// Two distribution functions, given at some values: right-continuous steps.
public struct DistributionPair: Codable, Equatable, Sendable {
  /// The values, ascending.
  public var values: [Double]
  /// The share of the reference at or below each value.
  public var reference: [Double]
  /// The share of the current sample at or below each value.
  public var current: [Double]
  /// The index of the value at which they are farthest apart.
  public var gapIndex: Int?

  /// Two distribution functions.
  public init(values: [Double], reference: [Double], current: [Double], gapIndex: Int?) {
    self.values = values
    self.reference = reference
    self.current = current
    self.gapIndex = gapIndex
  }
}
