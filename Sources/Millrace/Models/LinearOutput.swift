internal import CMillraceKernels

/// How the weights of one output of a linear learner move.
struct LinearOutput: Sendable {
  /// What the records of the unfinished block ask for.
  var gradient: BlockGradient
  /// One dynamic call a block; one a chunk of rows where it looks at the curvature.
  var optimizer: any Optimizer

  init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    gradient = BlockGradient(columnCount: columnCount)
    optimizer = settings.learner.optimizer.init(
      settings: settings, task: task, columnCount: columnCount, rateFactor: rateFactor)
  }

  /// Adds the gradients of rows: Σᵢ derivativeᵢ·rowᵢ.
  mutating func add(_ rows: Rows, derivatives: UnsafePointer<Float>) {
    millrace_add_rows(
      rows.base, rows.count, rows.columns, rows.stride, derivatives, &gradient.sum)
    for i in 0..<rows.count {
      gradient.squaredDerivatives += Double(derivatives[i]) * Double(derivatives[i])
    }
  }

  /// Makes the step of a block.
  ///
  /// - Parameter limit: the longest mean gradient; a longer one is shortened to it.
  /// - Returns: wᵀ∇ of the block before the step (see `DivergenceMonitor`).
  mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, recordCount: Int, limit: Double?
  ) -> Double {
    gradient.recordCount = recordCount
    var excess = 0.0
    for j in weights.indices { excess += Double(weights[j]) * Double(gradient.sum[j]) }
    if let limit {
      let length = gradient.squaredLength.squareRoot() / Double(recordCount)
      let factor = Float(length > limit ? limit / length : 1)
      for j in gradient.sum.indices { gradient.sum[j] *= factor }
    }
    optimizer.step(weights, gradient)
    gradient.removeAll()
    return excess
  }
}

extension LearnerSettings.Kind {
  /// The optimizer of a linear learner; the filter and the exact solver have none.
  fileprivate var optimizer: any Optimizer.Type {
    switch self {
    case .auto, .adagrad: AdaGrad.self
    case .adam: Adam.self
    case .ftrl: FTRLProximal.self
    case .newton: OnlineNewton.self
    case .sgd, .filter, .exact: SGD.self
    }
  }
}
