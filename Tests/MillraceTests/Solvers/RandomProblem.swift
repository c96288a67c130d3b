import Glibc
import Millrace

/// A made-up problem with columns of very different size, and weights that are 0 for a quarter of
/// the rows. The reference values in the tests that use it come from numpy arrays of these numbers:
///
///     X = uniform(200, 4) * [0.1, 1, 10, 100] + [0, 3, 6, 9]
///     e = uniform(200); w = floor(4 * (uniform(200) + 1))
///     y = 1 + X @ [2, -0.3, 0.05, 0.004] + e
///     m = 0.4 + X @ [1.5, -0.5, 0.06, -0.003]
///     label = m + log((1 + e) / (1 - e)) > 0
///     three = where(e < -0.3, 0, where(m > 0, 1, 2)), of every seventh row the next class
///
/// with `uniform` in [−1, 1), row by row, from `Uniform(seed: 7)`; scikit-learn 1.9.1, statsmodels
/// 0.15.0, scipy 1.17.1.
struct RandomProblem {
  var rows = Matrix<Double>(rows: 200, columns: 4)
  var targets: [Double] = []
  var labels: [Double] = []
  var threeClasses: [Double] = []
  var weights: [Float] = []
  let ones = [Float](repeating: 1, count: 200)

  init() {
    var random = Uniform(seed: 7)
    for i in 0..<200 {
      for j in 0..<4 { rows[i, j] = random.next() * [0.1, 1, 10, 100][j] + Double(3 * j) }
    }
    let noise = (0..<200).map { _ in random.next() }
    weights = (0..<200).map { _ in Float((4 * (random.next() + 1)).rounded(.down)) }
    for i in 0..<200 {
      func linear(_ coefficients: [Double]) -> Double {
        (0..<4).reduce(0) { $0 + coefficients[$1] * rows[i, $1] }
      }
      let e = noise[i]
      let margin = 0.4 + linear([1.5, -0.5, 0.06, -0.003])
      targets.append(1 + linear([2, -0.3, 0.05, 0.004]) + e)
      labels.append(margin + log((1 + e) / (1 - e)) > 0 ? 1 : 0)
      let three = e < -0.3 ? 0.0 : margin > 0 ? 1 : 2
      threeClasses.append(i % 7 == 0 ? (three + 1).truncatingRemainder(dividingBy: 3) : three)
    }
  }
}

/// The largest relative difference.
func relativeError(_ values: [Double], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  return zip(values, expected).reduce(0) { worst, pair in
    let error = abs(pair.0 - pair.1) / abs(pair.1)
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// As a caller runs it: passes in calls of `blockRows` rows until no more is wanted.
func solve(
  _ task: Task, _ rows: Matrix<Double>, _ labels: [Double], weights: [Float]? = nil,
  classCount: Int = 0, l2: Double = 0, blockRows: Int = 1000
) throws -> ExactLearner {
  var settings = LearnerSettings()
  settings.learner = .exact
  settings.l2 = l2
  let schema = Schema(
    task: task, columns: (0..<rows.columns).map { .init(name: "x\($0)", kind: .numeric) },
    label: "y", classes: (0..<classCount).map { "class \($0)" })
  var exact = try ExactLearner(schema: schema, settings: settings)
  let weights = weights ?? Array(repeating: 1, count: rows.rows)
  repeat {
    for start in stride(from: 0, to: rows.rows, by: blockRows) {
      let range = start..<min(start + blockRows, rows.rows)
      try rows.withView { (rows) throws(MillraceError) in
        try exact.add(
          rows.block(rows: range, columns: 0..<rows.columns), labels: Array(labels[range]),
          weights: Array(weights[range]))
      }
    }
    try exact.finishPass()
  } while exact.wantsAnotherPass
  return exact
}

extension ExactLearner {
  /// All outputs' coefficients, each with its intercept first.
  var flatCoefficients: [Double] { coefficients.flatMap { [$0.intercept] + $0.columns } }
}
