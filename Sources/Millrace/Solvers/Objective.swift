/// A smooth function at one point: its value, gradient and, for methods that use it, curvature.
public struct Evaluation: Sendable {
  /// f(x)
  public var value = 0.0
  /// ∇f(x)
  public var gradient: [Double]
  /// ∇²f(x) in the lower triangle; `nil` where the method does not use it.
  public var hessian: Matrix<Double>?

  /// All zero, to be added to.
  public init(dimension: Int, usesCurvature: Bool) {
    gradient = Array(repeating: 0, count: dimension)
    hessian = usesCurvature ? Matrix(rows: dimension, columns: dimension) : nil
  }

  /// Whether value and gradient are numbers.
  var isFinite: Bool { value.isFinite && gradient.allSatisfy(\.isFinite) }
}

/// A convex function to minimise: all that a solver knows of a problem.
public protocol Objective {
  /// How many coordinates a point has.
  var dimension: Int { get }

  /// Adds the function at `point` to what `evaluation` holds.
  ///
  /// - Throws: whatever keeps it from being computed.
  mutating func evaluate(at point: [Double], into evaluation: inout Evaluation)
    throws(MillraceError)
}

/// How far a search has come.
public enum MinimizerStatus: Equatable, Sendable {
  /// It wants the function at `point`.
  case searching
  /// `point` is the minimum, to the tolerance.
  case converged
  /// There is no minimum: the function falls for ever along this coordinate, among others.
  case unbounded(coordinate: Int)
}

/// A search for the minimum of a convex function that asks for one evaluation at a time, so that an
/// evaluation may be a pass over a file.
public protocol Minimizer: Sendable {
  /// Where the function is wanted next; at the end, the minimum.
  var point: [Double] { get }
  /// How far the search has come.
  var status: MinimizerStatus { get }
  /// Whether `advance` needs the Hessian.
  static var usesCurvature: Bool { get }

  /// Takes in the function at `point`, and moves on.
  ///
  /// - Throws: `numerical` when the search cannot go on.
  mutating func advance(_ evaluation: Evaluation) throws(MillraceError)
}

extension Minimizer {
  /// Searches until the end.
  ///
  /// - Throws: `numerical` when there is no minimum, and what the objective throws.
  public mutating func minimize(_ objective: inout some Objective) throws(MillraceError) {
    while status == .searching {
      var evaluation = Evaluation(
        dimension: objective.dimension, usesCurvature: Self.usesCurvature)
      try objective.evaluate(at: point, into: &evaluation)
      try advance(evaluation)
    }
    if case .unbounded(let coordinate) = status {
      throw MillraceError(
        .numerical, "the function has no minimum: it falls for ever along coordinate \(coordinate)")
    }
  }
}
