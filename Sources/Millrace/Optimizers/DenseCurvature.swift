/// H = Σ dᵢzᵢzᵢᵀ over past records, and the inverse of H + λI, which may lag behind.
struct DenseCurvature: Sendable {
  /// H in the lower triangle.
  private(set) var matrix: Matrix<Float>
  /// (H + λI)⁻¹ when it was last made, in the lower triangle.
  private var inverse: Matrix<Float>
  /// Records that came after the inverse.
  private var freshCount = Double.infinity

  /// An inverse serves until δ goes so much too far, or this share of the records is new: less as
  /// long as there are few records per column.
  private static let overshoot: Float = 1.25
  private static let (earlyShare, fewRecords, share) = (1.0 / 16, 64.0, 1.0 / 8)

  init(columnCount: Int) {
    matrix = Matrix(rows: columnCount, columns: columnCount)
    inverse = matrix
  }

  /// H ← decay·H + ZᵀZ, with rows that stand for so many records.
  mutating func add(_ rows: MatrixView<Float>, decay: Double, recordCount: Int) {
    matrix.withMutableView { BLAS.syrk(rows, transposed: true, beta: Float(decay), into: $0) }
    freshCount += Double(recordCount)
  }

  /// δ = (H + λI)⁻¹g; `nil` when H + λI is not positive definite.
  ///
  /// - Parameter recordCount: the records that H counts.
  mutating func solve(_ gradient: [Float], ridge: Float, recordCount: Double) -> [Float]? {
    let isEarly = recordCount < Self.fewRecords * Double(matrix.rows)
    if freshCount < recordCount * (isEarly ? Self.earlyShare : Self.share) {
      let delta = applied(to: gradient)
      if !overshoots(delta, gradient) { return delta }
    }
    return invert(ridge) ? applied(to: gradient) : nil
  }

  private mutating func invert(_ ridge: Float) -> Bool {
    inverse = matrix
    for j in 0..<inverse.rows {
      // Columns that depend on others leave H without an inverse but for rounding.
      inverse[j, j] += ridge + 1e-5 * inverse[j, j]
    }
    do {
      try inverse.withMutableView { (a) throws(MillraceError) in
        try LAPACK.potrf(a)
        try LAPACK.potri(a)
      }
      freshCount = 0
      return true
    } catch {
      freshCount = .infinity
      return false
    }
  }

  private func applied(to gradient: [Float]) -> [Float] {
    var delta = gradient
    inverse.withView { inverse in
      gradient.withVectorView { gradient in
        delta.withMutableVectorView { BLAS.symv(inverse, .lower, gradient, into: $0) }
      }
    }
    return delta
  }

  /// Whether H has grown along δ since it was inverted: δᵀHδ is beyond gᵀδ.
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
    archive.set(inverse.elements, shape: shape, as: prefix + "inverse")
    archive.set(freshCount, as: prefix + "freshCount")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let count = matrix.elements.count
    matrix.elements = try archive.floats(prefix + "curvature", count: count)
    inverse.elements = try archive.floats(prefix + "inverse", count: count)
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
