/// Newton's method with a backtracking line search (Nocedal, Wright 2006, §3.3): x ← x − tH⁻¹g.
///
/// Directions that had no curvature at the start are not moved along: a convex function that is
/// flat there is flat everywhere along them, if it is a sum of functions of linear forms. So of
/// all minimisers it finds the one nearest to the start, coordinates scaled to unit curvature.
public struct Newton: Minimizer {
  /// It needs the Hessian.
  public static var usesCurvature: Bool { true }

  /// Where the function is wanted next; at the end, the minimum.
  public private(set) var point: [Double]
  /// How far the search has come.
  public private(set) var status = MinimizerStatus.searching
  /// Evaluations taken in.
  public private(set) var evaluationCount = 0

  /// The end is reached when the step would be this share of the point.
  private let tolerance: Double
  private var curvature: Curvature?
  /// The best point so far, the value there, the step from there and its slope −gᵀH⁻¹g.
  private var origin: (point: [Double], value: Double, step: [Double], slope: Double)?
  /// The share of the step that `point` is away from the origin.
  private var share = 1.0
  /// The length of the step before.
  private var lastLength = Double.infinity

  /// A search that starts at `point`.
  public init(from point: [Double], tolerance: Double = 1e-9) {
    self.point = point
    self.tolerance = tolerance
  }

  /// Evaluations after which a search that has not ended is given up.
  private static var evaluationLimit: Int { 100 }
  /// The share of the decrease that the slope promises which a step must bring (Armijo 1966).
  private static var sufficientDecrease: Double { 1e-4 }
  /// Changes of the value below this share of it are rounding.
  private static var valueNoise: Double { 1e-13 }

  /// Takes in the function at `point`: accepts the step and makes the next, or shortens it.
  ///
  /// - Throws: `numerical` when the function is not a number at the start, or no step lowers it.
  public mutating func advance(_ evaluation: Evaluation) throws(MillraceError) {
    evaluationCount += 1
    guard evaluationCount < Self.evaluationLimit, share > 1e-10 else {
      throw MillraceError(
        .numerical, "Newton's method found no minimum in \(evaluationCount) evaluations")
    }
    if let origin {
      let decrease = origin.value - evaluation.value
      let isEnough =
        decrease >= -Self.sufficientDecrease * share * origin.slope
        || -origin.slope <= Self.valueNoise * abs(origin.value)
      guard evaluation.isFinite, isEnough else {
        share *= shortening(decrease, slope: share * origin.slope)
        point = zip(origin.point, origin.step).map { $0 + share * $1 }
        return
      }
    }
    guard evaluation.isFinite, let hessian = evaluation.hessian else {
      throw MillraceError(.numerical, "the function to minimise is not a number at the start")
    }
    try accept(evaluation, hessian)
  }

  /// How much shorter a step must be: the minimum of the parabola through what is known, within
  /// bounds; a tenth where the function was not a number.
  private func shortening(_ decrease: Double, slope: Double) -> Double {
    let best = 0.5 * slope / (decrease + slope)
    return best.isFinite ? min(max(best, 0.1), 0.5) : 0.1
  }

  /// Makes the point the new origin and steps on.
  private mutating func accept(
    _ evaluation: Evaluation, _ hessian: Matrix<Double>
  ) throws(MillraceError) {
    if curvature == nil { curvature = try Curvature(first: hessian) }
    guard let step = curvature?.newtonStep(evaluation.gradient, hessian) else {
      // What was curved at the start has become flat: the minimum is at infinity.
      status = .unbounded(coordinate: curvature?.largest(origin?.step ?? point).coordinate ?? 0)
      return
    }
    let slope = zip(evaluation.gradient, step).reduce(0) { $0 + $1.0 * $1.1 }
    let next = zip(point, step).map(+)
    let longest = curvature?.largest(step) ?? (coordinate: 0, length: 0)
    let size = max(1, curvature?.largest(next).length ?? 0)
    origin = (point, evaluation.value, step, slope)
    point = next
    share = 1
    defer { lastLength = longest.length }
    if longest.length <= tolerance * size {
      status = .converged
    } else if -slope <= Self.valueNoise * abs(evaluation.value), longest.length > 0.5 * lastLength {
      // The value can fall no further, and steps no longer shrink: rounding where they are short;
      // where they are long they go on for ever.
      status =
        longest.length <= 1e-4 * size ? .converged : .unbounded(coordinate: longest.coordinate)
    }
  }

  /// Independent directions along which the function is curved; 0 before the first evaluation.
  public var rank: Int { curvature?.rank ?? 0 }

  /// aᵀH⁻¹a at the minimum, H the Hessian of the last evaluation; `nil` where the function is flat
  /// along a. For a log-likelihood, the variance of aᵀx.
  public func inverseCurvature(along a: [Double]) -> Double? {
    curvature?.inverse(along: a)
  }
}

/// A Hessian in coordinates where it is regular: scaled to unit curvature at the start, and without
/// the directions that were flat there.
private struct Curvature: Sendable {
  /// √Hⱼⱼ at the start.
  let scales: [Double]
  /// Orthonormal rows that span the curved directions; `nil` where all are.
  let axes: Matrix<Double>?
  private var factor: Cholesky<Double>?

  var rank: Int { axes?.rows ?? scales.count }

  /// Curvature below this share of the largest is rounding.
  private static let flatness = 1e-12

  init(first hessian: Matrix<Double>) throws(MillraceError) {
    scales = (0..<hessian.rows).map { index in
      hessian[index, index] > 0 ? hessian[index, index].squareRoot() : 1
    }
    let scaled = Self.scaled(hessian, by: scales)
    if let factor = try? Cholesky(scaled),
      (0..<scaled.rows).allSatisfy({ factor.factor[$0, $0] > Self.flatness.squareRoot() })
    {
      axes = nil
      return
    }
    let eigen = try SymmetricEigen(scaled)
    let largest = eigen.values.last ?? 0
    let first = eigen.values.firstIndex { $0 > Self.flatness * largest } ?? eigen.values.count
    axes = Matrix(
      rows: scaled.rows - first, columns: scaled.rows,
      elements: Array(eigen.vectors.elements[(first * scaled.rows)...]))
  }

  /// −H⁻¹g; `nil` when H is not positive definite.
  mutating func newtonStep(_ gradient: [Double], _ hessian: Matrix<Double>) -> [Double]? {
    var reduced = Self.scaled(hessian, by: scales)
    if let axes {
      reduced.symmetrize(from: .lower)
      reduced = axes * reduced * axes.transposed
    }
    guard let factor = try? Cholesky(reduced) else { return nil }
    self.factor = factor
    var step = inward(gradient)
    factor.solve(&step)
    return zip(axes.map { $0.transposed * step } ?? step, scales).map { -$0 / $1 }
  }

  func inverse(along a: [Double]) -> Double? {
    let inside = inward(a)
    let scaled = zip(a, scales).map { $0 / $1 }
    let back = axes.map { $0.transposed * inside } ?? inside
    let outside = zip(scaled, back).map { $0 - $1 }
    guard
      outside.withVectorView(BLAS.nrm2) <= 1e-6 * scaled.withVectorView(BLAS.nrm2)
    else { return nil }
    var solution = inside
    factor?.solve(&solution)
    return zip(inside, solution).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The longest coordinate of a step, in units of the curvature at the start.
  func largest(_ step: [Double]) -> (coordinate: Int, length: Double) {
    let lengths = zip(step, scales).map { abs($0 * $1) }
    let coordinate = lengths.indices.max { lengths[$0] < lengths[$1] } ?? 0
    return (coordinate, lengths.isEmpty ? 0 : lengths[coordinate])
  }

  /// A gradient in the regular coordinates.
  private func inward(_ gradient: [Double]) -> [Double] {
    let scaled = zip(gradient, scales).map { $0 / $1 }
    return axes.map { $0 * scaled } ?? scaled
  }

  private static func scaled(_ hessian: Matrix<Double>, by scales: [Double]) -> Matrix<Double> {
    var result = hessian
    for row in 0..<result.rows {
      for column in 0...row { result[row, column] /= scales[row] * scales[column] }
    }
    return result
  }
}
