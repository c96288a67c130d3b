import Glibc
import Millrace
import Testing

/// Correct significant digits of the worst value (NIST's LRE).
private func digits(_ values: [Double], _ certified: [Double]) -> Double {
  -log10(max(relativeError(values, certified), 1e-16))
}

/// All rows in one fit, refined once when asked.
private func fit(
  _ rows: Matrix<Double>, _ targets: [Double], weights: [Float]? = nil, shift: [Double]? = nil,
  penalties: [Double]? = nil, refining: Bool = false, blocks: Int = 1
) throws -> LinearFit {
  let weights = weights ?? Array(repeating: 1, count: rows.rows)
  let firstRow = (0..<rows.columns).map { rows[0, $0] } + [targets[0]]
  var solver = LeastSquares(shift: shift ?? firstRow)
  for block in 0..<blocks {
    let range = block * rows.rows / blocks..<(block + 1) * rows.rows / blocks
    try rows.withView { (rows) throws(MillraceError) in
      try solver.add(
        rows.block(rows: range, columns: 0..<rows.columns), targets: Array(targets[range]),
        weights: Array(weights[range]))
    }
  }
  let fit = try solver.solve(penalties: penalties)
  guard refining else { return fit }
  var moments = ResidualMoments(of: fit)
  rows.withView { moments.add($0, targets: targets, weights: weights) }
  return fit.refined(by: moments)
}

extension LinearFit {
  fileprivate var all: [Double] { [intercept] + coefficients }
  fileprivate var allErrors: [Double] {
    let errors = standardErrors
    return ([errors.intercept] + errors.coefficients).map { $0 ?? .nan }
  }
}

@Suite struct `Least squares` {
  // MARK: NIST

  @Test(arguments: [.longley] + ReferenceProblem.wampler)
  func `NIST's problems keep thirteen digits when refined`(_ problem: ReferenceProblem) throws {
    let fit = try fit(problem.rows, problem.targets, refining: true)
    #expect(digits(fit.all, problem.certified) >= 13)
    #expect(abs(fit.rSquared - problem.rSquared) <= 1e-13)
    guard problem.residualDeviation > 0 else { return }
    #expect(digits(fit.allErrors, problem.standardErrors) >= 13)
    let deviation = (fit.residualVariance ?? .nan).squareRoot()
    #expect(digits([deviation], [problem.residualDeviation]) >= 13)
  }

  @Test(arguments: [false, true]) func `Filip keeps seven digits`(refining: Bool) throws {
    let problem = ReferenceProblem.filip
    let fit = try fit(problem.rows, problem.targets, refining: refining)
    #expect(fit.rank == 11)
    // The powers, rounded to double precision, determine no more than 7.9 digits.
    #expect(digits(fit.all, problem.certified) >= 7)
    #expect(digits(fit.allErrors, problem.standardErrors) >= 7)
  }

  @Test func `the error estimate says where refinement is due`() throws {
    for problem in [.longley] + ReferenceProblem.wampler {
      let fit = try fit(problem.rows, problem.targets)
      let size = fit.coefficients.indices.map { column in
        let values = (0..<problem.rows.rows).map { problem.rows[$0, column] }
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }.squareRoot()
      }
      func length(_ coefficients: [Double]) -> Double {
        zip(coefficients, size).reduce(0) { $0 + $1.0 * $1.0 * $1.1 * $1.1 }.squareRoot()
      }
      let certified = Array(problem.certified.dropFirst())
      let error = length(zip(fit.coefficients, certified).map { $0 - $1 }) / length(certified)
      #expect(error <= fit.errorEstimate && fit.errorEstimate <= 1e6 * error)
    }
  }

  // MARK: Peers

  @Test func `weights, errors, t and p are those of statsmodels' WLS`() throws {
    // k = w > 0; o = sm.WLS(y[k], sm.add_constant(X[k]), weights=w[k]).fit()
    let problem = RandomProblem()
    let fit = try fit(problem.rows, problem.targets, weights: problem.weights, blocks: 3)
    let summary = fit.summary(names: ["a", "b", "c", "d"])
    let expected = [
      0.6261536332835256, 2.576560662973864, -0.21617879603264126, 0.053289820928918805,
      0.004396739886308011,
    ]
    #expect(relativeError(summary.coefficients.map(\.estimate), expected) <= 1e-11)
    let errors = [
      0.23589433284672648, 0.6986982411621522, 0.0751229213510663, 0.007251237209499624,
      0.0006997871453495119,
    ]
    #expect(relativeError(summary.coefficients.map { $0.standardError ?? .nan }, errors) <= 1e-11)
    let t = [
      2.6543818400689263, 3.6876587218657417, -2.8776675899275688, 7.349066013052978,
      6.282967493082541,
    ]
    #expect(relativeError(summary.coefficients.map { $0.statistic ?? .nan }, t) <= 1e-11)
    let p = [
      0.008732838507474345, 0.000307930728143606, 0.004543222723479994, 9.119346825798667e-12,
      2.9096161351404035e-09,
    ]
    #expect(relativeError(summary.coefficients.map { $0.pValue ?? .nan }, p) <= 1e-10)
    #expect(summary.coefficients.map(\.name) == ["intercept", "a", "b", "c", "d"])
    #expect(summary.degreesOfFreedom == 163)
    #expect(relativeError([fit.rSquared], [0.44527954756044785]) <= 1e-12)
    #expect(relativeError([fit.residualVariance ?? .nan], [1.1335416210530187]) <= 1e-12)
  }

  @Test func `a ridge penalty is scikit-learn's`() throws {
    // Ridge(alpha=3.0, solver='cholesky').fit(X, y)
    let problem = RandomProblem()
    let ridge = try fit(problem.rows, problem.targets, penalties: [3, 3, 3, 3])
    let expected = [
      0.6673270861392574, 0.4675005986956695, -0.21159153349556314, 0.04858945759034146,
      0.004723532952599182,
    ]
    #expect(relativeError(ridge.all, expected) <= 1e-11)
    let refined = try fit(problem.rows, problem.targets, penalties: [3, 3, 3, 3], refining: true)
    #expect(relativeError(refined.all, expected) <= 1e-11)
    #expect(ridge.standardErrors.intercept == nil)
    let residuals = (0..<200).reduce(0.0) { sum, i in
      let fitted = (0..<4).reduce(ridge.intercept) {
        $0 + ridge.coefficients[$1] * problem.rows[i, $1]
      }
      return sum + (problem.targets[i] - fitted) * (problem.targets[i] - fitted)
    }
    #expect(relativeError([ridge.residualSumOfSquares], [residuals]) <= 1e-12)
  }

  // MARK: Laws

  @Test func `splitting the rows changes nothing, the shift hardly anything`() throws {
    var random = Uniform(seed: 3)
    let rows: Matrix<Double> = random.matrix(1500, 7)
    let targets = random.vector(1500).elements as [Double]
    let whole = try fit(rows, targets)
    for blocks in [2, 7, 1500] {
      #expect(try fit(rows, targets, blocks: blocks).all == whole.all)
    }
    let shifted = try fit(rows, targets, shift: Array(repeating: 10, count: 8))
    #expect(relativeError(shifted.all, whole.all) <= 1e-11)
  }

  @Test func `the residuals are orthogonal to every column`() throws {
    var random = Uniform(seed: 4)
    let rows: Matrix<Double> = random.matrix(700, 40)
    let targets = random.vector(700).elements as [Double]
    let fit = try fit(rows, targets)
    var moments = [Double](repeating: 0, count: 41)
    for i in 0..<700 {
      let residual =
        targets[i]
        - (0..<40).reduce(fit.intercept) { $0 + fit.coefficients[$1] * rows[i, $1] }
      for j in 0..<40 { moments[j] += residual * rows[i, j] }
      moments[40] += residual
    }
    #expect(moments.allSatisfy { abs($0) <= 1e-11 })
  }

  // MARK: Edges

  @Test func `dependent columns share a coefficient and have no error`() throws {
    var problem = RandomProblem()
    let single = try fit(problem.rows, problem.targets)
    for i in 0..<200 { problem.rows[i, 3] = problem.rows[i, 2] }
    let double = try fit(problem.rows, problem.targets)
    var three = Matrix<Double>(rows: 200, columns: 3)
    for i in 0..<200 {
      for j in 0..<3 { three[i, j] = problem.rows[i, j] }
    }
    let reduced = try fit(three, problem.targets)
    #expect(single.rank == 5 && double.rank == 4)
    #expect(double.isDetermined == [true, true, false, false, true])
    let half = 0.5 * reduced.coefficients[2]
    #expect(
      relativeError([double.coefficients[2], double.coefficients[3]], [half, half]) <= 1e-10)
    #expect(relativeError(Array(double.all[..<3]), Array(reduced.all[..<3])) <= 1e-10)
    #expect(relativeError(Array(double.allErrors[..<3]), Array(reduced.allErrors[..<3])) <= 1e-10)
    #expect(double.standardErrors.coefficients[2] == nil)
  }

  @Test func `a constant column gets 0 and changes nothing`() throws {
    var problem = RandomProblem()
    var three = Matrix<Double>(rows: 200, columns: 3)
    for i in 0..<200 {
      problem.rows[i, 1] = 0.1
      for (j, column) in [0, 2, 3].enumerated() { three[i, j] = problem.rows[i, column] }
    }
    let fit = try fit(problem.rows, problem.targets)
    let reduced = try MillraceTests.fit(three, problem.targets)
    #expect(fit.coefficients[1] == 0 && !fit.isDetermined[1] && fit.rank == 4)
    let others = [fit.all[0], fit.all[1], fit.all[3], fit.all[4]]
    #expect(relativeError(others, reduced.all) <= 1e-11)
  }

  @Test func `fewer rows than columns are fit exactly`() throws {
    var random = Uniform(seed: 5)
    let rows: Matrix<Double> = random.matrix(3, 8)
    let fit = try fit(rows, [1, 2, 4])
    #expect(fit.rank == 3 && fit.residualVariance == nil && fit.standardErrors.intercept == nil)
    for (i, target) in [1.0, 2, 4].enumerated() {
      let fitted = (0..<8).reduce(fit.intercept) { $0 + fit.coefficients[$1] * rows[i, $1] }
      #expect(abs(fitted - target) <= 1e-12)
    }
  }

  @Test func `no columns leave the mean, one row leaves itself`() throws {
    let mean = try fit(Matrix(rows: 3, columns: 0), [1, 2, 6])
    #expect(relativeError([mean.intercept, mean.residualSumOfSquares], [3, 14]) <= 1e-14)
    let one = try fit([[2, 5]], [7])
    #expect(mean.coefficients.isEmpty && abs(mean.rSquared) <= 1e-15)
    #expect(one.all == [7, 0, 0] && one.rank == 1)
  }

  @Test func `no rows, no weight and overflow are errors`() throws {
    var empty = LeastSquares(shift: [0, 0])
    let isNumerical = { (error: any Error) in (error as? MillraceError)?.kind == .numerical }
    #expect(performing: { try empty.solve() }, throws: isNumerical)
    #expect(performing: { try fit([[1], [2]], [1, 2], weights: [0, 0]) }, throws: isNumerical)
    #expect(
      performing: { try fit([[1], [1.7e308]], [1, 2], shift: [-1.7e308, 0]) }, throws: isNumerical)
    #expect(performing: { try fit([[1], [.nan]], [1, 2]) }, throws: isNumerical)
  }
}
