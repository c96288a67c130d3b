/// A step size per weight, which falls with the gradients that the weight has had: G ← G + g²,
/// w ← w − η/√G·g (Duchi, Hazan, Singer 2011, "Adaptive subgradient methods", diagonal).
///
/// Penalties are proximal: after the step, |w| falls by η/√G·l1 to no less than 0 and is divided by
/// 1 + η/√G·l2. g is the block's mean gradient.
package struct AdaGrad: Optimizer {
  private let settings: LearnerSettings
  private let rate: Double
  /// G, the sum of the squared gradients of each weight.
  private var squares: [Float]

  package init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    self.settings = settings
    rate =
      rateFactor
      * (settings.learningRate ?? 1 / Double(columnCount).squareRoot()
        * (task == .regression ? 0.5 : 1))
    squares = Array(repeating: 0, count: columnCount)
  }

  package mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient
  ) {
    let scale = 1 / Float(gradient.recordCount)
    let (eta, l1, l2) = (Float(rate), Float(settings.l1), Float(settings.l2))
    let constant = weights.count - 1
    for j in weights.indices {
      let g = scale * gradient.sum[j]
      squares[j] += g * g
      guard squares[j] > 0 else { continue }
      let step = eta / squares[j].squareRoot()
      let moved = weights[j] - step * g
      weights[j] = j == constant ? moved : moved.shrunk(by: step * l1) / (1 + step * l2)
    }
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(squares, as: prefix + "squares")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    squares = try archive.floats(prefix + "squares", count: squares.count)
  }
}

extension Float {
  /// The number moved towards 0 by `amount`, at most to 0: the proximal step of an L1 penalty.
  func shrunk(by amount: Float) -> Float {
    self > amount ? self - amount : self < -amount ? self + amount : 0
  }
}
