/// The limited-memory BFGS method (Liu, Nocedal 1989; Nocedal, Wright 2006, §7.2), for more
/// coordinates than a Hessian has room for. O(memory · d) an evaluation.
///
/// The line search brackets a step that meets the weak Wolfe conditions (Lewis, Overton 2013).
public struct LBFGS: Minimizer {
  /// Gradients are enough.
  public static var usesCurvature: Bool { false }

  /// Where the function is wanted next; at the end, the minimum.
  public private(set) var point: [Double]
  /// How far the search has come; it does not notice when there is no minimum.
  public private(set) var status = MinimizerStatus.searching
  /// Evaluations taken in.
  public private(set) var evaluationCount = 0

  /// The end is reached when no partial derivative exceeds this share of the first gradient's.
  private let tolerance: Double
  private let evaluationLimit: Int
  private let memory: Int
  private var firstGradient = 0.0
  /// The last changes of point and gradient, oldest first, with the inverse of their product.
  private var changes: [(point: [Double], gradient: [Double], rho: Double)] = []
  private var origin: (point: [Double], value: Double, gradient: [Double])?
  private var direction: [Double] = []
  /// The step lengths known to be too short and too long, and the one tried.
  private var bracket = (low: 0.0, high: Double.infinity)
  private var length = 1.0

  /// A search that starts at `point`.
  public init(
    from point: [Double], tolerance: Double = 1e-9, memory: Int = 10, evaluationLimit: Int = 1000
  ) {
    self.point = point
    self.tolerance = tolerance
    self.memory = memory
    self.evaluationLimit = evaluationLimit
  }

  /// Takes in the function at `point`: accepts the step and makes the next, or changes its length.
  ///
  /// - Throws: `numerical` when the function is not a number at the start, or the limit is reached.
  public mutating func advance(_ evaluation: Evaluation) throws(MillraceError) {
    evaluationCount += 1
    guard let origin else {
      guard evaluation.isFinite else {
        throw MillraceError(.numerical, "the function to minimise is not a number at the start")
      }
      firstGradient = largest(evaluation.gradient)
      accept(evaluation)
      return
    }
    guard evaluationCount < evaluationLimit else {
      throw MillraceError(
        .numerical, "L-BFGS found no minimum in \(evaluationCount) evaluations")
    }
    let slope = dot(origin.gradient, direction)
    let newSlope = dot(evaluation.gradient, direction)
    // Where the value is rounding alone, the slope tells (Hager, Zhang 2005, "approximate Wolfe").
    let decreases =
      evaluation.value <= origin.value + 1e-4 * length * slope
      || evaluation.value <= origin.value + 1e-13 * abs(origin.value) && newSlope <= -0.9 * slope
    if !evaluation.isFinite || !decreases {
      bracket.high = length
    } else if newSlope < 0.9 * slope {
      bracket.low = length
    } else {
      remember(evaluation, since: origin)
      accept(evaluation)
      return
    }
    guard bracket.high - bracket.low > 1e-12 * bracket.high || bracket.high == .infinity else {
      throw MillraceError(
        .numerical, "L-BFGS finds no step that lowers the function \(origin.value)")
    }
    length = bracket.high < .infinity ? (bracket.low + bracket.high) / 2 : 2 * bracket.low
    point = zip(origin.point, direction).map { $0 + length * $1 }
  }

  private mutating func remember(
    _ evaluation: Evaluation, since origin: (point: [Double], value: Double, gradient: [Double])
  ) {
    let moved = zip(point, origin.point).map { $0 - $1 }
    let turned = zip(evaluation.gradient, origin.gradient).map { $0 - $1 }
    let product = dot(moved, turned)
    guard product > 0 else { return }
    if changes.count == memory { changes.removeFirst() }
    changes.append((moved, turned, 1 / product))
  }

  /// Makes the point the new origin and steps on by the two-loop recursion.
  private mutating func accept(_ evaluation: Evaluation) {
    origin = (point, evaluation.value, evaluation.gradient)
    guard largest(evaluation.gradient) > tolerance * firstGradient else {
      status = .converged
      return
    }
    var q = evaluation.gradient
    var shares: [Double] = []
    for change in changes.reversed() {
      let share = change.rho * dot(change.point, q)
      shares.append(share)
      q = zip(q, change.gradient).map { $0 - share * $1 }
    }
    // The curvature along the last step; at the start, a step of length 1.
    let scale =
      changes.last.map { 1 / ($0.rho * dot($0.gradient, $0.gradient)) }
      ?? 1 / dot(q, q).squareRoot()
    q = q.map { scale * $0 }
    for (change, share) in zip(changes, shares.reversed()) {
      let correction = share - change.rho * dot(change.gradient, q)
      q = zip(q, change.point).map { $0 + correction * $1 }
    }
    direction = q.map { -$0 }
    bracket = (0, .infinity)
    length = 1
    point = zip(point, direction).map(+)
  }

  private func largest(_ vector: [Double]) -> Double { vector.reduce(0) { max($0, abs($1)) } }

  private func dot(_ x: [Double], _ y: [Double]) -> Double {
    x.withVectorView { x in y.withVectorView { BLAS.dot(x, $0) } }
  }
}
