/// How the weights of one output of a linear learner move: one step for each block of records.
///
/// A learner is generic over its optimizer, so that no call in it is dynamic.
package protocol Optimizer: Sendable {
  /// Whether `observe` wants the rows and the loss's curvature.
  static var usesCurvature: Bool { get }

  /// The step size η₀ where the settings name none, for standardised columns.
  static func defaultLearningRate(settings: LearnerSettings, columnCount: Int) -> Double

  /// An optimizer that has made no step.
  ///
  /// - Parameters:
  ///   - settings: penalties and schedule; `learningRate` is set.
  ///   - columnCount: the weights of the output, the constant's last.
  init(settings: LearnerSettings, columnCount: Int)

  /// Takes in rows of the unfinished block, each with its weight · ∂²loss/∂margin².
  mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>)

  /// Moves the weights. The last of them, the constant's, is never penalised.
  ///
  /// - Parameters:
  ///   - weights: one per column.
  ///   - gradient: the sum of the gradients of the block's records.
  ///   - recordCount: how many records the block has.
  mutating func step(_ weights: inout [Float], gradient: [Float], recordCount: Int)

  /// The second derivative of all losses in the weights, where it is kept whole.
  var hessian: Matrix<Double>? { get }

  /// Writes the state under names that start with `prefix`.
  func encode(into archive: inout TensorArchive, prefix: String)

  /// Reads what `encode` wrote into an optimizer of the same settings and width.
  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError)
}

extension Optimizer {
  package static var usesCurvature: Bool { false }
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
