/// Stochastic gradient descent: w ← w − η·(mean gradient + penalties).
///
/// Schedules and penalties are those of scikit-learn's `SGDClassifier` and `SGDRegressor`, and so
/// are the weights when a block is one record: an L2 penalty shrinks before the step, an L1 penalty
/// is cumulative and clips at 0 (Tsuruoka, Tsujii, Ananiadou 2009).
package struct SGD: Optimizer {
  private let settings: LearnerSettings
  private let rate: Double
  /// The default step of a full block, by which those of smaller first blocks are measured.
  private let fullStep: Double
  /// Steps made.
  private var stepCount = 0
  /// The L1 penalty that every weight could have received so far.
  private var penaltyTotal = 0.0
  /// The L1 penalty that each weight has received; empty without one.
  private var penalties: [Double]

  /// b/(b + d) for blocks of b records and d columns: what a mean of b gradients bears, whose
  /// standardised records have squared length d and whose curvature along an axis is at most 1
  /// (Jain et al. 2018, "Parallelizing stochastic gradient descent for least squares regression").
  package static func defaultLearningRate(settings: LearnerSettings, columnCount: Int) -> Double {
    bearable(settings.batchSize, columnCount)
  }

  private static func bearable(_ recordCount: Int, _ columnCount: Int) -> Double {
    Double(recordCount) / Double(recordCount + columnCount)
  }

  package init(settings: LearnerSettings, columnCount: Int) {
    self.settings = settings
    fullStep = Self.bearable(settings.batchSize, columnCount)
    rate = settings.learningRate ?? fullStep
    penalties = Array(repeating: 0, count: settings.l1 > 0 ? columnCount : 0)
  }

  package mutating func step(_ weights: inout [Float], gradient: [Float], recordCount: Int) {
    stepCount += 1
    let eta =
      settings.schedule.stepSize(stepCount, rate: rate, l2: settings.l2)
      * Self.bearable(recordCount, weights.count) / fullStep
    if settings.l2 > 0 {
      let shrink = Float(max(0, 1 - eta * settings.l2))
      for j in 0..<weights.count - 1 { weights[j] *= shrink }
    }
    let factor = Float(eta / Double(recordCount))
    for j in weights.indices { weights[j] -= factor * gradient[j] }
    if settings.l1 > 0 {
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
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(stepCount, as: prefix + "steps")
    guard settings.l1 > 0 else { return }
    archive.set(penaltyTotal, as: prefix + "penaltyTotal")
    archive.set(penalties, as: prefix + "penalties")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    stepCount = Int(try archive.integer(prefix + "steps", in: 0 ... .max))
    guard settings.l1 > 0 else { return }
    penaltyTotal = try archive.double(prefix + "penaltyTotal")
    penalties = try archive.doubles(prefix + "penalties", count: penalties.count)
  }
}
