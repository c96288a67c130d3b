/// Follow the regularised leader, proximal: weights are exactly 0 where the L1 penalty says so
/// (McMahan et al. 2013, "Ad click prediction: a view from the trenches", algorithm 1, β = 1).
///
/// σ = (√(n + g²) − √n)/α, z ← z + g − σw, n ← n + g²;
/// w = −(z − sign(z)·l1)/((β + √n)/α + l2) where |z| > l1, else 0. g is the sum of the block's
/// gradients, so that the penalties stand beside the sum of the losses, as in the paper.
package struct FTRLProximal: Optimizer {
  private static let beta: Float = 1

  private let settings: LearnerSettings
  private let rate: Double
  private var z: [Float]
  private var n: [Float]

  package init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    self.settings = settings
    rate =
      rateFactor
      * (settings.learningRate ?? 1 / Double(columnCount).squareRoot()
        * (task == .regression ? 0.5 : 1))
    z = Array(repeating: 0, count: columnCount)
    n = z
  }

  package mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient
  ) {
    let (alpha, l1, l2) = (Float(rate), Float(settings.l1), Float(settings.l2))
    let constant = weights.count - 1
    for j in weights.indices {
      let g = gradient.sum[j]
      let root = (n[j] + g * g).squareRoot()
      z[j] += g - (root - n[j].squareRoot()) / alpha * weights[j]
      n[j] += g * g
      let curvature = (Self.beta + root) / alpha
      weights[j] =
        j == constant ? -z[j] / curvature : -z[j].shrunk(by: l1) / (curvature + l2)
    }
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(z, as: prefix + "z")
    archive.set(n, as: prefix + "n")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    z = try archive.floats(prefix + "z", count: z.count)
    n = try archive.floats(prefix + "n", count: n.count)
  }
}
