extension DriftMonitor {
  /// Every column as it was at its largest alarm, or as it is now: what a report shows.
  public func featureDrift() -> [FeatureDrift] {
    zip(columns, watches).enumerated().map { index, column in
      var drift = FeatureDrift(name: column.0)
      drift.index = index
      drift.drifted = firstAlarmRows[index] != nil
      if let window = column.1.worst ?? column.1.window { window.describe(in: &drift) }
      return drift
    }
  }
}

extension SlidingWindow {
  /// Fills in what the comparison shows.
  func describe(in drift: inout FeatureDrift) {
    let test = test
    drift.statistic = test.statistic
    drift.pValue = test.pValue
    drift.method = test.method.rawValue
    drift.stabilityIndex = reference.stabilityIndex(counter).value
    drift.missingReference = missingShares.reference
    drift.missingCurrent = missingShares.current
    drift.shift = reference.shift(counter)
    drift.histogram = reference.histogramPair(counter)
    drift.distributions = reference.distributionPair(counter)
  }
}

extension ReferenceSample {
  /// Values of a distribution function that are enough to draw it.
  private static let drawnValues = 60

  /// The distinct values that can be drawn.
  private var finite: ArraySlice<Float> {
    let start = distinct.first == -.infinity ? 1 : 0
    let end = distinct.last == .infinity ? distinct.count - 1 : distinct.count
    return distinct[min(start, end)..<end]
  }

  /// Both histograms as shares, over the bins that hold anything, with finite ends: an outer bin
  /// ends at the sample's extreme, or a bin's width beyond it where it holds only values that are
  /// not in the sample.
  func histogramPair(_ counter: SlotCounter) -> HistogramPair? {
    guard let low = finite.first.map(Double.init), let high = finite.last.map(Double.init) else {
      return nil
    }
    let width = high > low ? (high - low) / Double(binEnds.count) : max(1, abs(low))
    func value(_ index: Int) -> Double { min(max(Double(distinct[index]), low), high) }
    /// The upper end of a bin whose last slot is `slot`.
    func upperEnd(_ slot: Int) -> Double {
      if slot == 2 * distinct.count { return high + width }
      if slot % 2 == 1 { return value(slot / 2) }
      return slot == 0 ? low - width : (value(slot / 2 - 1) + value(slot / 2)) / 2
    }
    let (reference, current) = histograms(counter)
    let (n, m) = (Double(max(1, count)), Double(max(1, counter.count)))
    var pair = HistogramPair(edges: [], reference: [], current: [])
    for (bin, end) in binEnds.enumerated() where reference[bin] + current[bin] > 0 {
      let holdsLargest = end == 2 * distinct.count && bin > 0 && binEnds[bin - 1] < end - 1
      let upper = holdsLargest ? high : upperEnd(end)
      if pair.edges.isEmpty { pair.edges.append(upper > low ? low : upper - width) }
      pair.edges.append(upper)
      pair.reference.append(Double(reference[bin]) / n)
      pair.current.append(Double(current[bin]) / m)
    }
    return pair
  }

  /// Both distribution functions at some of the sample's values and where they are farthest apart.
  func distributionPair(_ counter: SlotCounter) -> DistributionPair? {
    guard !finite.isEmpty, counter.count > 0 else { return nil }
    let (n, m) = (Double(count), Double(counter.count))
    // Values below the start of each slot.
    var below = [0]
    for slot in 0..<missingSlot { below.append(below[slot] + Int(counter.counts[slot])) }
    /// The gap between the functions at (odd) or just below (even) a distinct value.
    func gap(_ slot: Int) -> Double {
      (cumulative[(slot + 1) / 2] / n - Double(below[slot + 1]) / m).magnitude
    }
    let farthest = (2 * finite.startIndex..<2 * finite.endIndex).max { gap($0) < gap($1) } ?? 0
    let step = max(1, (finite.count + Self.drawnValues - 3) / (Self.drawnValues - 2))
    let drawn = stride(from: finite.startIndex, to: finite.endIndex, by: step).map { 2 * $0 + 1 }
    let slots = Set(drawn + [2 * finite.endIndex - 1, farthest]).sorted()
    return DistributionPair(
      values: slots.map { Double($0 % 2 == 1 ? distinct[$0 / 2] : distinct[$0 / 2].nextDown) },
      reference: slots.map { cumulative[($0 + 1) / 2] / n },
      current: slots.map { Double(below[$0 + 1]) / m }, gapIndex: slots.firstIndex(of: farthest))
  }

  /// How far the mean has moved, in standard deviations of the sample; `nil` where that does not
  /// vary. A value in a gap counts as the gap's middle, one beyond the sample as its extreme.
  func shift(_ counter: SlotCounter) -> Double? {
    guard let low = finite.first, let high = finite.last, low < high, counter.count > 0 else {
      return nil
    }
    let origin = Double(low)
    var (n, sum, squares) = (0.0, 0.0, 0.0)
    for index in finite.indices {
      let (weight, value) = (cumulative[index + 1] - cumulative[index], Double(distinct[index]))
      n += weight
      sum += weight * (value - origin)
      squares += weight * (value - origin) * (value - origin)
    }
    let deviation = max(0, squares / n - sum / n * sum / n).squareRoot()
    var (m, moved) = (0.0, 0.0)
    for slot in 0..<missingSlot {
      let below = Double(min(max(distinct[max(0, (slot - 1) / 2)], low), high))
      let above = Double(min(max(distinct[min(distinct.count - 1, slot / 2)], low), high))
      m += Double(counter.counts[slot])
      moved += Double(counter.counts[slot]) * ((below + above) / 2 - origin)
    }
    return deviation > 0 ? (moved / m - sum / n) / deviation : nil
  }
}
