/// H = Σ dᵢzᵢzᵢᵀ over past records, and its inverse as a Cholesky factor that may lag behind.
struct DenseCurvature: Sendable {
  /// H in the lower triangle.
  private(set) var matrix: Matrix<Float>
  /// The factor of H + λI when it was last made.
  private var factor: Matrix<Float>
  /// Records that came after the factor.
  private var freshCount = Double.infinity

  /// A factor serves until this share of the records is new, or δ goes so much too far.
  private static let (freshShare, overshoot): (Double, Float) = (1.0 / 16, 1.25)

  init(columnCount: Int) {
    matrix = Matrix(rows: columnCount, columns: columnCount)
    factor = matrix
  }

  /// H ← decay·H + ZᵀZ
  mutating func add(_ rows: MatrixView<Float>, decay: Double) {
    matrix.withMutableView { BLAS.syrk(rows, transposed: true, beta: Float(decay), into: $0) }
    freshCount += Double(rows.rows)
  }

  /// δ = (H + λI)⁻¹g; `nil` when H + λI is not positive definite.
  ///
  /// - Parameter recordCount: the records that H counts.
  mutating func solve(_ gradient: [Float], ridge: Float, recordCount: Double) -> [Float]? {
    if freshCount < recordCount * Self.freshShare {
      let delta = applied(to: gradient)
      if !overshoots(delta, gradient) { return delta }
    }
    return refactor(ridge) ? applied(to: gradient) : nil
  }

  private mutating func refactor(_ ridge: Float) -> Bool {
    factor = matrix
    for j in 0..<factor.rows {
      // Columns that depend on others leave H without an inverse but for rounding.
      factor[j, j] += ridge + 1e-5 * factor[j, j]
    }
    do {
      try factor.withMutableView { (l) throws(MillraceError) in try LAPACK.potrf(l) }
      freshCount = 0
      return true
    } catch {
      freshCount = .infinity
      return false
    }
  }

  private func applied(to gradient: [Float]) -> [Float] {
    var delta = gradient
    factor.withView { l in delta.withMutableVectorView { LAPACK.potrs(l, into: $0) } }
    return delta
  }

  /// Whether H has grown along δ since it was factored: δᵀHδ is beyond gᵀδ.
  private func overshoots(_ delta: [Float], _ gradient: [Float]) -> Bool {
    var image = gradient
    return matrix.withView { h in
      delta.withVectorView { delta in
        image.withMutableVectorView { BLAS.symv(h, .lower, delta, into: $0) }
        let descent = gradient.withVectorView { BLAS.dot($0, delta) }
        return image.withVectorView { BLAS.dot($0, delta) } > Self.overshoot * descent
      }
    }
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    let shape = [matrix.rows, matrix.columns]
    archive.set(matrix.elements, shape: shape, as: prefix + "curvature")
    archive.set(factor.elements, shape: shape, as: prefix + "factor")
    archive.set(freshCount, as: prefix + "freshCount")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let count = matrix.elements.count
    matrix.elements = try archive.floats(prefix + "curvature", count: count)
    factor.elements = try archive.floats(prefix + "factor", count: count)
    freshCount = try archive.double(prefix + "freshCount")
  }
}

/// The diagonal of H, for columns too many to keep it whole.
struct DiagonalCurvature: Sendable {
  private(set) var diagonal: [Float]

  init(columnCount: Int) { diagonal = Array(repeating: 0, count: columnCount) }

  /// H ← decay·H + diag(ZᵀZ)
  mutating func add(_ rows: MatrixView<Float>, decay: Double) {
    let factor = Float(decay)
    for j in diagonal.indices { diagonal[j] *= factor }
    for i in 0..<rows.rows {
      for j in diagonal.indices { diagonal[j] += rows[i, j] * rows[i, j] }
    }
  }

  /// (H + λI)⁻¹g, shortened to where it meets the lowest point of gᵀδ·x − ½‖Zδ‖²·x² over the rows
  /// that were added last.
  func solve(_ gradient: [Float], ridge: Float, rows: MatrixView<Float>) -> [Float] {
    var delta = gradient
    for j in delta.indices { delta[j] /= diagonal[j] + ridge }
    var margins = [Float](repeating: 0, count: rows.rows)
    let (descent, bend) = delta.withVectorView { delta in
      margins.withMutableVectorView { BLAS.gemv(rows, delta, into: $0) }
      return (
        gradient.withVectorView { BLAS.dot($0, delta) },
        margins.withVectorView { BLAS.dot($0, $0) }
      )
    }
    if bend > descent {
      let share = descent / bend
      for j in delta.indices { delta[j] *= share }
    }
    return delta
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(diagonal, as: prefix + "curvature")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    diagonal = try archive.floats(prefix + "curvature", count: diagonal.count)
  }
}
