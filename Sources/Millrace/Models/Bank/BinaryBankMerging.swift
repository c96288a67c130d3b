internal import CMillraceKernels

extension BinaryBank {
  /// Multiplies the filters' Gaussians lane by lane, each read in the merged scaler's columns;
  /// tables count what all parts saw follow each label, and everything else is averaged by the rows
  /// that a part saw.
  ///
  /// The wide group's functions of a column are not those of a shifted column: its Gaussians are
  /// multiplied as they are, which is right as far as the partitions are samples of one stream.
  public static func merging(
    _ parts: [(learner: BinaryBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> BinaryBank {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1, parts[0].scaler == scaler { return merged }
    let banks = parts.map(\.learner)
    let changes = parts.map { ColumnChange(from: $0.scaler, to: scaler) }
    let total = banks.reduce(0) { $0 + $1.rowCount }
    let shares = rowShares(banks.map(\.rowCount))

    merged.rowCount = total
    merged.rates = .average(
      zip(banks, changes).map {
        $0.rates.rates(
          lanes: MILLRACE_BANK_RATES, over: $1, columns: merged.columns)
      }, shares: shares)
    merged.mergeTables(banks)
    try merged.filterLanes.merge(banks.map(\.filters), changes: changes, into: &merged.filters)
    try merged.wideLanes.merge(banks.map(\.wide), changes: nil, into: &merged.wide)
    BankFerns.merge(banks.map(\.ferns), into: &merged.ferns)
    merged.horizons = .average(banks.map(\.horizons), shares: shares)
    merged.head = .average(banks.map(\.head), shares: shares)
    try merged.lastFilters.merge(banks.map(\.head), changes: nil, into: &merged.head)
    return merged
  }
}

extension BinaryBank {
  /// Tables of what followed each label in any of the parts. The last label is that of the part that
  /// saw most.
  private mutating func mergeTables(_ parts: [BinaryBank]) {
    let longest = parts.indices.max { parts[$0].rowCount < parts[$1].rowCount } ?? 0
    let lanes = MILLRACE_BANK_RATES
    let base = rates.mutableBase()
    for lane in MILLRACE_BANK_TABLE..<MILLRACE_BANK_TABLE + MILLRACE_BANK_TABLES {
      let last = parts[longest].rates.base[MILLRACE_RATES_LAST * lanes + lane]
      base[MILLRACE_RATES_LAST * lanes + lane] = last
      for isLast in [true, false] {
        var (count, sum) = (0.0, 0.0)
        for part in parts {
          let own = part.rates.base + lane
          let isAverage = (own[MILLRACE_RATES_LAST * lanes] == last) == isLast
          let records = Double(
            own[(isAverage ? MILLRACE_RATES_COUNT : MILLRACE_RATES_OTHER_COUNT) * lanes])
          count += records
          sum +=
            records
            * Double(own[(isAverage ? MILLRACE_RATES_AVERAGE : MILLRACE_RATES_OTHER) * lanes])
        }
        let (mean, records) =
          isLast
          ? (MILLRACE_RATES_AVERAGE, MILLRACE_RATES_COUNT)
          : (MILLRACE_RATES_OTHER, MILLRACE_RATES_OTHER_COUNT)
        base[mean * lanes + lane] = Float(sum / count)
        base[records * lanes + lane] = Float(count)
      }
    }
  }
}

/// What share of all rows each part saw; alike where there were none.
func rowShares(_ rowCounts: [Int]) -> [Double] {
  let total = rowCounts.reduce(0, +)
  return rowCounts.map { total > 0 ? Double($0) / Double(total) : 1 / Double(rowCounts.count) }
}

extension LaneBuffer {
  /// The cheap experts with their weights read over other columns.
  func rates(lanes: Int, over change: ColumnChange, columns: Int) -> LaneBuffer {
    var result = self
    let base = result.mutableBase() + MILLRACE_RATES_WEIGHTS * lanes
    for lane in 0..<lanes {
      let weights = change.weights((0..<columns).map { Double(base[$0 * lanes + lane]) })
      for column in 0..<columns { base[column * lanes + lane] = Float(weights[column]) }
    }
    return result
  }

  /// Σ shareᵢ·bufferᵢ of buffers of one size, summed in double precision: what is the same in all
  /// of them stays as it is.
  static func average(_ buffers: [LaneBuffer], shares: [Double]) -> LaneBuffer {
    var result = LaneBuffer(count: buffers[0].count)
    let base = result.mutableBase()
    for index in 0..<result.count {
      var sum = 0.0
      for (buffer, share) in zip(buffers, shares) { sum += share * Double(buffer.base[index]) }
      base[index] = Float(sum)
    }
    return result
  }
}

extension FilterLanes {
  /// Puts the product of the parts' Gaussians into each lane.
  func merge(
    _ parts: [LaneBuffer], changes: [ColumnChange]?, into buffer: inout LaneBuffer
  ) throws(MillraceError) {
    for lane in 0..<(inputs > 0 ? lanes : 0) {
      var product = GaussianProduct(dimension: inputs)
      for (index, part) in parts.enumerated() {
        var (mean, covariance) = (mean(part, lane: lane), covariance(part, lane: lane))
        if let change = changes?[index] {
          (mean, covariance) = (change.weights(mean), change.covariance(covariance))
        }
        try product.multiply(means: [mean], covariance: covariance)
      }
      let (means, covariance) = try product.result()
      set(&buffer, lane: lane, mean: means[0], covariance: covariance)
    }
  }
}
