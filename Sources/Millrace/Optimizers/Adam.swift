/// Adaptive moments: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − η·m̂/(√v̂ + 1e-8) with the
/// moments freed of their bias, β₁ = 0.9, β₂ = 0.999 (Kingma, Ba 2015).
///
/// g is the block's mean gradient. Penalties are decoupled from it: |w| falls by η·l1 to no less
/// than 0, and by the share η·l2 (Loshchilov, Hutter 2019).
package struct Adam: Optimizer {
  private static let (decay1, decay2) = (0.9, 0.999)

  private let settings: LearnerSettings
  private let rate: Double
  private var stepCount = 0
  private var means: [Float]
  private var squares: [Float]

  package init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    self.settings = settings
    rate =
      rateFactor
      * (settings.learningRate ?? 0.4 / Double(columnCount).squareRoot()
        * (task == .regression ? 0.5 : 1))
    means = Array(repeating: 0, count: columnCount)
    squares = means
  }

  package mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient
  ) {
    stepCount += 1
    let eta = settings.schedule.stepSize(stepCount, rate: rate, l2: settings.l2)
    let (decay1, decay2) = (Float(Self.decay1), Float(Self.decay2))
    let meanScale = Float(1 / (1 - power(Self.decay1, stepCount)))
    let squareScale = Float(1 / (1 - power(Self.decay2, stepCount)))
    let scale = 1 / Float(gradient.recordCount)
    let constant = weights.count - 1
    for j in weights.indices {
      let g = scale * gradient.sum[j]
      means[j] = decay1 * means[j] + (1 - decay1) * g
      squares[j] = decay2 * squares[j] + (1 - decay2) * g * g
      let direction = meanScale * means[j] / ((squareScale * squares[j]).squareRoot() + 1e-8)
      let kept = j == constant ? weights[j] : penalized(weights[j], eta)
      weights[j] = kept - Float(eta) * direction
    }
  }

  private func penalized(_ weight: Float, _ eta: Double) -> Float {
    weight.shrunk(by: Float(eta * settings.l1)) * Float(max(0, 1 - eta * settings.l2))
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(stepCount, as: prefix + "steps")
    archive.set(means, as: prefix + "means")
    archive.set(squares, as: prefix + "squares")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    stepCount = try archive.count(prefix + "steps")
    means = try archive.floats(prefix + "means", count: means.count)
    squares = try archive.floats(prefix + "squares", count: squares.count)
  }
}
