internal import CMillraceKernels

extension SoftmaxBank {
  /// Every expert with its weight in the mixtures: filters, gradient descents, frequencies, and
  /// tables of what follows what.
  public func experts(horizon: LabelHorizon) -> [Expert] {
    let rates = (head.base + MILLRACE_SOFTMAX_RATES * 16)
    let memories = (head.base + MILLRACE_SOFTMAX_MEMORIES * 16)
    let names =
      (0..<16).map { filters.filterName(lanes: 16, lane: $0) }
      + (0..<16).map { "gradient descent, rate \(rates[$0])" }
      + (0..<4).map { "frequencies, memory \(memories[$0])" }
      + (4..<8).map { "what follows the last class, memory \(memories[$0])" }
    return zip(names, expertWeights(horizon)).map { Expert(name: $0, weight: $1) }
  }

  /// The weighted mean of the experts' coefficients, per class; what the tables say of a class
  /// counts to its constant.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let weights = expertWeights(horizon)
    let unseen = [Double](repeating: 0, count: columns)
    var result = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (output, index) in classes.indices.enumerated() {
      for lane in 0..<16 {
        let filter = self.weights(
          outputs, output: output, row: MILLRACE_CLASS_WEIGHTS, lane: lane)
        let descent = self.weights(
          outputs, output: output, row: MILLRACE_CLASS_WEIGHTS + columns, lane: lane)
        for column in 0..<columns {
          result[index][column] +=
            weights[lane] * filter[column] + weights[16 + lane] * descent[column]
        }
      }
    }
    return result
  }

  /// Each expert's weight over all mixtures and, frozen, over all horizons.
  private func expertWeights(_ horizon: LabelHorizon) -> [Double] {
    switch horizon {
    case .immediate: head.mixtureWeights(row: MILLRACE_SOFTMAX_MIXTURES, expertCount: 40)
    case .never:
      head.meanMixtureWeights(
        row: MILLRACE_SOFTMAX_HORIZON_MIXTURES, rows: MILLRACE_MIXTURES_ROWS, expertCount: 40)
    }
  }
}
