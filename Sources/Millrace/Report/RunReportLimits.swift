/// What keeps a page small, however wide the data, however long the run and its names.
struct ReportLimits {
  /// The most bytes of a page.
  static let pageSize = 300_000

  /// Features in the drift section, and weights.
  var features = 40
  /// Features whose distribution functions are drawn.
  var distributions = 6
  /// Values of a distribution function, and bins of predictions.
  var steps = 60
  /// Bins of a histogram.
  var bins = 24
  /// Points of a curve.
  var points = 100
  /// Classes in the confusion.
  var classes = 12
  /// Experts whose share is drawn.
  var experts = 16
  /// Events, and versions, at either end of the run.
  var events = (ends: 80, versions: 40)
  /// Reasons, partitions, and words of the command.
  var lines = 50
  /// Characters of a name.
  var name = 48
  /// Characters of a text.
  var text = 120
  /// Characters of the settings.
  var settings = 8_000
  /// Significant digits of what only a drawing shows.
  static let digits = 4

  /// Half of everything.
  private mutating func halve() {
    features = max(2, features / 2)
    distributions /= 2
    steps = max(4, steps / 2)
    bins = max(4, bins / 2)
    points = max(4, points / 2)
    classes = max(2, classes / 2)
    experts = max(2, experts / 2)
    events = (max(1, events.ends / 2), max(1, events.versions / 2))
    lines = max(1, lines / 2)
    name = max(8, name / 2)
    text = max(8, text / 2)
    settings = max(8, settings / 2)
  }

  /// The page made with the widest limits that keep it below `pageSize`. Hardly ever is it not the
  /// first: only names that are long and full of what must be escaped need more.
  static func fitting(_ page: (ReportLimits) -> String) -> String {
    var limits = ReportLimits()
    var html = page(limits)
    while html.utf8.count > pageSize && limits.settings > 8 {
      limits.halve()
      html = page(limits)
    }
    return html
  }
}

extension RunReport {
  /// The report as its page shows it: the most telling features, shortened names, rounded series.
  func bounded(by limits: ReportLimits) -> RunReport {
    var report = self
    report.model = model.shortened(to: limits.name)
    report.label = label.shortened(to: limits.name)
    report.boundDrift(by: limits)
    report.history.bound(by: limits)
    report.quality = quality.bounded(by: limits)
    report.coefficients = coefficients.bounded(by: limits)
    report.basis = basis.bounded(by: limits)
    report.missing = missing.leading(limits.features) { Double($0.count) }
    for index in report.missing.indices {
      report.missing[index].name.shorten(to: limits.name)
    }
    report.reproduction = reproduction.bounded(by: limits)
    return report
  }

  /// Keeps the features that matter most, here and in the grid.
  private mutating func boundDrift(by limits: ReportLimits) {
    for index in drift.indices where drift[index].firstAlarmRow == nil {
      drift[index].firstAlarmRow = history.firstAlarmRows[drift[index].name]
    }
    drift = FeatureDrift.bounded(drift, by: limits)
    let kept = drift.compactMap(\.index)
    history.driftStatistics.keep(kept)
    for index in drift.indices {
      drift[index].index = drift[index].index.flatMap { kept.firstIndex(of: $0) }
    }
    history.firstAlarmRows = history.firstAlarmRows.filter { $0.key == DriftAlarm.error }
  }
}

extension RunHistory {
  fileprivate mutating func bound(by limits: ReportLimits) {
    learnerLoss.round()
    servedLoss.round()
    baseRateLoss.round()
    noChangeLoss.round()
    if let grid = expertWeights {
      let totals = grid.values.indices.map { index in
        (index, grid.series(index).reduce(0) { $0 + ($1 ?? 0) })
      }
      let kept = totals.leading(limits.experts) { $0.1 }.map(\.0)
      expertWeights?.keep(kept)
      expertNames = kept.map { expertNames[$0].shortened(to: limits.name) }
    }
    events.bound(limits.events.ends) { event in
      event.feature?.shorten(to: limits.name)
      event.detail.shorten(to: limits.text)
    }
    versions.bound(limits.events.versions) { version in
      version.reason.shorten(to: limits.text)
      version.rejection?.shorten(to: limits.text)
    }
    deadLetters.bound(by: limits)
  }
}

extension ReasonCounts {
  fileprivate mutating func bound(by limits: ReportLimits) {
    let kept = Array(counts.indices).leading(limits.lines) { Double(counts[$0]) }
    others = total - kept.reduce(0) { $0 + counts[$1] }
    (reasons, counts) = (
      kept.map { reasons[$0].shortened(to: limits.text) }, kept.map { counts[$0] }
    )
  }
}

extension DecimatedSeries {
  fileprivate mutating func round() {
    sums = sums.map { $0.rounded(toDigits: ReportLimits.digits) }
  }
}

extension DecimatedGrid {
  /// Keeps these numbers in this order, rounded.
  fileprivate mutating func keep(_ numbers: [Int]) {
    values = numbers.map { number in
      guard values.indices.contains(number) else { return [] }
      return values[number].map { value in
        value.map { Float(Double($0).rounded(toDigits: 3)) }
      }
    }
  }
}

extension BoundedList {
  /// Keeps fewer at either end, and changes each.
  fileprivate mutating func bound(_ limit: Int, _ change: (inout Element) -> Void) {
    first = Array(first.prefix(limit))
    newest = Array(newest.suffix(limit))
    for index in first.indices { change(&first[index]) }
    for index in newest.indices { change(&newest[index]) }
  }
}

extension FeatureDrift {
  /// The features that matter most to the model, with the distribution functions of the first.
  static func bounded(_ features: [FeatureDrift], by limits: ReportLimits) -> [FeatureDrift] {
    var kept = features.leading(limits.features, by: \.impact)
    for index in kept.indices {
      kept[index].name.shorten(to: limits.name)
      kept[index].histogram = kept[index].histogram?.bounded(by: limits)
      kept[index].distributions =
        index < limits.distributions ? kept[index].distributions?.bounded(by: limits) : nil
    }
    return kept
  }

  /// |weight| × shift: how much its movement matters to the model. Without a weight, the shift.
  var impact: Double { abs(weight ?? 1) * abs(shift ?? statistic ?? 0) }
}

extension HistogramPair {
  /// Neighbouring bins added until there are few.
  fileprivate func bounded(by limits: ReportLimits) -> HistogramPair? {
    guard edges.count == reference.count + 1, edges.count == current.count + 1 else { return nil }
    var pair = self
    while pair.reference.count > limits.bins {
      pair.edges = pair.edges.enumerated().filter { index, _ in
        index % 2 == 0 || index == pair.edges.count - 1
      }.map(\.element)
      pair.reference = pair.reference.addedPairwise()
      pair.current = pair.current.addedPairwise()
    }
    pair.reference = pair.reference.rounded()
    pair.current = pair.current.rounded()
    return pair
  }
}

extension DistributionPair {
  /// Some of the values, the one with the gap among them.
  fileprivate func bounded(by limits: ReportLimits) -> DistributionPair? {
    guard values.count == reference.count, values.count == current.count else { return nil }
    let gap = gapIndex.flatMap { values.indices.contains($0) ? $0 : nil }
    let kept = Set(Array(values.indices).thinned(to: limits.steps) + (gap.map { [$0] } ?? []))
      .sorted()
    return DistributionPair(
      values: kept.map { values[$0] }, reference: kept.map { reference[$0] }.rounded(),
      current: kept.map { current[$0] }.rounded(), gapIndex: gap.flatMap { kept.firstIndex(of: $0) }
    )
  }
}

extension QualitySummary {
  fileprivate func bounded(by limits: ReportLimits) -> QualitySummary {
    var quality = self
    // What is not finite has no place in a drawing.
    quality.operatingPoints = operatingPoints.filter {
      $0.falsePositiveRate.isFinite && $0.truePositiveRate.isFinite
    }.thinned(to: limits.points)
    quality.bins = bins.filter {
      $0.meanPrediction.isFinite && $0.meanOutcome.isFinite && $0.count.isFinite
    }.thinned(to: limits.steps)
    quality.residualQuantiles = residualQuantiles.filter { $0.value.isFinite }
      .thinned(to: limits.steps)
    quality.boundClasses(by: limits)
    return quality
  }

  /// Keeps the classes with the most rows and adds up the others.
  private mutating func boundClasses(by limits: ReportLimits) {
    guard confusion.count == classes.count, confusion.allSatisfy({ $0.count == classes.count })
    else {
      (classes, confusion) = ([], [])
      return
    }
    if classes.count > limits.classes {
      let kept = Array(classes.indices).leading(limits.classes - 1) {
        confusion[$0].reduce(0, +)
      }
      let groups = kept.map { [$0] } + [Array(Set(classes.indices).subtracting(kept)).sorted()]
      let counts = confusion
      confusion = groups.map { rows in
        groups.map { columns in
          rows.map { row in columns.map { counts[row][$0] }.reduce(0, +) }.reduce(0, +)
        }
      }
      classes = kept.map { classes[$0] } + ["\(groups[kept.count].count) others"]
    }
    classes = classes.map { $0.shortened(to: limits.name) }
  }
}

extension Reproduction {
  fileprivate func bounded(by limits: ReportLimits) -> Reproduction {
    var reproduction = self
    reproduction.command = command.prefix(limits.lines).map {
      $0.shortened(to: limits.text)
    }
    reproduction.settings.shorten(to: limits.settings)
    reproduction.source.shorten(to: limits.text)
    reproduction.extents = Array(extents.prefix(limits.lines))
    return reproduction
  }
}

extension Array {
  /// The elements with the largest keys, largest first; of equal ones the earlier first. A key that
  /// is NaN is the smallest.
  fileprivate func leading(_ count: Int, by key: (Element) -> Double) -> [Element] {
    let keys = map { element in
      let value = key(element)
      return value.isNaN ? -Double.infinity : value
    }
    return indices.sorted { (keys[$1], $0) < (keys[$0], $1) }.prefix(count).map { self[$0] }
  }

  /// At most `count` ≥ 2 elements, evenly apart, the first and the last among them.
  fileprivate func thinned(to count: Int) -> [Element] {
    guard self.count > count else { return self }
    return (0..<count).map { self[$0 * (self.count - 1) / (count - 1)] }
  }
}

extension [Double] {
  fileprivate func addedPairwise() -> [Double] {
    stride(from: 0, to: count, by: 2).map { self[$0] + ($0 + 1 < count ? self[$0 + 1] : 0) }
  }

  fileprivate func rounded() -> [Double] {
    map { $0.rounded(toDigits: ReportLimits.digits) }
  }
}

extension String {
  fileprivate mutating func shorten(to length: Int) { self = shortened(to: length) }
}

extension [Coefficient] {
  /// The largest effects.
  fileprivate func bounded(by limits: ReportLimits) -> [Coefficient] {
    leading(limits.features) { abs($0.standardized) }.map { coefficient in
      var coefficient = coefficient
      coefficient.name.shorten(to: limits.name)
      coefficient.output?.shorten(to: limits.name)
      return coefficient
    }
  }
}
