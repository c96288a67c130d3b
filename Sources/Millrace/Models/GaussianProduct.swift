/// The product of Gaussians over the same weights: H = ΣHₚ, w = H⁻¹ΣHₚwₚ with Hₚ = Cₚ⁻¹; of one
/// mean each, or of several that share a covariance.
///
/// How filters that saw different records are merged: each counts by how sure it is.
struct GaussianProduct {
  private var precision: Matrix<Double>
  /// ΣHₚwₚ for each mean.
  private var pulls: [[Double]]

  /// An empty product of `dimension` weights.
  init(dimension: Int, means: Int = 1) {
    precision = Matrix(rows: dimension, columns: dimension)
    pulls = Array(repeating: Array(repeating: 0, count: dimension), count: means)
  }

  /// Multiplies by a Gaussian, its precision times `precisionFactor`. O(d³)
  ///
  /// A covariance that is singular to its rounding (columns that are sums of others) is held up by
  /// the least multiple of its greatest variance that makes it positive definite.
  ///
  /// - Throws: `numerical` when it is far from positive definite.
  mutating func multiply(
    means: [[Double]], covariance: [Double], precisionFactor: Double = 1
  ) throws(MillraceError) {
    let dimension = precision.rows
    let own = try Self.inverse(
      Matrix(rows: dimension, columns: dimension, elements: covariance))
    for row in 0..<dimension {
      for column in 0..<dimension {
        let element = precisionFactor * own[row, column]
        precision[row, column] += element
        for (index, mean) in means.enumerated() { pulls[index][row] += element * mean[column] }
      }
    }
  }

  private static func inverse(
    _ covariance: Matrix<Double>
  ) throws(MillraceError) -> Matrix<Double> {
    let greatest = (0..<covariance.rows).reduce(0) { max($0, covariance[$1, $1]) }
    for support in [0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4] {
      var held = covariance
      for index in 0..<held.rows { held[index, index] += support * greatest }
      if let factor = try? Cholesky(held) { return try factor.inverse() }
    }
    throw MillraceError(
      .numerical, "a covariance to merge is not positive definite (greatest variance \(greatest))")
  }

  /// The product's means and covariance. O(d³)
  func result() throws(MillraceError) -> (means: [[Double]], covariance: [Double]) {
    let factor = try Cholesky(precision)
    var means = pulls
    for index in means.indices { factor.solve(&means[index]) }
    return (means, try factor.inverse().elements)
  }
}
