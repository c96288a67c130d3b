internal import CMillraceKernels

extension RegressionBank {
  /// Multiplies the filters' Gaussians lane by lane, each read in the merged scaler's columns and in
  /// the first part's unit of the target; everything else is averaged by the rows that a part saw.
  ///
  /// Lags of the target are those of the part that saw most: partitions have no common order.
  public static func merging(
    _ parts: [(learner: RegressionBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> RegressionBank {
    guard !parts.isEmpty else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    // Targets that did not vary have taught nothing yet.
    let known = parts.filter { $0.learner.target[MILLRACE_TARGET_UNIT] > 0 }
    guard let first = known.max(by: { $0.learner.rowCount < $1.learner.rowCount }) else {
      return parts[0].learner
    }
    var merged = first.learner
    if known.count == 1, first.scaler == scaler { return merged }
    let banks = known.map { $0.learner.expressed(inTargetOf: first.learner) }
    let changes = known.map { ColumnChange(from: $0.scaler, to: scaler) }
    let total = banks.reduce(0) { $0 + $1.rowCount }
    let shares = rowShares(banks.map(\.rowCount))

    merged.rowCount = total
    merged.rates = .average(
      zip(banks, changes).map {
        $0.rates.rates(lanes: MILLRACE_REGRESSION_CHEAP, over: $1, columns: merged.columns)
      },
      shares: shares)
    if banks[0].newton == nil {
      try merged.filterLanes.merge(
        banks.map(\.filters), changes: changes, into: &merged.filters)
      let laggedChanges = changes.map { $0.inserting(columns: MILLRACE_REGRESSION_LAGS) }
      try merged.laggedLanes.merge(
        banks.map(\.lagged), changes: laggedChanges, into: &merged.lagged)
      // Functions of a column are not those of a shifted one: right as far as the partitions are
      // samples of one stream, like the binary bank's.
      try merged.wideLanes.merge(banks.map(\.wide), changes: nil, into: &merged.wide)
      BankFerns.merge(banks.map(\.ferns), into: &merged.ferns)
    } else {
      try merged.mergeModels(banks, scalers: known.map(\.scaler), scaler: scaler)
      try merged.laggedLanes.merge(banks.map(\.lagged), changes: nil, into: &merged.lagged)
    }
    merged.horizons = .average(banks.map(\.horizons), shares: shares)
    merged.head = .average(banks.map(\.head), shares: shares)
    return merged
  }

  /// Takes the partitions' models without covariances, weighed by their curvatures.
  private mutating func mergeModels(
    _ banks: [RegressionBank], scalers: [StandardScaler], scaler: StandardScaler
  ) throws(MillraceError) {
    var blocks = NewtonBlocks(columns: columns, recordCount: rowCount)
    var parts: [(curvature: SharedCurvature, models: [[Double]], scaler: StandardScaler)] = []
    for (bank, own) in zip(banks, scalers) {
      guard let newton = bank.newton else { continue }
      let change = ColumnChange(from: own, to: scaler)
      let models = (0..<16).map { change.weights(filterLanes.mean(bank.filters, lane: $0)) }
      parts.append((newton.curvature, models, own))
    }
    let models = try blocks.curvature.merge(parts, scaler: scaler)
    let base = filters.mutableBase() + MILLRACE_FILTERS_MEAN * 16
    for (lane, weights) in models.enumerated() {
      for (row, weight) in weights.enumerated() {
        base[row * 16 + lane] = Float(weight)
        // No gradient is left of the unfinished blocks.
        base[(columns + row) * 16 + lane] = 0
      }
    }
    newton = blocks
  }

  /// The experts with their weights in another bank's unit of the target, from its origin.
  private func expressed(inTargetOf other: RegressionBank) -> RegressionBank {
    let unit = other.target[MILLRACE_TARGET_UNIT]
    let factor = Float(target[MILLRACE_TARGET_UNIT] / unit)
    let shift = Float(
      (target[MILLRACE_TARGET_ORIGIN] - other.target[MILLRACE_TARGET_ORIGIN]) / unit)
    if factor == 1, shift == 0 { return self }
    var result = self
    for (lanes, group) in [
      (filterLanes, \RegressionBank.filters), (laggedLanes, \.lagged), (wideLanes, \.wide),
    ] where lanes.inputs > 0 {
      let base = result[keyPath: group].mutableBase() + MILLRACE_FILTERS_MEAN * lanes.lanes
      for index in 0..<lanes.inputs * lanes.lanes { base[index] *= factor }
      let constants = base + (lanes.inputs - 1) * lanes.lanes
      for lane in 0..<lanes.lanes { constants[lane] += shift }
    }
    BankFerns.express(&result.ferns, factor: factor, shift: shift)
    let cheap = result.rates.mutableBase()
    let lanes = MILLRACE_REGRESSION_CHEAP
    let weights = cheap + MILLRACE_RATES_WEIGHTS * lanes
    for index in 0..<columns * lanes { weights[index] *= factor }
    for lane in 0..<lanes {
      weights[(columns - 1) * lanes + lane] += shift
      cheap[MILLRACE_RATES_AVERAGE * lanes + lane] =
        cheap[MILLRACE_RATES_AVERAGE * lanes + lane] * factor + shift
    }
    result.scaleErrors(by: factor * factor)
    return result
  }

  /// Multiplies the squared errors of the intervals, which are all that a merge keeps.
  private mutating func scaleErrors(by factor: Float) {
    head.mutableBase()[MILLRACE_REGRESSION_HEAD_STATE * 16] *= factor
    let base = horizons.mutableBase()
    for horizon in 0..<MILLRACE_BANK_HORIZONS {
      let row = horizon * MILLRACE_REGRESSION_HORIZON_ROWS + MILLRACE_REGRESSION_HORIZON_STATE
      base[row * 16] *= factor
    }
  }
}
