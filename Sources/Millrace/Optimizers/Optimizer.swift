/// How the weights of one output of a linear learner move: one step for each block of records.

package protocol Optimizer: Sendable {
  /// Whether `observe` wants the rows and the loss's curvature.
  var usesCurvature: Bool { get }

  /// An optimizer that has made no step.
  ///
  /// - Parameters:
  ///   - settings: the learning rate, if not the optimizer's own, penalties and schedule.
  ///   - task: what the learner learns.
  ///   - columnCount: the weights of the output, the constant's last.
  ///   - rateFactor: what the learning rate is multiplied by: less than 1 after a divergence.
  init(settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double)

  /// Takes in rows of the unfinished block, each with its weight · ∂²loss/∂margin².
  mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>)

  /// Moves the weights. The last of them, the constant's, is never penalised.
  ///
  /// - Parameters:
  ///   - weights: one per column.
  ///   - gradient: what the block's records ask for.
  mutating func step(_ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient)

  /// The second derivative of all losses in the weights, where it is kept whole.
  var hessian: Matrix<Double>? { get }

  /// Writes the state under names that start with `prefix`.
  func encode(into archive: inout TensorArchive, prefix: String)

  /// Reads what `encode` wrote into an optimizer of the same settings and width.
  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError)
}

/// What the records of a block ask one output for.
package struct BlockGradient: Sendable {
  /// Σ ∂loss/∂w over the records.
  package var sum: [Float]
  /// Σ (∂loss/∂margin)² over the records.
  package var squaredDerivatives = 0.0
  /// How many records the block has.
  package var recordCount = 0

  /// Of no records.
  package init(columnCount: Int) { sum = Array(repeating: 0, count: columnCount) }

  /// The squared length of the sum.
  var squaredLength: Double { sum.reduce(0) { $0 + Double($1) * Double($1) } }

  /// Makes it that of no records.
  mutating func removeAll() {
    for j in sum.indices { sum[j] = 0 }
    (squaredDerivatives, recordCount) = (0, 0)
  }
}

extension Optimizer {
  package var usesCurvature: Bool { false }
  package mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {}
  package var hessian: Matrix<Double>? { nil }
}

extension LearnerSettings.Schedule {
  /// The step size of step `t`, counted from 1.
  func stepSize(_ t: Int, rate: Double, l2: Double) -> Double {
    switch self {
    case .constant: rate
    case .invscaling: rate / Double(t).squareRoot().squareRoot()
    // The first step is the size a weight typically has (Bottou 2012, "Stochastic gradient
    // descent tricks").
    case .optimal: 1 / (l2.squareRoot().squareRoot() + l2 * Double(t - 1))
    }
  }
}
