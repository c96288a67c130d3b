/// A = LLᵀ of a symmetric positive definite matrix.
public struct Cholesky<Scalar: BLASScalar>: Sendable {
  /// L in the lower triangle; above the diagonal, what A had there.
  public private(set) var factor: Matrix<Scalar>

  /// Factors the matrix whose lower triangle is given. O(n³/3)
  ///
  /// - Throws: `numerical` when it is not positive definite.
  public init(_ matrix: Matrix<Scalar>) throws(MillraceError) {
    factor = matrix
    try factor.withMutableView { (a) throws(MillraceError) in try LAPACK.potrf(a) }
  }

  /// b ← A⁻¹b. O(n²)
  public func solve(_ b: inout [Scalar]) {
    factor.withView { l in b.withMutableVectorView { LAPACK.potrs(l, into: $0) } }
  }

  /// B ← A⁻¹B. O(n²) a column
  public func solve(_ b: inout Matrix<Scalar>) {
    factor.withView { l in
      b.withMutableView { b in
        BLAS.trsm(l, .lower, into: b)
        BLAS.trsm(l, .lower, transposed: true, into: b)
      }
    }
  }

  /// A⁻¹, both triangles.
  public func inverse() throws(MillraceError) -> Matrix<Scalar> {
    var result = factor
    try result.withMutableView { (a) throws(MillraceError) in try LAPACK.potri(a) }
    result.symmetrize(from: .lower)
    return result
  }
}

/// A = QR by Householder's reflections.
public struct QR<Scalar: BLASScalar>: Sendable {
  private var factor: Matrix<Scalar>
  private var tau: [Scalar]

  /// Factors a matrix of any shape. O(2mn²) for m ≥ n
  public init(_ matrix: Matrix<Scalar>) throws(MillraceError) {
    factor = matrix
    tau = Array(repeating: 0, count: min(matrix.rows, matrix.columns))
    try factor.withMutableView { (a) throws(MillraceError) in
      try tau.withMutableVectorView { (t) throws(MillraceError) in try LAPACK.geqrf(a, tau: t) }
    }
  }

  /// R: min(rows, columns) × columns, 0 below the diagonal.
  public var r: Matrix<Scalar> {
    var result = Matrix<Scalar>(rows: tau.count, columns: factor.columns)
    for row in 0..<result.rows {
      for column in row..<result.columns { result[row, column] = factor[row, column] }
    }
    return result
  }

  /// C ← QC, or QᵀC when `transposed`.
  public func multiplyQ(
    transposed: Bool = false, into c: inout Matrix<Scalar>
  ) throws(MillraceError) {
    try factor.withView { (a) throws(MillraceError) in
      try tau.withVectorView { (t) throws(MillraceError) in
        try c.withMutableView { (c) throws(MillraceError) in
          try LAPACK.ormqr(a, tau: t, transposed: transposed, into: c)
        }
      }
    }
  }
}

/// A = U·diag(s)·Vᵀ, thin.
public struct SingularValueDecomposition<Scalar: BLASScalar>: Sendable {
  /// rows × k, with k = min(rows, columns).
  public private(set) var u: Matrix<Scalar>
  /// k singular values, largest first.
  public private(set) var values: [Scalar]
  /// k × columns.
  public private(set) var vt: Matrix<Scalar>

  /// Decomposes a matrix of any shape.
  ///
  /// - Throws: `numerical` when an entry is not finite.
  public init(_ matrix: Matrix<Scalar>) throws(MillraceError) {
    let size = min(matrix.rows, matrix.columns)
    values = Array(repeating: 0, count: size)
    u = Matrix(rows: matrix.rows, columns: size)
    vt = Matrix(rows: size, columns: matrix.columns)
    do {
      try decompose(matrix, by: LAPACK.gesdd)
    } catch {
      try decompose(matrix, by: LAPACK.gesvd)
    }
  }

  private mutating func decompose(
    _ matrix: Matrix<Scalar>,
    by routine: (
      MutableMatrixView<Scalar>, MutableMatrixView<Scalar>, MutableVectorView<Scalar>,
      MutableMatrixView<Scalar>
    ) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    var copy = matrix
    try copy.withMutableView { (a) throws(MillraceError) in
      try u.withMutableView { (u) throws(MillraceError) in
        try values.withMutableVectorView { (s) throws(MillraceError) in
          try vt.withMutableView { (vt) throws(MillraceError) in try routine(a, u, s, vt) }
        }
      }
    }
  }
}

/// A = Vᵀ·diag(values)·V of a symmetric matrix.
public struct SymmetricEigen<Scalar: BLASScalar>: Sendable {
  /// The eigenvalues, smallest first.
  public private(set) var values: [Scalar]
  /// The eigenvectors: row i belongs to `values[i]`.
  public private(set) var vectors: Matrix<Scalar>

  /// Decomposes the matrix whose lower triangle is given.
  ///
  /// - Throws: `numerical` when an entry is not finite.
  public init(_ matrix: Matrix<Scalar>) throws(MillraceError) {
    vectors = matrix
    values = Array(repeating: 0, count: matrix.rows)
    try vectors.withMutableView { (a) throws(MillraceError) in
      try values.withMutableVectorView { (w) throws(MillraceError) in
        try LAPACK.syevd(a, values: w)
      }
    }
  }
}
