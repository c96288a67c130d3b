internal import CMillraceKernels

/// One output of a linear learner: its weights and how they move.
struct LinearOutput<Step: Optimizer>: Sendable {
  /// The weights, the constant's last.
  var weights: [Float]
  /// What the records of the unfinished block ask for.
  var block: BlockGradient
  /// The mean of the weights after each step (Polyak, Juditsky 1992); empty without averaging.
  var average: [Float]
  var optimizer: Step

  init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    weights = Array(repeating: 0, count: columnCount)
    block = BlockGradient(columnCount: columnCount)
    average = settings.averaging ? weights : []
    optimizer = Step(
      settings: settings, task: task, columnCount: columnCount, rateFactor: rateFactor)
  }

  /// The weights that predict.
  var served: [Float] { average.isEmpty ? weights : average }

  /// Makes given weights the ones that predict.
  mutating func serve(_ weights: [Float]) {
    self.weights = weights
    block.removeAll()
    if !average.isEmpty { average = weights }
  }

  var isFinite: Bool { weights.allSatisfy(\.isFinite) && block.sum.allSatisfy(\.isFinite) }

  /// Adds the gradients of rows: Σᵢ derivativeᵢ·rowᵢ.
  mutating func add(_ rows: Rows, derivatives: UnsafePointer<Float>) {
    millrace_add_rows(rows.base, rows.count, rows.columns, rows.stride, derivatives, &block.sum)
    for i in 0..<rows.count {
      block.squaredDerivatives += Double(derivatives[i]) * Double(derivatives[i])
    }
  }

  /// Makes the step of a block.
  ///
  /// - Parameters:
  ///   - recordCount: how many records the block has.
  ///   - stepCount: which step this is, counted from 1.
  ///   - limit: the longest mean gradient; a longer one is shortened to it.
  /// - Returns: wᵀ∇ of the block before the step (see `DivergenceMonitor`).
  mutating func step(recordCount: Int, stepCount: Int, limit: Double?) -> Double {
    block.recordCount = recordCount
    let excess = zip(weights, block.sum).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    if let limit {
      let length = block.squaredLength.squareRoot() / Double(block.recordCount)
      let factor = Float(length > limit ? limit / length : 1)
      for j in block.sum.indices { block.sum[j] *= factor }
    }
    optimizer.step(&weights, block)
    block.removeAll()
    let share = 1 / Float(stepCount)
    for j in average.indices { average[j] += share * (weights[j] - average[j]) }
    return excess
  }
}
