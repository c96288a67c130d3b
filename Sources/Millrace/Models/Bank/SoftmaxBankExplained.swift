internal import CMillraceKernels

extension SoftmaxBank {
  /// Every expert with its weight in the mixtures: filters, gradient descents, the wide group with
  /// its ferns where there are such and classes are not too many for them, frequencies, and tables
  /// of what follows what.
  public func experts(horizon: LabelHorizon) -> [Expert] {
    let rates = head.base + MILLRACE_SOFTMAX_RATES * 16
    let memories = head.base + MILLRACE_SOFTMAX_MEMORIES * 16
    let wideNames = (0..<wideLanes.lanes).map { lane in
      basis == nil ? nil : "wide " + wide.filterName(lanes: wideLanes.lanes, lane: lane)
    }
    let names: [String?] =
      (0..<filterLanes.lanes).map { filters.filterName(lanes: filterLanes.lanes, lane: $0) }
      + (0..<descentWeights.lanes).map { "gradient descent, rate \(rates[$0])" } + wideNames
      + [fernWeights.count > 0 ? BankFerns.nameAboveFilter : nil]
      + (1...2).map { "frequencies, memory \(memories[$0])" }
      + ["what follows the last class, memory \(memories[3])"]
    return zip(names, expertWeights(horizon)).compactMap { name, weight in
      name.map { Expert(name: $0, weight: weight) }
    }
  }

  /// The weighted mean of the experts' coefficients, per class; what the tables say of a class
  /// counts to its constant.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let unseen = [Double](repeating: 0, count: columns)
    var result = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (output, index) in classes.indices.enumerated() {
      let wide = meanWeights(wideMeans, firstExpert: 16, output: output, horizon)
      result[index] = zip(
        meanWeights(filterMeans, firstExpert: 0, output: output, horizon),
        meanWeights(descentWeights, firstExpert: 8, output: output, horizon)
      ).map { $0 + $1 }
      for column in 0..<(wide.isEmpty ? 0 : columns - 1) { result[index][column] += wide[column] }
      result[index][columns - 1] += wide.last ?? 0
    }
    return result
  }

  /// The wide group's functions, each with the deviation of its coefficient over the classes.
  public func basisTerms(horizon: LabelHorizon) -> [BasisTerm] {
    guard let basis else { return [] }
    let outputs = (0..<outputCount).map {
      meanWeights(wideMeans, firstExpert: 16, output: $0, horizon)
    }
    let functions = basis.functions(columns: columns)
    return functions.indices.map { index in
      BasisTerm(
        function: functions[index],
        coefficient: BasisTerm.coefficient(of: outputs.map { $0[columns - 1 + index] }))
    }
  }

  /// The weights that a group of experts has for one output, by the experts' own weights.
  private func meanWeights(
    _ group: Weights, firstExpert: Int, output: Int, _ horizon: LabelHorizon
  ) -> [Double] {
    var shares = Array(expertWeights(horizon)[firstExpert...].prefix(group.lanes))
    // Ferns stand on a filter of the wide group.
    if firstExpert == 16, fernWeights.count > 0 {
      shares[Int(MILLRACE_FERN_FILTER)] += expertWeights(horizon)[16 + group.lanes]
    }
    var result = [Double](repeating: 0, count: group.inputs)
    for (lane, share) in shares.enumerated() {
      let own = weights(group, of: outputs, output: output, lane: lane)
      for input in own.indices { result[input] += share * own[input] }
    }
    return result
  }

  /// Each expert's weight over all mixtures and, frozen, over all horizons.
  private func expertWeights(_ horizon: LabelHorizon) -> [Double] {
    switch horizon {
    case .immediate:
      head.mixtureWeights(row: MILLRACE_SOFTMAX_MIXTURES, narrowRows: 1, expertCount: 24)
    case .never:
      head.meanMixtureWeights(
        row: MILLRACE_SOFTMAX_HORIZON_MIXTURES, rows: millrace_mixtures_rows(1), narrowRows: 1,
        expertCount: 24)
    }
  }
}
