import Millrace

/// A run to make reports of: a stream whose features and coefficients change half-way, a logistic
/// regression that learns it by stochastic gradient descent, and a crude watch over it.
struct SimulatedRun {
  static let names = ["price", "demand", "transfer", "hour", "day", "vicprice", "vicdemand"]
  static let driftRow = 22_600

  private(set) var history = RunHistory(featureCount: names.count)
  private(set) var rows = 0
  private var random: UInt64 = 42
  private var weights = [Double](repeating: 0, count: names.count + 1)
  private var servedWeights = [Double](repeating: 0, count: names.count + 1)
  private var reference: [[Double]] = Array(repeating: [], count: names.count)
  private var recent: [[Double]] = Array(repeating: [], count: names.count)
  private var version = 0
  private var lastLabel = 0.0
  private var positives = 0.0
  private var changes = 0.0
  private var scores: [(prediction: Double, label: Double)] = []

  init(rows: Int) {
    for _ in 0..<rows { step() }
  }

  private mutating func uniform() -> Double {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(random >> 11) / 9_007_199_254_740_992
  }

  private mutating func normal() -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + uniform() }
  }

  private static func sigmoid(_ margin: Double) -> Double {
    // exp by squaring (1 + x/2¹⁶)^(2¹⁶): enough for a fixture, and free of libm.
    var power = 1 - max(-30, min(30, margin)) / 65_536
    for _ in 0..<16 { power *= power }
    return 1 / (1 + power)
  }

  private static func logLoss(_ prediction: Double, _ label: Double) -> Double {
    // −ln p by halving: p = m·2⁻ᵏ, ln m by its series around 1.
    var p = max(1e-6, label > 0 ? prediction : 1 - prediction)
    var log = 0.0
    while p < 0.75 { (p, log) = (p * 2, log - 0.693147180559945) }
    let t = (p - 1) / (p + 1)
    return -(log + 2 * (t + t * t * t / 3 + t * t * t * t * t / 5))
  }

  private static func margin(_ weights: [Double], _ row: [Double]) -> Double {
    zip(weights, row).reduce(weights[row.count]) { $0 + $1.0 * $1.1 }
  }

  private mutating func step() {
    let drifted = rows >= Self.driftRow
    var row = Self.names.map { _ in normal() }
    if drifted { (row[0], row[5]) = (row[0] * 0.7 + 1.1, row[5] + 0.6) }
    let truth =
      drifted ? [-0.6, 1.6, 0.4, -0.9, 0, 1.2, 0.3] : [1.8, -1.1, 0.5, 0.8, 0, 0.2, -0.4]
    let inertia = lastLabel > 0 ? 0.7 : -0.7
    let label =
      uniform() < Self.sigmoid(zip(truth, row).reduce(inertia) { $0 + $1.0 * $1.1 }) ? 1.0 : 0.0
    let prediction = Self.sigmoid(Self.margin(weights, row))
    let served = Self.sigmoid(Self.margin(servedWeights, row))
    let seen = Double(rows)
    let staying = (changes + 1) / (seen + 2)
    history.record(
      learner: Self.logLoss(prediction, label),
      served: version == 0 ? .nan : Self.logLoss(served, label),
      baseRate: Self.logLoss((positives + 1) / (seen + 2), label),
      noChange: Self.logLoss(lastLabel > 0 ? 1 - staying : staying, label))
    scores.append((prediction, label))
    for (index, value) in row.enumerated() {
      weights[index] += 0.02 * (label - prediction) * value
      if rows < 2000 { reference[index].append(value) } else { recent[index].append(value) }
    }
    weights[row.count] += 0.02 * (label - prediction)
    changes += label == lastLabel ? 0 : 1
    (lastLabel, positives, rows) = (label, positives + label, rows + 1)
    if rows % 500 == 0 && rows > 2000 { check() }
    if rows % 6000 == 0 { publish(reason: "every 6,000 rows") }
    if rows == 31_000 { history.note(RunEvent(.restart, atRow: rows, detail: "from checkpoint")) }
    if rows % 900 == 0 {
      history.noteDeadLetter(
        reason: rows % 1800 == 0 ? "'price' is \"n/a\"; expected a number" : "the label is missing")
    }
  }

  private mutating func check() {
    let statistics = Self.names.indices.map {
      Self.distance(reference[$0].sorted(), recent[$0].sorted())
    }
    history.record(driftStatistics: statistics.map(Float.init), atRow: rows)
    history.recordExperts(atRow: rows) {
      [("filter q = 2", 0.5), ("filter q = .03", 0.3), ("SGD .01", 0.2)].map {
        Expert(name: $0, weight: $1 * (rows >= Self.driftRow ? 1 : 0.6))
      }
    }
    let alarms = statistics.indices.filter {
      statistics[$0] > 0.2 && history.firstAlarmRows[Self.names[$0]] == nil
    }
    for index in alarms {
      history.note(
        RunEvent(
          .alarm, atRow: rows, feature: Self.names[index],
          detail: "D \(Int(statistics[index] * 1000))/1000"))
    }
    if !alarms.isEmpty {
      history.note(RunEvent(.retraining, atRow: rows, detail: "from the latest 2,000 rows"))
      publish(reason: "drift in \(Self.names[alarms[0]])")
    }
    if rows % 2000 == 0 { recent = recent.map { Array($0.suffix(500)) } }
  }

  private mutating func publish(reason: String) {
    let champion = version == 0 ? nil : history.servedLoss.windowedMeans(points: 8).last ?? nil
    let challenger = history.learnerLoss.windowedMeans(points: 8).last ?? nil
    let passes = rows != 36_000
    if passes { version += 1 }
    history.note(
      VersionRecord(
        version: passes ? version : nil, atRow: rows, learntRows: 0..<rows,
        parent: version > 1 ? version - 1 : nil, reason: reason,
        gate: VersionRecord.Gate(challengerLoss: challenger, championLoss: champion, rows: 1000),
        rejection: passes ? nil : "its loss is higher"))
    history.note(RunEvent(passes ? .swap : .rejected, atRow: rows, version: version))
    if passes { servedWeights = weights }
  }

  private static func distance(_ left: [Double], _ right: [Double]) -> Double {
    var (i, j, largest) = (0, 0, 0.0)
    while i < left.count && j < right.count {
      if left[i] <= right[j] { i += 1 } else { j += 1 }
      largest = max(
        largest, abs(Double(i) / Double(left.count) - Double(j) / Double(right.count)))
    }
    return largest
  }

  // MARK: - Summaries

  /// The report of the run so far.
  var report: RunReport {
    var report = RunReport(
      model: "elec", task: .binary, label: "class", learner: "filter", history: history,
      reproduction: Reproduction(
        command: [
          "millrace", "run", "datasets/elec.csv", "--label", "class", "--model", "elec",
          "--until-end", "--report", "my report.html",
        ],
        settings: "{\n  \"batchSize\" : 32,\n  \"learner\" : \"filter\"\n}", seed: 1,
        softwareVersion: "0.1.0", source: "datasets/elec.csv",
        extents: [Reproduction.Extent(partition: 0, start: 0, end: 3_027_514)],
        modelDigest: String(repeating: "9f86d081", count: 8)))
    report.metrics = [
      MetricComparison(
        "log-loss", lowerIsBetter: true, learner: history.learnerLoss.mean,
        served: history.servedLoss.mean, baseRate: history.baseRateLoss.mean,
        noChange: history.noChangeLoss.mean),
      MetricComparison(
        "accuracy", lowerIsBetter: false, learner: accuracy, served: accuracy - 0.01,
        baseRate: 0.575, noChange: 0.664),
      MetricComparison("AUC", lowerIsBetter: false, learner: area, baseRate: 0.5),
    ]
    report.calibrationRatio =
      scores.reduce(0) { $0 + $1.prediction } / scores.reduce(0) { $0 + $1.label }
    report.drift = drift
    report.quality = quality
    report.coefficients = zip(Self.names + ["intercept"], weights).map {
      Coefficient(name: $0, standardized: $1, perUnit: $1 * 12.3456)
    }
    report.missing = [
      MissingCount(name: "price", count: 412), MissingCount(name: "demand", count: 0),
    ]
    return report
  }

  private var accuracy: Double {
    let right = scores.count { ($0.prediction > 0.5) == ($0.label > 0.5) }
    return Double(right) / Double(scores.count)
  }

  private var area: Double {
    let points = operatingPoints
    return zip(points, points.dropFirst()).reduce(0) { sum, pair in
      sum + (pair.1.falsePositiveRate - pair.0.falsePositiveRate)
        * (pair.1.truePositiveRate + pair.0.truePositiveRate) / 2
    }
  }

  private var operatingPoints: [QualitySummary.OperatingPoint] {
    let positives = Double(scores.count { $0.label > 0 })
    let negatives = Double(scores.count) - positives
    return stride(from: 100, through: 0, by: -1).map { step in
      let called = scores.filter { $0.prediction >= Double(step) / 100 }
      let hits = Double(called.count { $0.label > 0 })
      return QualitySummary.OperatingPoint(
        falsePositiveRate: (Double(called.count) - hits) / negatives,
        truePositiveRate: hits / positives)
    }
  }

  private var quality: QualitySummary {
    var quality = QualitySummary()
    quality.classes = ["DOWN", "UP"]
    quality.confusion = [0.0, 1.0].map { label in
      let rows = scores.filter { $0.label == label }
      let up = Double(rows.count { $0.prediction > 0.5 })
      return [Double(rows.count) - up, up]
    }
    quality.operatingPoints = operatingPoints
    quality.areaUnderCurve = area
    quality.bins = (0..<10).compactMap { bin in
      let rows = scores.filter { Int($0.prediction * 10) == bin }
      guard !rows.isEmpty else { return nil }
      let count = Double(rows.count)
      return QualitySummary.Bin(
        meanPrediction: rows.reduce(0) { $0 + $1.prediction } / count,
        meanOutcome: rows.reduce(0) { $0 + $1.label } / count, count: count)
    }
    return quality
  }

  private var drift: [FeatureDrift] {
    Self.names.indices.map { index in
      let (before, now) = (reference[index].sorted(), recent[index].sorted())
      var feature = FeatureDrift(name: Self.names[index])
      feature.index = index
      feature.statistic = Self.distance(before, now)
      feature.pValue = (feature.statistic ?? 0) > 0.05 ? 1.3e-40 : 0.42
      feature.stabilityIndex = (feature.statistic ?? 0) * 1.5
      feature.missingCurrent = index == 0 ? 0.012 : 0
      feature.drifted = (feature.statistic ?? 0) > 0.2
      feature.weight = weights[index]
      feature.shift =
        now.reduce(0, +) / Double(now.count) - before.reduce(0, +) / Double(before.count)
      let edges = (0...20).map { -4 + Double($0) * 0.4 }
      let shares = { (values: [Double]) in
        (0..<20).map { bin in
          Double(values.count { $0 >= edges[bin] && $0 < edges[bin + 1] }) / Double(values.count)
        }
      }
      feature.histogram = HistogramPair(
        edges: edges, reference: shares(before), current: shares(now))
      let values = (0..<60).map { before[$0 * (before.count - 1) / 59] }
      let below = { (sample: [Double]) in
        values.map { value in Double(sample.count { $0 <= value }) / Double(sample.count) }
      }
      let (left, right) = (below(before), below(now))
      let gap = values.indices.max { abs(left[$0] - right[$0]) < abs(left[$1] - right[$1]) }
      feature.distributions = DistributionPair(
        values: values, reference: left, current: right, gapIndex: gap)
      return feature
    }
  }
}
