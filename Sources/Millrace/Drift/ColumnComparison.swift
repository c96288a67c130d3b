/// How often each level of a categorical column came.
struct LevelCounts: Sendable, Equatable {
  /// Per level; those that are not listed come last.
  var counts: [Int]
  /// Values that were missing.
  var missing = 0
}

/// One column in two datasets: what differs, by how much, and how surely.
struct ColumnComparison: Sendable {
  /// The statistic of the values: D, or for levels the largest difference of the shares of any set
  /// of them (the total variation distance), which is D without an order.
  let statistic: Double?
  /// Its p-value: of the Kolmogorov-Smirnov test, or of the χ² test of homogeneity.
  let pValue: Double?
  /// How the p-value was found; `chi-squared` for levels.
  let method: String
  /// The population stability index, with a bin for missing values.
  let stabilityIndex: PopulationStabilityIndex
  /// Values that are not missing.
  let present: (reference: Int, current: Int)
  /// Values that are missing.
  let missing: (reference: Int, current: Int)
  /// Both histograms; `nil` for levels.
  let histogram: HistogramPair?
  /// Both distribution functions; `nil` for levels.
  let distributions: DistributionPair?

  /// Compares numbers; NaN is missing.
  init(reference: [Double], current: [Double]) {
    let test = KolmogorovSmirnovTest(reference, current)
    (statistic, pValue, method) = (test.statistic, test.pValue, test.method.rawValue)
    // Bins need no more digits than a Float has, if they are spent on what differs.
    let finite = reference.filter(\.isFinite)
    let center = finite.isEmpty ? 0 : finite.reduce(0) { $0 + $1 / Double(finite.count) }
    let sample = ReferenceSample(reference.lazy.map { Float($0 - center) })
    var counter = SlotCounter(sample)
    for value in current { counter.add(slot: sample.slot(of: Float(value - center))) }
    stabilityIndex = sample.stabilityIndex(counter)
    present = (sample.count, counter.count)
    missing = (sample.missingCount, counter.missingCount)
    histogram = sample.histogramPair(counter).map { pair in
      var pair = pair
      pair.edges = pair.edges.map { $0 + center }
      return pair
    }
    distributions = sample.distributionPair(counter).map { pair in
      var pair = pair
      pair.values = pair.values.map { $0 + center }
      return pair
    }
  }

  /// Compares levels; both counts list the same ones.
  init(reference: LevelCounts, current: LevelCounts) {
    let bins = zip(reference.counts, current.counts).filter { $0 + $1 > 0 }
    let (n, m) = bins.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
    present = (n, m)
    missing = (reference.missing, current.missing)
    (histogram, distributions) = (nil, nil)
    stabilityIndex = PopulationStabilityIndex(
      reference: reference.counts + [reference.missing],
      current: current.counts + [current.missing])
    guard n > 0, m > 0 else {
      (statistic, pValue) = (nil, nil)
      method = KolmogorovSmirnovTest.Method.insufficient.rawValue
      return
    }
    var (distance, chiSquared) = (0.0, 0.0)
    for (first, second) in bins {
      let (p, q) = (Double(first) / Double(n), Double(second) / Double(m))
      distance += (p - q).magnitude / 2
      // Σ (observed − expected)²/expected over both samples.
      chiSquared += (p - q) * (p - q) * Double(n) * Double(m) / Double(first + second)
    }
    statistic = distance
    pValue = ChiSquaredDistribution.survival(chiSquared, degreesOfFreedom: bins.count - 1)
    method = "chi-squared"
  }

  /// The shares of missing values.
  var missingShares: (reference: Double, current: Double) {
    (
      Double(missing.reference) / Double(max(1, missing.reference + present.reference)),
      Double(missing.current) / Double(max(1, missing.current + present.current))
    )
  }

  /// The p-value of the difference of the shares of missing values; `nil` where nothing is missing
  /// or nothing is there.
  var missingPValue: Double? {
    let sizes = (missing.reference + present.reference, missing.current + present.current)
    guard missing.reference + missing.current > 0, sizes.0 > 0, sizes.1 > 0 else { return nil }
    return TwoSampleDistribution.share(marked: missing, of: sizes)
  }

  /// Whether the values differ by enough to matter, surely or not.
  func isLarge(alpha: Double, tolerance: Double, psiThreshold: Double) -> Bool {
    guard let statistic else { return false }
    let threshold = DriftSettings.largeStatistic(
      present.reference, present.current, alpha: alpha, tolerance: tolerance)
    return statistic > threshold || stabilityIndex.value ?? 0 > psiThreshold
  }

  /// Whether the shares of missing values differ by enough to matter, surely or not.
  func isMissingLarge(alpha: Double, tolerance: Double) -> Bool {
    let threshold = DriftSettings.largeStatistic(
      missing.reference + present.reference, missing.current + present.current, alpha: alpha,
      tolerance: tolerance)
    return (missingShares.reference - missingShares.current).magnitude > threshold
  }
}
