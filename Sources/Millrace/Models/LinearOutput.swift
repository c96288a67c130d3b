internal import CMillraceKernels

/// One output of a linear learner: its weights and how they move.
struct LinearOutput<Step: Optimizer>: Sendable {
  /// The weights, the constant's last.
  var weights: [Float]
  /// The sum of the gradients of the unfinished block's records.
  var gradient: [Float]
  /// The mean of the weights after each step (Polyak, Juditsky 1992); empty without averaging.
  var average: [Float]
  var optimizer: Step

  init(settings: LearnerSettings, columnCount: Int) {
    weights = Array(repeating: 0, count: columnCount)
    gradient = weights
    average = settings.averaging ? weights : []
    optimizer = Step(settings: settings, columnCount: columnCount)
  }

  /// The weights that predict.
  var served: [Float] { average.isEmpty ? weights : average }

  /// Makes given weights the ones that predict.
  mutating func serve(_ weights: [Float]) {
    self.weights = weights
    gradient = weights.map { _ in 0 }
    if !average.isEmpty { average = weights }
  }

  var isFinite: Bool { weights.allSatisfy(\.isFinite) && gradient.allSatisfy(\.isFinite) }

  /// Adds the gradients of rows: Σᵢ derivativeᵢ·rowᵢ.
  mutating func add(_ rows: Rows, derivatives: UnsafePointer<Float>) {
    millrace_add_rows(rows.base, rows.count, rows.columns, rows.stride, derivatives, &gradient)
  }

  /// Makes the step of a block and empties the gradient.
  ///
  /// - Parameters:
  ///   - recordCount: how many records the block has.
  ///   - stepCount: which step this is, counted from 1.
  ///   - limit: the longest mean gradient; a longer one is shortened to it.
  /// - Returns: how much larger the block's loss is than at weights 0, at most: by convexity
  ///   Σ loss(w) − loss(0) ≤ wᵀ∇.
  mutating func step(recordCount: Int, stepCount: Int, limit: Double?) -> Double {
    var excess = 0.0
    var squares = 0.0
    for j in weights.indices {
      excess += Double(weights[j]) * Double(gradient[j])
      squares += Double(gradient[j]) * Double(gradient[j])
    }
    let length = squares.squareRoot() / Double(recordCount)
    if let limit, length > limit {
      let factor = Float(limit / length)
      for j in gradient.indices { gradient[j] *= factor }
    }
    optimizer.step(&weights, gradient: gradient, recordCount: recordCount)
    for j in gradient.indices { gradient[j] = 0 }
    let share = 1 / Float(stepCount)
    for j in average.indices { average[j] += share * (weights[j] - average[j]) }
    return excess
  }
}
