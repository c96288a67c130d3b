/// Metrics of a binary classifier, as sums that merge: log-loss, accuracy, AUC, confusion and
/// calibration, with two baselines beside them.
///
/// Scores are counted in bins whose width is 1/64 to 1/128 of the smaller of p and 1 − p, down to
/// 2⁻²⁵. The confusion at ½ is exact; the AUC counts pairs within one bin as ties, and
/// `aucErrorBound` says how much that can matter.
public struct BinaryMetrics: Sendable, Equatable {
  /// Bars of the reliability diagram, of equal width.
  public static let reliabilityBinCount = 20

  /// The classifier beside its baselines.
  public internal(set) var scores = ClassifierComparison()
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
    scores.merge(other.scores)
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

  /// The variance of `auc` (DeLong et al. 1988): of each positive's share of negatives below it
  /// and of each negative's share of positives above, over their numbers.
  private var aucVariance: Double? {
    let (positives, negatives) = (positiveWeight, negativeWeight)
    let rowsPerWeight = Double(scores.rows) / (positives + negatives)
    guard let auc, positives * rowsPerWeight > 1, negatives * rowsPerWeight > 1 else { return nil }
    var (below, above) = (0.0, positives)
    var (ofPositives, ofNegatives) = (0.0, 0.0)
    for bin in 0..<ScoreBins.count {
      let (inBin, positivesInBin) = (scoreCounts[2 * bin], scoreCounts[2 * bin + 1])
      let placement = (below + inBin / 2) / negatives - auc
      ofPositives += positivesInBin * placement * placement
      above -= positivesInBin
      let otherPlacement = (above + positivesInBin / 2) / positives - auc
      ofNegatives += inBin * otherPlacement * otherPlacement
      below += inBin
    }
    return ofPositives / positives / (positives * rowsPerWeight - 1)
      + ofNegatives / negatives / (negatives * rowsPerWeight - 1)
  }

  /// How far `auc` can be from the area computed from the scores themselves.
  public var aucErrorBound: Double {
    let tied = (0..<ScoreBins.count).reduce(0.0) {
      $0 + scoreCounts[2 * $1] * scoreCounts[2 * $1 + 1]
    }
    return tied > 0 ? tied / (2 * negativeWeight * positiveWeight) : 0
  }

  /// The weight of records by true class, then by predicted class (positive where p > ½).
  public var confusion: [[Double]] {
    let above = (0...1).map { sum(of: $0, from: ScoreBins.half + 1) }
    return [[negativeWeight - above[0], above[0]], [positiveWeight - above[1], above[1]]]
  }

  /// The ROC curve from (0, 0) to (1, 1), thinned to at most `points` points.
  public func rocCurve(points: Int = 101) -> [QualitySummary.OperatingPoint] {
    let (positives, negatives) = (positiveWeight, negativeWeight)
    guard positives > 0, negatives > 0, points > 1 else { return [] }
    var curve = [QualitySummary.OperatingPoint(falsePositiveRate: 0, truePositiveRate: 0)]
    var (falsePositive, truePositive) = (0.0, 0.0)
    for bin in (0..<ScoreBins.count).reversed() {
      falsePositive += scoreCounts[2 * bin]
      truePositive += scoreCounts[2 * bin + 1]
      let (x, y) = (falsePositive / negatives, truePositive / positives)
      let last = curve[curve.count - 1]
      let step = x - last.falsePositiveRate + y - last.truePositiveRate
      if step >= 2 / Double(points - 2) {
        curve.append(QualitySummary.OperatingPoint(falsePositiveRate: x, truePositiveRate: y))
      }
    }
    if curve[curve.count - 1]
      != QualitySummary.OperatingPoint(falsePositiveRate: 1, truePositiveRate: 1)
    {
      curve.append(QualitySummary.OperatingPoint(falsePositiveRate: 1, truePositiveRate: 1))
    }
    return curve
  }

  /// The reliability diagram: the bars from 0 to 1 that hold records.
  public var reliability: [QualitySummary.Bin] {
    stride(from: 0, to: reliabilitySums.count, by: 3).compactMap { bar in
      let weight = reliabilitySums[bar]
      guard weight > 0 else { return nil }
      return QualitySummary.Bin(
        meanPrediction: reliabilitySums[bar + 1] / weight,
        meanOutcome: reliabilitySums[bar + 2] / weight, count: weight)
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
  static var noBaselines: ClassBaselines { ClassBaselines(classWeights: [0, 0]) }

  static func isLabel(_ label: Double) -> Bool { label.isFinite }

  static func outcomes(
    _ predictions: PredictionRows, _ labels: UnsafePointer<Double>,
    _ weights: UnsafePointer<Float>, baselines: inout ClassBaselines,
    in buffer: UnsafeMutableBufferPointer<ClassifierOutcome>
  ) -> Int {
    // `ClassBaselines.predict` in registers, and without branches on the label, which nothing can
    // foresee: this is run for every record of every job.
    var (weight, negatives, positives) = (
      baselines.weight, baselines.classWeights[0], baselines.classWeights[1]
    )
    var (transitions, repeats) = (baselines.transitions, baselines.repeats)
    var last = Int32(baselines.last)
    var count = 0
    for row in 0..<predictions.count where isLabel(labels[row]) {
      let truth: Int32 = labels[row] > 0.5 ? 1 : 0
      let (positive, own) = (Double(truth), Double(weights[row]))
      let p = predictions[row][0]
      var outcome = ClassifierOutcome(probability: p, weight: own)
      outcome.loss = abs(1 - positive - p)
      outcome.truth = truth
      outcome.predicted = p.isNaN ? 1 - truth : p > 0.5 ? 1 : 0
      let seen = positive * positives + (1 - positive) * negatives
      // One division instead of two.
      let shares = (SIMD2(seen, repeats) + 0.5) / (SIMD2(weight, transitions) + 1)
      outcome.baseRateLoss = shares[0]
      outcome.mostFrequent = positives > negatives ? 1 : 0
      let change = Double(min(1, UInt32(bitPattern: truth ^ last)))
      outcome.noChangeLoss = abs(change - shares[1])
      outcome.last = last
      buffer[count] = outcome
      count += 1

      weight += own
      positives += positive * own
      negatives += (1 - positive) * own
      repeats += 1 - change
      transitions += last >= 0 ? 1 : 0
      last = truth
    }
    (baselines.weight, baselines.transitions, baselines.repeats) = (weight, transitions, repeats)
    (baselines.classWeights[0], baselines.classWeights[1]) = (negatives, positives)
    baselines.mostFrequent = positives > negatives ? 1 : 0
    baselines.last = Int(last)
    return count
  }

  mutating func add(_ outcomes: UnsafeBufferPointer<ClassifierOutcome>) {
    scores.add(outcomes)
    scoreCounts.withUnsafeMutableBufferPointer { scoreCounts in
      reliabilitySums.withUnsafeMutableBufferPointer { reliabilitySums in
        for outcome in outcomes {
          let truth = Int(outcome.truth)
          let p = outcome.probability.isNaN ? Double(outcome.predicted) : outcome.probability
          let probability = max(0, min(1, p))
          scoreCounts[2 * ScoreBins.bin(of: probability) + truth] += outcome.weight
          let bars = Self.reliabilityBinCount
          let bar = 3 * min(bars - 1, Int(probability * Double(bars)))
          reliabilitySums[bar] += outcome.weight
          reliabilitySums[bar + 1] += outcome.weight * probability
          reliabilitySums[bar + 2] += outcome.weight * Double(truth)
        }
      }
    }
  }

  var summary: MetricSummary {
    var summary = scores.summary
    summary.auc = auc
    if let auc, let aucVariance {
      summary.intervals?.auc = MetricIntervals.around(auc, variance: aucVariance)
    }
    summary.calibrationRatio = calibrationRatio
    return summary
  }
}

extension TaskMetrics where Outcome == ClassifierOutcome {
  static func complete(_ outcomes: UnsafeMutableBufferPointer<ClassifierOutcome>) {
    ClassifierOutcome.complete(outcomes)
  }

  static func losses(
    of outcome: ClassifierOutcome
  ) -> (model: Double, baseRate: Double, noChange: Double) {
    (outcome.loss, outcome.baseRateLoss, outcome.noChangeLoss)
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
    let isAbove = p > 0.5 ? 1 : 0
    return depth + isAbove * (count - 1 - 2 * depth)
  }
}
