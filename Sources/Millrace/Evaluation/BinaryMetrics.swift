/// Metrics of a binary classifier, as sums that merge: log-loss, accuracy, AUC, confusion and
/// calibration, with two baselines beside them.
///
/// Scores are counted in bins whose width is 1/64 to 1/128 of the smaller of p and 1 − p, down to
/// 2⁻²⁵. The confusion at ½ is exact; the AUC counts pairs within one bin as ties, and
/// `aucErrorBound` says how much that can matter.
public struct BinaryMetrics: Sendable, Equatable {
  /// One bar of the reliability diagram.
  public struct ReliabilityBin: Codable, Equatable, Sendable {
    /// The weight of its records.
    public var weight: Double
    /// The mean predicted probability.
    public var meanProbability: Double
    /// The share of positives.
    public var positiveRate: Double
  }

  /// Records by true class and predicted class (positive where p > ½), by weight.
  public struct Confusion: Codable, Equatable, Sendable {
    /// Positives predicted positive.
    public var truePositive: Double
    /// Negatives predicted positive.
    public var falsePositive: Double
    /// Negatives predicted negative.
    public var trueNegative: Double
    /// Positives predicted negative.
    public var falseNegative: Double
  }

  /// A point of the ROC curve.
  public struct ROCPoint: Codable, Equatable, Sendable {
    /// The share of negatives scored above the threshold.
    public var falsePositiveRate: Double
    /// The share of positives scored above the threshold.
    public var truePositiveRate: Double
  }

  /// Bars of the reliability diagram, of equal width.
  public static let reliabilityBinCount = 20

  /// The number of records.
  public internal(set) var rows = 0
  /// The classifier.
  public internal(set) var model = ClassifierScore()
  /// The running share of positives, predicted before each record.
  public internal(set) var baseRate = ClassifierScore()
  /// The label of the record before, with the running share of repeats as its probability.
  public internal(set) var noChange = ClassifierScore()
  /// The weight of positives and of negatives per score bin, side by side.
  var scoreCounts: [Double]
  /// Weight, Σ w p and Σ w y per bar of the reliability diagram, side by side.
  var reliabilitySums: [Double]

  /// Metrics of nothing.
  public init() {
    scoreCounts = Array(repeating: 0, count: 2 * ScoreBins.count)
    reliabilitySums = Array(repeating: 0, count: 3 * Self.reliabilityBinCount)
  }

  /// Takes in what other metrics saw.
  public mutating func merge(_ other: BinaryMetrics) {
    rows += other.rows
    model.merge(other.model)
    baseRate.merge(other.baseRate)
    noChange.merge(other.noChange)
    for index in scoreCounts.indices { scoreCounts[index] += other.scoreCounts[index] }
    for index in reliabilitySums.indices { reliabilitySums[index] += other.reliabilitySums[index] }
  }

  /// The weight of the positives.
  public var positiveWeight: Double { sum(of: 1, from: 0) }

  /// The weight of the negatives.
  public var negativeWeight: Double { sum(of: 0, from: 0) }

  /// The area under the ROC curve; `nil` unless both classes were seen.
  public var auc: Double? {
    var area = 0.0
    var negatives = 0.0
    for bin in 0..<ScoreBins.count {
      let (inBin, positives) = (scoreCounts[2 * bin], scoreCounts[2 * bin + 1])
      area += positives * (negatives + inBin / 2)
      negatives += inBin
    }
    let pairs = negatives * positiveWeight
    return pairs > 0 ? area / pairs : nil
  }

  /// How far `auc` can be from the area computed from the scores themselves.
  public var aucErrorBound: Double {
    let tied = (0..<ScoreBins.count).reduce(0.0) {
      $0 + scoreCounts[2 * $1] * scoreCounts[2 * $1 + 1]
    }
    return tied > 0 ? tied / (2 * negativeWeight * positiveWeight) : 0
  }

  /// Records by true and predicted class.
  public var confusion: Confusion {
    let (above, belowNegative) = (ScoreBins.half + 1, sum(of: 0, from: 0))
    let (falsePositive, truePositive) = (sum(of: 0, from: above), sum(of: 1, from: above))
    return Confusion(
      truePositive: truePositive, falsePositive: falsePositive,
      trueNegative: belowNegative - falsePositive, falseNegative: positiveWeight - truePositive)
  }

  /// The ROC curve from (0, 0) to (1, 1), thinned to at most `points` points.
  public func rocCurve(points: Int = 101) -> [ROCPoint] {
    let (positives, negatives) = (positiveWeight, negativeWeight)
    guard positives > 0, negatives > 0, points > 1 else { return [] }
    var curve = [ROCPoint(falsePositiveRate: 0, truePositiveRate: 0)]
    var (falsePositive, truePositive) = (0.0, 0.0)
    for bin in (0..<ScoreBins.count).reversed() {
      falsePositive += scoreCounts[2 * bin]
      truePositive += scoreCounts[2 * bin + 1]
      let (x, y) = (falsePositive / negatives, truePositive / positives)
      let last = curve[curve.count - 1]
      let step = x - last.falsePositiveRate + y - last.truePositiveRate
      if step >= 2 / Double(points - 2) {
        curve.append(ROCPoint(falsePositiveRate: x, truePositiveRate: y))
      }
    }
    if curve[curve.count - 1] != ROCPoint(falsePositiveRate: 1, truePositiveRate: 1) {
      curve.append(ROCPoint(falsePositiveRate: 1, truePositiveRate: 1))
    }
    return curve
  }

  /// The reliability diagram: probability bars from 0 to 1; `nil` where a bar has no record.
  public var reliability: [ReliabilityBin?] {
    (0..<Self.reliabilityBinCount).map { bin in
      let weight = reliabilitySums[3 * bin]
      guard weight > 0 else { return nil }
      return ReliabilityBin(
        weight: weight, meanProbability: reliabilitySums[3 * bin + 1] / weight,
        positiveRate: reliabilitySums[3 * bin + 2] / weight)
    }
  }

  /// Σ p over Σ y: above 1 when positives are overestimated; `nil` without positives.
  public var calibrationRatio: Double? {
    let predicted = stride(from: 1, to: reliabilitySums.count, by: 3).reduce(0.0) {
      $0 + reliabilitySums[$1]
    }
    return positiveWeight > 0 ? predicted / positiveWeight : nil
  }

  private func sum(of label: Int, from bin: Int) -> Double {
    stride(from: 2 * bin + label, to: scoreCounts.count, by: 2).reduce(0) { $0 + scoreCounts[$1] }
  }
}

extension BinaryMetrics: TaskMetrics {
  struct Baselines: LabelBaselines {
    var weight = 0.0
    var positiveWeight = 0.0
    var transitions = 0.0
    var repeats = 0.0
    var last = -1.0
  }

  /// Probability, label, weight, the base rate, and the no-change probability of the positive.
  static let outcomeWidth = 5

  @inline(__always)
  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines, into outcome: UnsafeMutablePointer<Double>
  ) {
    let positive: Double = label > 0.5 ? 1 : 0
    // ½ added to either side (Krichevsky and Trofimov 1981): never certain, ½ at the start.
    let stay = (baselines.repeats + 0.5) / (baselines.transitions + 1)
    outcome[0] = prediction[0]
    outcome[1] = positive
    outcome[2] = weight
    outcome[3] = (baselines.positiveWeight + 0.5) / (baselines.weight + 1)
    outcome[4] = baselines.last > 0.5 ? stay : 1 - stay
    baselines.weight += weight
    baselines.positiveWeight += weight * positive
    baselines.repeats += positive == baselines.last ? 1 : 0
    baselines.transitions += baselines.last >= 0 ? 1 : 0
    baselines.last = positive
  }

  @inline(__always)
  mutating func add(_ outcome: UnsafePointer<Double>) {
    let (p, positive, weight) = (outcome[0], outcome[1], outcome[2])
    let isPositive = positive > 0.5
    rows += 1
    model.add(classifier: p, isPositive: isPositive, weight: weight)
    baseRate.add(classifier: outcome[3], isPositive: isPositive, weight: weight)
    noChange.add(classifier: outcome[4], isPositive: isPositive, weight: weight)
    let probability = max(0, min(1, p.isNaN ? 1 - positive : p))
    scoreCounts[2 * ScoreBins.bin(of: probability) + (isPositive ? 1 : 0)] += weight
    let bars = Self.reliabilityBinCount
    let bar = 3 * min(bars - 1, Int(probability * Double(bars)))
    reliabilitySums[bar] += weight
    reliabilitySums[bar + 1] += weight * probability
    reliabilitySums[bar + 2] += weight * positive
  }

  var summary: MetricSummary {
    MetricSummary(
      rows: rows, logLoss: model.logLoss, accuracy: model.accuracy, auc: auc,
      calibrationRatio: calibrationRatio,
      baseRate: .init(logLoss: baseRate.logLoss, accuracy: baseRate.accuracy),
      noChange: .init(logLoss: noChange.logLoss, accuracy: noChange.accuracy))
  }
}

extension ClassifierScore {
  /// Takes in a binary classifier's probability of the positive class.
  @inline(__always)
  fileprivate mutating func add(classifier p: Double, isPositive: Bool, weight: Double) {
    add(
      probabilityOfTruth: isPositive ? p : 1 - p, isCorrect: (p > 0.5) == isPositive,
      weight: weight)
  }
}

/// Bins of a probability, finer towards 0 and 1: the leading bits of the smaller of p and 1 − p.
enum ScoreBins {
  /// 64 bins per factor of two, 24 factors of two: 2⁻²⁵ to ½, and everything below.
  private static let perOctave = 64
  private static let lowest = Int(Double(0x1p-25).bitPattern >> 46)
  /// The bin of ½ alone.
  static let half = 24 * perOctave
  /// The number of bins.
  static let count = 2 * half + 1

  /// The bin of a probability from 0 to 1; ascends with it.
  @inline(__always)
  static func bin(of p: Double) -> Int {
    let smaller = min(p, 1 - p)
    let depth = max(0, Int(smaller.bitPattern >> 46) - lowest)
    return p > 0.5 ? count - 1 - depth : depth
  }
}
