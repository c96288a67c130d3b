import Glibc
import Millrace
import Testing

/// Σᵢ φ(aᵢᵀx) of a function with its derivatives.
private struct Sum: Objective, Sendable {
  let forms: [[Double]]
  let function: @Sendable (Int, Double) -> (value: Double, slope: Double, curvature: Double)
  var dimension: Int { forms[0].count }

  mutating func evaluate(
    at point: [Double], into evaluation: inout Evaluation
  ) throws(MillraceError) {
    for (i, form) in forms.enumerated() {
      let (value, slope, curvature) = function(
        i, zip(form, point).reduce(0) { $0 + $1.0 * $1.1 })
      evaluation.value += value
      for j in form.indices {
        evaluation.gradient[j] += slope * form[j]
        for k in 0...j { evaluation.hessian?[j, k] += curvature * form[j] * form[k] }
      }
    }
  }
}

private let corners: [[Double]] = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]]

/// exp(x) + exp(−x) + exp(y) + exp(−y) + exp(x + y); by symmetry x = y, where
/// exp(x) − exp(−x) + exp(2x) = 0: x = −0.2811995743154835 (scipy.optimize.brentq).
private let exponentials = Sum(forms: corners) { (exp($1), exp($1), exp($1)) }
private let minimum = -0.28119957432296183

@Suite struct `Minimizers` {
  @Test(arguments: [[0.0, 0], [1, -2], [4, 4], [-30, 20]])
  func `Newton and L-BFGS find the same minimum`(_ start: [Double]) throws {
    var objective = exponentials
    var newton = Newton(from: start)
    try newton.minimize(&objective)
    #expect(newton.point.allSatisfy { abs($0 - minimum) <= 1e-12 })
    var lbfgs = LBFGS(from: start, tolerance: 1e-12)
    if start[0] > -30 {
      try lbfgs.minimize(&objective)
      #expect(lbfgs.point.allSatisfy { abs($0 - minimum) <= 1e-9 })
    }
  }

  @Test func `a quadratic takes Newton one step`() throws {
    var random = Uniform(seed: 1)
    let forms = (0..<20).map { _ in (0..<6).map { _ in random.next() } }
    let targets = (0..<20).map { _ in random.next() }
    var objective = Sum(forms: forms) {
      (0.5 * ($1 - targets[$0]) * ($1 - targets[$0]), $1 - targets[$0], 1)
    }
    var newton = Newton(from: Array(repeating: 3, count: 6))
    try newton.minimize(&objective)
    #expect(newton.evaluationCount == 2)
    var lbfgs = LBFGS(from: Array(repeating: 3, count: 6), tolerance: 1e-12)
    try lbfgs.minimize(&objective)
    #expect(relativeError(lbfgs.point, newton.point) <= 1e-9)
    // H = Σ aaᵀ; along a unit vector its inverse is a diagonal entry of the inverse.
    let h = Matrix(rows: 20, columns: 6, elements: forms.flatMap(\.self))
    let inverse = try Cholesky(h.transposed × h).inverse()
    let found = newton.inverseCurvature(along: [0, 0, 1, 0, 0, 0]) ?? .nan
    #expect(relativeError([found], [inverse[2, 2]]) <= 1e-10)
  }

  @Test func `directions without curvature are not moved along`() throws {
    // cosh(x + y − 2): all minima lie on a line; the nearest to (0, 0) is (1, 1).
    var objective = Sum(forms: [[1, 1]]) { (cosh($1 - 2), sinh($1 - 2), cosh($1 - 2)) }
    var newton = Newton(from: [0, 0])
    try newton.minimize(&objective)
    #expect(newton.point.allSatisfy { abs($0 - 1) <= 1e-12 })
    #expect(newton.inverseCurvature(along: [1, 1]) != nil)
    #expect(newton.inverseCurvature(along: [1, 0]) == nil)
  }

  @Test func `a function without a minimum is noticed`() {
    // exp(−x) falls for ever; (y − 1)² does not.
    var falling = Sum(forms: [[1, 0], [0, 1]]) { i, z in
      i == 0 ? (exp(-z), -exp(-z), exp(-z)) : (10 + (z - 1) * (z - 1), 2 * (z - 1), 2)
    }
    let error = #expect(throws: MillraceError.self) {
      var newton = Newton(from: [0, 0])
      try newton.minimize(&falling)
    }
    #expect(error?.kind == .numerical && error?.message.contains("coordinate 0") == true)
  }

  @Test func `what is not a number at the start is an error`() {
    var undefined = Sum(forms: [[1]]) { (log($1), 1 / $1, -1 / ($1 * $1)) }
    #expect(throws: MillraceError.self) {
      var newton = Newton(from: [-1])
      try newton.minimize(&undefined)
    }
    #expect(throws: MillraceError.self) {
      var lbfgs = LBFGS(from: [-1])
      try lbfgs.minimize(&undefined)
    }
  }

  @Test func `a step into what is not a number is shortened`() throws {
    // −log x + x: minimum at 1, not a number for x < 0; from 3 Newton's step leads to −3.
    var barrier = Sum(forms: [[1]]) { (-log($1) + $1, 1 - 1 / $1, 1 / ($1 * $1)) }
    var newton = Newton(from: [3])
    try newton.minimize(&barrier)
    #expect(abs(newton.point[0] - 1) <= 1e-12)
    var lbfgs = LBFGS(from: [3])
    try lbfgs.minimize(&barrier)
    #expect(abs(lbfgs.point[0] - 1) <= 1e-8)
  }
}
