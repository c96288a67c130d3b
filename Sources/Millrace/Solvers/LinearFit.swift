internal import CMillraceKernels

/// What `LeastSquares` found.
public struct LinearFit: Sendable {
  /// b₀, for the columns as they came.
  public private(set) var intercept: Double
  /// bⱼ, one per column; 0 for a column that never varies.
  public private(set) var coefficients: [Double]
  /// Independent columns, the constant counted.
  public let rank: Int
  /// Whether the data determine each coefficient, the intercept last: `false` where columns depend
  /// on each other, and for a column that never varies.
  public let isDetermined: [Bool]
  /// Rows of positive weight.
  public let rowCount: Int
  /// Σωᵢ
  public let weightSum: Double
  /// Σᵢ ωᵢ(yᵢ − b₀ − bᵀxᵢ)²
  public let residualSumOfSquares: Double
  /// Σᵢ ωᵢ(yᵢ − ȳ)²
  public let totalSumOfSquares: Double
  /// A bound on the coefficients' error from rounding, beside their size, columns scaled: grows
  /// with the condition number and, squared, with the residuals (Björck 1996, §1.4.3).
  public let errorEstimate: Double
  /// The weighted mean of each column, the target's last.
  private let means: [Double]
  private let penalties: [Double]?
  /// F with FFᵀ = (XᵀX + diag(λ))⁻¹ for centred columns (its pseudoinverse where they depend on
  /// each other).
  private let inverseFactor: Matrix<Double>

  /// Solves the triangle R of the scaled columns that vary and of the target.
  ///
  /// - Parameter residual: what of the target lies outside all columns.
  init(
    triangle: Matrix<Double>, active: [Int], lengths: [Double], penalties: [Double]?,
    residual: Double, totalSumOfSquares: Double, means: [Double], rowCount: Int, weightSum: Double
  ) throws(MillraceError) {
    let count = active.count
    var r = Matrix<Double>(rows: count, columns: count)
    for row in 0..<count {
      for column in row..<count { r[row, column] = triangle[row, column] }
    }
    let target = (0..<count).map { triangle[$0, count] }
    let inverse = try ScaledInverse(r)
    let scaled = inverse.solve(target)

    var coefficients = [Double](repeating: 0, count: lengths.count)
    var factor = Matrix<Double>(rows: lengths.count, columns: inverse.rank)
    var isDetermined = [Bool](repeating: false, count: lengths.count + 1)
    for (k, column) in active.enumerated() {
      coefficients[column] = scaled[k] / lengths[column]
      isDetermined[column] = inverse.determines((0..<count).map { $0 == k ? 1 : 0 })
      for index in 0..<inverse.rank {
        factor[column, index] = inverse.factor[k, index] / lengths[column]
      }
    }
    isDetermined[lengths.count] = inverse.determines(active.map { means[$0] / lengths[$0] })

    let outside = [residual, triangle[count, count]] + inverse.residual(target, scaled)
    let distance = outside.withVectorView(BLAS.nrm2)
    let size = scaled.withVectorView(BLAS.nrm2)
    let penalty = zip(penalties ?? [], coefficients).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
    let kappa = inverse.condition
    errorEstimate = size > 0 ? Double.ulpOfOne * kappa * (1 + kappa * distance / size) : 0
    residualSumOfSquares = max(0, distance * distance - penalty)
    rank = 1 + inverse.rank
    intercept = zip(means, coefficients).reduce(means[lengths.count]) { $0 - $1.0 * $1.1 }
    inverseFactor = factor
    self.coefficients = coefficients
    self.isDetermined = isDetermined
    self.penalties = penalties
    self.totalSumOfSquares = totalSumOfSquares
    self.means = means
    self.rowCount = rowCount
    self.weightSum = weightSum
  }

  /// R⁻¹ of a triangle with columns of length 1, or its pseudoinverse where that is singular.
  private struct ScaledInverse {
    let rank: Int
    /// ‖R‖·‖R⁻¹‖, over what is not singular.
    let condition: Double
    /// R⁻¹ (d × rank), or VS⁺ where singular: times its transpose, the inverse of RᵀR.
    private(set) var factor: Matrix<Double>
    private let r: Matrix<Double>
    /// Uᵀ and Vᵀ of the singular values kept, where singular.
    private var vectors: (ut: Matrix<Double>, vt: Matrix<Double>)?

    init(_ r: Matrix<Double>) throws(MillraceError) {
      let count = r.rows
      self.r = r
      let reciprocal = try r.withView { (r) throws(MillraceError) in try LAPACK.trcon(r, .upper) }
      guard reciprocal <= 8 * Double(count) * .ulpOfOne else {
        rank = count
        condition = 1 / reciprocal
        factor = .identity(count)
        factor.withMutableView { factor in r.withView { BLAS.trsm($0, .upper, into: factor) } }
        return
      }
      let svd = try SingularValueDecomposition(r)
      let largest = svd.values.first ?? 0
      let kept = svd.values.prefix { $0 > Double(count) * .ulpOfOne * largest }
      rank = kept.count
      condition = largest / (kept.last ?? 1)
      let ut = Matrix(
        rows: rank, columns: count, elements: Array(svd.u.transposed.elements[..<(rank * count)]))
      let vt = Matrix(
        rows: rank, columns: count, elements: Array(svd.vt.elements[..<(rank * count)]))
      vectors = (ut, vt)
      factor = vt.transposed
      for k in 0..<count {
        for index in 0..<rank { factor[k, index] /= svd.values[index] }
      }
    }

    /// argmin ‖Rx − b‖, the shortest.
    func solve(_ b: [Double]) -> [Double] {
      guard let vectors else {
        var x = b
        x.withMutableVectorView { x in r.withView { BLAS.trsv($0, .upper, into: x) } }
        return x
      }
      return factor * (vectors.ut * b)
    }

    /// b − Rx of a solution.
    func residual(_ b: [Double], _ x: [Double]) -> [Double] {
      vectors == nil ? [] : zip(b, r * x).map { $0 - $1 }
    }

    /// Whether aᵀx is the same for all minimisers: a lies in the space of the rows.
    func determines(_ a: [Double]) -> Bool {
      guard let vectors else { return true }
      let inside = vectors.vt.transposed * (vectors.vt * a)
      let outside = zip(a, inside).map { $0 - $1 }
      return outside.withVectorView(BLAS.nrm2) <= 1e-8 * a.withVectorView(BLAS.nrm2)
    }
  }
}

// MARK: - Refinement

/// Σᵢ ωᵢrᵢ(xᵢ, 1) of the residuals r that a fit leaves, in twice the working precision: 0 at the
/// exact solution, and small near it where rounding would leave noise.
public struct ResidualMoments: Sendable {
  private let coefficients: [Double]
  fileprivate var high: [Double]
  fileprivate var low: [Double]

  /// No rows yet; they are to be the rows of the fit.
  public init(of fit: LinearFit) {
    coefficients = fit.coefficients + [fit.intercept]
    high = Array(repeating: 0, count: coefficients.count)
    low = high
  }

  /// Takes in rows, as `LeastSquares.add` did.
  public mutating func add(
    _ rows: MatrixView<Double>, targets: UnsafePointer<Double>, weights: UnsafePointer<Float>
  ) {
    precondition(rows.columns == coefficients.count - 1)
    millrace_residual_moments(
      rows.base, rows.rows, rows.columns, rows.stride, targets, weights, coefficients, &high, &low)
  }
}

extension LinearFit {
  /// One step of iterative refinement: b ← b + (XᵀX)⁻¹Xᵀr, r in twice the working precision
  /// (Björck 1987, "Stability analysis of the method of seminormal equations"). It makes the
  /// coefficients exact to the last digits wherever the condition number is far from 1/ε.
  public func refined(by moments: ResidualMoments) -> LinearFit {
    let last = coefficients.count
    // The means are taken out of the moments, where they would cancel, in both halves.
    let centred = (0..<last).map { column in
      let product = means[column] * moments.high[last]
      let rest = (-product).addingProduct(means[column], moments.high[last])
      let penalty = (penalties?[column] ?? 0) * coefficients[column]
      return (moments.high[column] - product) - rest + moments.low[column]
        - means[column] * moments.low[last] - penalty
    }
    let step = inverseFactor * (inverseFactor.transposed * centred)
    var result = self
    for column in 0..<last { result.coefficients[column] += step[column] }
    result.intercept +=
      moments.high[last] / weightSum - zip(means, step).reduce(0) { $0 + $1.0 * $1.1 }
    return result
  }
}

extension LinearFit {
  /// s² = residual sum of squares / degrees of freedom, where there are any
  public var residualVariance: Double? {
    degreesOfFreedom > 0 ? residualSumOfSquares / Double(degreesOfFreedom) : nil
  }

  /// Rows less independent columns.
  public var degreesOfFreedom: Int { rowCount - rank }

  /// The share of the target's spread that the fit explains; 1 where there is none.
  public var rSquared: Double {
    totalSumOfSquares > 0 ? 1 - residualSumOfSquares / totalSumOfSquares : 1
  }

  /// The standard errors of b₀ and b; `nil` where the data do not determine a coefficient, leave
  /// no degrees of freedom, or were fit with a penalty.
  public var standardErrors: (intercept: Double?, coefficients: [Double?]) {
    guard let variance = residualVariance, penalties == nil else {
      return (nil, coefficients.map { _ in nil })
    }
    let deviation = variance.squareRoot()
    let ofColumns = inverseFactor.withView { factor in
      coefficients.indices.map { deviation * BLAS.nrm2(factor.row($0)) }
    }
    let ofMeans = inverseFactor.transposed * Array(means.dropLast()) + [1 / weightSum.squareRoot()]
    let errors = zip(ofColumns + [deviation * ofMeans.withVectorView(BLAS.nrm2)], isDetermined)
      .map { error, isDetermined in isDetermined ? error : nil }
    return (errors[coefficients.count], Array(errors.dropLast()))
  }
}
