/// Stochastic gradient descent: w ← w − η·(mean gradient + penalties).
///
/// Schedules and penalties are those of scikit-learn's `SGDClassifier` and `SGDRegressor`, and so
/// are the weights when a block is one record: an L2 penalty shrinks before the step, an L1 penalty
/// is cumulative and clips at 0 (Tsuruoka, Tsujii, Ananiadou 2009).
package struct SGD: Optimizer {
  private let schedule: LearnerSettings.Schedule
  private let rate: Double
  private let l1: Double
  private let l2: Double
  private let columnCount: Int
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
    schedule = settings.schedule
    rate = settings.learningRate ?? 1
    fullStep = Self.bearable(settings.batchSize, columnCount)
    l1 = settings.l1
    l2 = settings.l2
    self.columnCount = columnCount
    penalties = l1 > 0 ? Array(repeating: 0, count: columnCount) : []
  }

  /// The step size of step `t`, counted from 1.
  private func stepSize(_ t: Double) -> Double {
    switch schedule {
    case .constant: rate
    case .invscaling: rate / t.squareRoot().squareRoot()
    // The first step is the size a weight typically has (Bottou 2012, "Stochastic gradient
    // descent tricks"): t₀ = 1/(α·size).
    case .optimal: 1 / (l2.squareRoot().squareRoot() + l2 * (t - 1))
    }
  }

  package mutating func step(
    _ weights: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, recordCount: Int
  ) {
    stepCount += 1
    let eta =
      stepSize(Double(stepCount)) * Self.bearable(recordCount, columnCount) / fullStep
    let constant = columnCount - 1
    if l2 > 0 {
      let shrink = Float(max(0, 1 - eta * l2))
      for j in 0..<constant { weights[j] *= shrink }
    }
    let factor = Float(eta / Double(recordCount))
    for j in 0...constant { weights[j] -= factor * gradient[j] }
    if l1 > 0 {
      penaltyTotal += eta * l1
      for j in 0..<constant {
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
    guard l1 > 0 else { return }
    archive.set(penaltyTotal, as: prefix + "penaltyTotal")
    archive.set(penalties, as: prefix + "penalties")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    stepCount = Int(try archive.integer(prefix + "steps", in: 0 ... .max))
    guard l1 > 0 else { return }
    penaltyTotal = try archive.double(prefix + "penaltyTotal")
    penalties = try archive.doubles(prefix + "penalties", count: columnCount)
  }
}
