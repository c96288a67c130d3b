/// Stochastic gradient descent: w ← w − η·(mean gradient + penalties).
///
/// Schedules and penalties are those of scikit-learn's `SGDClassifier` and `SGDRegressor`, and so
/// are the weights when a block is one record: an L2 penalty shrinks before the step, an L1 penalty
/// is cumulative and clips at 0 (Tsuruoka, Tsujii, Ananiadou 2009). Where no learning rate is
/// given, η₀ is measured: half of what the curvature of the loss bears (`CurvatureProbe`).
package struct SGD: Optimizer {
  private let settings: LearnerSettings
  private let rateFactor: Double
  /// Steps made.
  private var stepCount = 0
  /// The L1 penalty that every weight could have received so far.
  private var penaltyTotal = 0.0
  /// The L1 penalty that each weight has received; empty without one.
  private var penalties: [Double]
  /// Where the learning rate is measured.
  private var probe: CurvatureProbe?

  package init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double) {
    self.settings = settings
    self.rateFactor = rateFactor
    penalties = Array(repeating: 0, count: settings.l1 > 0 ? columnCount : 0)
    if settings.learningRate == nil, settings.schedule != .optimal {
      probe = CurvatureProbe(columnCount: columnCount)
    }
  }

  package var usesCurvature: Bool {
    probe != nil && CurvatureProbe.looks(atBlock: stepCount)
  }

  package mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {
    probe?.observe(rows, curvatures: curvatures)
  }

  package mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient
  ) {
    if usesCurvature { probe?.finishBlock(recordCount: gradient.recordCount) }
    stepCount += 1
    let rate =
      settings.learningRate.map { $0 * shorter(gradient.recordCount, columnCount: weights.count) }
      ?? probe?.stableStep(recordCount: gradient.recordCount) ?? 1
    var eta =
      rateFactor * settings.schedule.stepSize(stepCount, rate: rate, l2: settings.l2)
    if probe != nil { eta = min(eta, longestStep(gradient)) }
    if settings.l2 > 0 {
      let shrink = Float(max(0, 1 - eta * settings.l2))
      for j in 0..<weights.count - 1 { weights[j] *= shrink }
    }
    let factor = Float(eta / Double(gradient.recordCount))
    for j in weights.indices { weights[j] -= factor * gradient.sum[j] }
    if settings.l1 > 0 { penalize(weights, eta) }
  }

  /// The longest step that the block itself can bear, whatever was measured before it.
  ///
  /// The curvature along g = Zᵀr/b is ‖Zg‖²/(b‖g‖²), which by Cauchy and Schwarz is at least
  /// ‖g‖²/mean(r²). For one record this is the step of normalised least mean squares, 1/‖z‖².
  private func longestStep(_ gradient: BlockGradient) -> Double {
    let squaredLength = gradient.squaredLength
    guard squaredLength > 0 else { return 0 }
    return Double(gradient.recordCount) * gradient.squaredDerivatives / squaredLength
  }

  /// By what the step of a small first block is shorter than a full one's: the mean of b gradients
  /// of standardised records with d columns bears a step of b/(b + d).
  private func shorter(_ recordCount: Int, columnCount: Int) -> Double {
    let full = Double(settings.batchSize) / Double(settings.batchSize + columnCount)
    return Double(recordCount) / Double(recordCount + columnCount) / full
  }

  /// Takes from each weight what it still owes of the L1 penalty.
  private mutating func penalize(_ weights: UnsafeMutableBufferPointer<Float>, _ eta: Double) {
    penaltyTotal += eta * settings.l1
    for j in 0..<weights.count - 1 {
      let before = Double(weights[j])
      let after =
        before > 0
        ? max(0, before - (penaltyTotal + penalties[j]))
        : min(0, before + (penaltyTotal - penalties[j]))
      penalties[j] += after - before
      weights[j] = Float(after)
    }
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(stepCount, as: prefix + "steps")
    probe?.encode(into: &archive, prefix: prefix)
    guard settings.l1 > 0 else { return }
    archive.set(penaltyTotal, as: prefix + "penaltyTotal")
    archive.set(penalties, as: prefix + "penalties")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    stepCount = try archive.count(prefix + "steps")
    try probe?.decode(from: archive, prefix: prefix)
    guard settings.l1 > 0 else { return }
    penaltyTotal = try archive.double(prefix + "penaltyTotal")
    penalties = try archive.doubles(prefix + "penalties", count: penalties.count)
  }
}
