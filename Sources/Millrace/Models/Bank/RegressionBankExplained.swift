internal import CMillraceKernels

extension RegressionBank {
  /// Every expert with its weight in the mixtures: filters, gradient descents, running means,
  /// filters that see the last targets, and the wide group with its ferns where there is one.
  public func experts(horizon: LabelHorizon) -> [Expert] {
    let names =
      (0..<16).map(filterName)
      + (0..<MILLRACE_REGRESSION_CHEAP).map {
        rates.rateName(lanes: MILLRACE_REGRESSION_CHEAP, lane: $0)
      }
      + (0..<8).map { "lagged " + lagged.filterName(lanes: 8, lane: $0) }
      + (basis == nil
        ? []
        : (0..<wideLanes.lanes).map {
          "wide " + wide.filterName(lanes: wideLanes.lanes, lane: $0)
        })
      + (basis?.ferns == nil ? [] : BankFerns.expertNames)
    return zip(names, expertWeights(horizon)).map { Expert(name: $0, weight: $1) }
  }

  /// The weighted mean of the experts' coefficients, in the target's units; those of its lags are
  /// left out.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    var result = [Double](repeating: 0, count: columns)
    for (expert, weight) in expertWeights(horizon).enumerated() where weight > 0 {
      for (column, coefficient) in coefficients(expert: expert).enumerated() {
        result[column] += weight * coefficient
      }
    }
    let unit = target[MILLRACE_TARGET_UNIT]
    result = result.map { $0 * unit }
    result[columns - 1] += target[MILLRACE_TARGET_ORIGIN]
    return [result]
  }

  /// The coefficients of the wide group's functions, in the target's units.
  public func basisTerms(horizon: LabelHorizon) -> [BasisTerm] {
    guard let basis else { return [] }
    var result = [Double](repeating: 0, count: wideLanes.inputs)
    for (expert, weight) in expertWeights(horizon).dropFirst(32).enumerated() {
      let lane = BankFerns.filter(ofExpert: expert, filters: wideLanes.lanes)
      guard let lane else { continue }
      for (input, mean) in wideLanes.mean(wide, lane: lane).enumerated() {
        result[input] += weight * mean * target[MILLRACE_TARGET_UNIT]
      }
    }
    return zip(basis.functions(columns: columns), result.dropFirst(columns - 1)).map {
      BasisTerm(function: $0, coefficient: $1)
    }
  }

  private func filterName(_ lane: Int) -> String {
    guard newton != nil else { return filters.filterName(lanes: 16, lane: lane) }
    let memory = 1 / filters.base[MILLRACE_FILTERS_DRIFT * 16 + lane]
    let isRobust = filters.base[MILLRACE_FILTERS_NOISE * 16 + lane] > 0
    return Expert.newtonName(memory: memory) + (isRobust ? ", robust" : "")
  }

  private func expertWeights(_ horizon: LabelHorizon) -> [Double] {
    let count =
      32 + (basis == nil ? 0 : wideLanes.lanes)
      + (basis?.ferns == nil ? 0 : BankFerns.expertNames.count)
    return switch horizon {
    case .immediate: head.mixtureWeights(row: 0, narrowRows: 2, expertCount: count)
    case .never:
      horizons.meanMixtureWeights(
        rows: MILLRACE_REGRESSION_HORIZON_ROWS, narrowRows: 2, expertCount: count)
    }
  }

  /// An expert's coefficients over its standardised inputs, the constant last.
  private func coefficients(expert: Int) -> [Double] {
    func inColumns(_ all: [Double]) -> [Double] { all[..<(columns - 1)] + all.suffix(1) }
    switch expert {
    case ..<16: return filterLanes.mean(filters, lane: expert)
    case ..<(16 + MILLRACE_REGRESSION_CHEAP):
      func value(_ row: Int) -> Double {
        Double(rates.base[row * MILLRACE_REGRESSION_CHEAP + expert - 16])
      }
      guard value(MILLRACE_RATES_MEMORY) < 1 else {
        return (0..<columns).map { value(MILLRACE_RATES_WEIGHTS + $0) }
      }
      return Array(repeating: 0, count: columns - 1) + [value(MILLRACE_RATES_AVERAGE)]
    case ..<32:
      let all = laggedLanes.mean(lagged, lane: expert - 16 - MILLRACE_REGRESSION_CHEAP)
      return newton == nil ? inColumns(all) : coefficients(ofMeans: all)
    default:
      return BankFerns.filter(ofExpert: expert - 32, filters: wideLanes.lanes).map {
        inColumns(wideLanes.mean(wide, lane: $0))
      } ?? []
    }
  }

  /// Of a filter that sees what others say, as distances from the targets' mean in deviations.
  private func coefficients(ofMeans weights: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: columns)
    let variance = target[MILLRACE_TARGET_SQUARES] / target[MILLRACE_TARGET_WEIGHT]
    for (index, weight) in weights.prefix(MILLRACE_REGRESSION_MEANS).enumerated()
    where variance > 0 {
      let perUnit = weight / variance.squareRoot()
      for (column, coefficient) in filterLanes.mean(filters, lane: 4 * index).enumerated() {
        result[column] += perUnit * coefficient
      }
      result[columns - 1] -= perUnit * target[MILLRACE_TARGET_MEAN]
    }
    result[columns - 1] += weights.last ?? 0
    return result
  }
}
