internal import CMillraceKernels
internal import Glibc

extension BinaryBank {
  /// Every expert with its weight in the mixtures: filters, gradient descents, tables of what
  /// follows each label, running means, and the wide group with its ferns where there is one.
  public func experts(horizon: LabelHorizon) -> [Expert] {
    let names =
      (0..<filterLanes.lanes).map { filters.filterName(lanes: filterLanes.lanes, lane: $0) }
      + (0..<MILLRACE_BANK_RATES).map { lane in
        tableLanes.contains(lane)
          ? "what follows the last class, memory \(cheap(MILLRACE_RATES_MEMORY, lane))"
          : rates.rateName(lanes: MILLRACE_BANK_RATES, lane: lane)
      }
      + (basis == nil
        ? []
        : (0..<wideLanes.lanes).map {
          "wide " + wide.filterName(lanes: wideLanes.lanes, lane: $0)
        }) + (basis?.ferns == nil ? [] : BankFerns.expertNames)
    return zip(names, expertWeights(horizon)).map { Expert(name: $0, weight: $1) }
  }

  /// The weighted mean of the experts' coefficients; what tables and running means say counts to
  /// the constant.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    var result = [Double](repeating: 0, count: columns)
    for (expert, weight) in expertWeights(horizon).enumerated() where weight > 0 {
      let own = coefficients(expert: expert)
      for (column, coefficient) in zip(0..<columns - 1, own) {
        result[column] += weight * coefficient
      }
      result[columns - 1] += weight * (own.last ?? 0)
    }
    return [result]
  }

  /// The coefficients of the wide group's functions, in the order of its inputs.
  public func basisTerms(horizon: LabelHorizon) -> [BasisTerm] {
    guard let basis else { return [] }
    var result = [Double](repeating: 0, count: wideLanes.inputs)
    for (expert, weight) in expertWeights(horizon).enumerated().dropFirst(firstWide)
    where weight > 0 {
      for (input, coefficient) in coefficients(expert: expert).enumerated() {
        result[input] += weight * coefficient
      }
    }
    return zip(basis.functions(columns: columns), result.dropFirst(columns - 1)).map {
      BasisTerm(function: $0, coefficient: $1)
    }
  }

  /// The wide group's place among the experts.
  private var firstWide: Int { MILLRACE_BANK_FILTERS + MILLRACE_BANK_RATES }

  /// Each expert's weight, lane by lane, over all mixtures and, frozen, over all horizons.
  private func expertWeights(_ horizon: LabelHorizon) -> [Double] {
    let count =
      firstWide + (basis == nil ? 0 : wideLanes.lanes)
      + (basis?.ferns == nil ? 0 : BankFerns.expertNames.count)
    switch horizon {
    case .immediate:
      return head.mixtureWeights(
        row: MILLRACE_HEAD_MIXTURES, narrowRows: 1, expertCount: count)
    case .never:
      return horizons.meanMixtureWeights(
        rows: MILLRACE_HORIZON_ROWS, narrowRows: 1, expertCount: count)
    }
  }

  /// The cheap experts that are tables.
  private var tableLanes: Range<Int> {
    MILLRACE_BANK_TABLE..<MILLRACE_BANK_TABLE + MILLRACE_BANK_TABLES
  }

  private func cheap(_ row: Int, _ lane: Int) -> Float {
    rates.base[row * MILLRACE_BANK_RATES + lane]
  }

  /// An expert's coefficients over its standardised inputs, the constant last.
  private func coefficients(expert: Int) -> [Double] {
    if expert < filterLanes.lanes { return filterLanes.mean(filters, lane: expert) }
    if expert >= firstWide {
      return BankFerns.filter(ofExpert: expert - firstWide, filters: wideLanes.lanes).map {
        wideLanes.mean(wide, lane: $0)
      } ?? []
    }
    let lane = expert - filterLanes.lanes
    guard cheap(MILLRACE_RATES_MEMORY, lane) < 1 else {
      return (0..<columns).map { Double(cheap(MILLRACE_RATES_WEIGHTS + $0, lane)) }
    }
    let mean = min(max(Double(cheap(MILLRACE_RATES_AVERAGE, lane)), 1e-4), 1 - 1e-4)
    return Array(repeating: 0, count: columns - 1) + [log(mean / (1 - mean))]
  }
}
