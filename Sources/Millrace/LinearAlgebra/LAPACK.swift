/// Factorizations and least squares in place (https://netlib.org/lapack), row-major.
///
/// Shapes are the caller's to get right; what the numbers make impossible is thrown as `numerical`.
/// `Cholesky`, `QR`, `SingularValueDecomposition` and `SymmetricEigen` own what these work on.
public enum LAPACK {
  /// A ← L with A = LLᵀ, or U with A = UᵀU: one triangle of a symmetric positive definite matrix.
  ///
  /// - Throws: `numerical` when A is not positive definite.
  public static func potrf<S: BLASScalar>(
    _ a: MutableMatrixView<S>, _ triangle: Triangle = .lower
  ) throws(MillraceError) {
    precondition(a.rows == a.columns, "potrf of \(a.rows) × \(a.columns)")
    var failure = Int(S.potrf(a, triangle)) - 1
    // OpenBLAS lets NaN through its test of the pivots.
    if failure < 0 { failure = (0..<a.rows).first { !a[$0, $0].isFinite } ?? -1 }
    guard failure < 0 else {
      throw MillraceError(
        .numerical,
        "the \(a.rows) × \(a.rows) matrix is not positive definite: pivot \(failure) failed")
    }
  }

  /// b ← A⁻¹b, given what `potrf` made of A; `b` contiguous.
  public static func potrs<S: BLASScalar>(
    _ factor: MatrixView<S>, _ triangle: Triangle = .lower, into b: MutableVectorView<S>
  ) {
    precondition(
      factor.rows == factor.columns && b.count == factor.rows && b.stride == 1,
      "potrs of \(factor.rows) × \(factor.columns) and \(b.count) numbers, stride \(b.stride)")
    _ = S.potrs(factor, triangle, b)
  }

  /// A⁻¹ in one triangle, in place of what `potrf` made of A.
  public static func potri<S: BLASScalar>(
    _ factor: MutableMatrixView<S>, _ triangle: Triangle = .lower
  ) throws(MillraceError) {
    precondition(factor.rows == factor.columns, "potri of \(factor.rows) × \(factor.columns)")
    try check(S.potri(factor, triangle), "the inverse", of: factor.reading)
  }

  /// A ← R on and above the diagonal, with A = QR; what defines Q below it and in `tau`.
  ///
  /// - Parameter tau: min(rows, columns) numbers.
  public static func geqrf<S: BLASScalar>(
    _ a: MutableMatrixView<S>, tau: MutableVectorView<S>
  ) throws(MillraceError) {
    precondition(tau.count == min(a.rows, a.columns), "geqrf with \(tau.count) numbers in tau")
    guard tau.count > 0 else { return }
    try check(S.geqrf(a, tau), "the QR factorization", of: a.reading)
  }

  /// A ← L on and below the diagonal, with A = LQ; recursive (Elmroth, Gustavson 2000), the fastest
  /// of its kind. Where the rows of A are the columns of data, L is the transpose of their R.
  ///
  /// - Parameters:
  ///   - a: no more rows than columns.
  ///   - t: what with A above the diagonal defines Q; `a.rows` rows, a block size of columns.
  public static func gelqt<S: BLASScalar>(
    _ a: MutableMatrixView<S>, t: MutableMatrixView<S>
  ) throws(MillraceError) {
    precondition(
      a.rows <= a.columns && t.rows == a.rows && t.columns <= max(1, a.rows),
      "gelqt of \(a.rows) × \(a.columns) with \(t.rows) × \(t.columns) in t")
    guard a.rows > 0 else { return }
    try check(S.gelqt(a, t), "the LQ factorization", of: a.reading)
  }

  /// C ← QC, or QᵀC when `transposed`, given what `geqrf` made of A; C has A's rows.
  public static func ormqr<S: BLASScalar>(
    _ factor: MatrixView<S>, tau: VectorView<S>, transposed: Bool, into c: MutableMatrixView<S>
  ) throws(MillraceError) {
    precondition(
      c.rows == factor.rows && tau.count == min(factor.rows, factor.columns),
      "ormqr of \(factor.rows) × \(factor.columns) and \(c.rows) × \(c.columns)")
    guard tau.count > 0, c.columns > 0 else { return }
    try check(S.ormqr(factor, tau, transposed: transposed, c), "the product by Q", of: factor)
  }

  /// 1/(‖A‖₁·‖A⁻¹‖₁) of a triangular matrix, estimated in O(n²); 0 where it is singular.
  public static func trcon<S: BLASScalar>(
    _ a: MatrixView<S>, _ triangle: Triangle
  ) throws(MillraceError) -> S {
    precondition(a.rows == a.columns, "trcon of \(a.rows) × \(a.columns)")
    var result: S = 1
    guard a.rows > 0 else { return result }
    try check(S.trcon(a, triangle, &result), "the condition number", of: a)
    return result
  }

  /// X ← argmin ‖AX − B‖, of least norm where A is rank deficient, by singular values.
  ///
  /// - Parameters:
  ///   - a: destroyed.
  ///   - b: max(rows, columns) rows: B in the first `a.rows`, then X in the first `a.columns`.
  ///   - tolerance: singular values below this share of the largest count as 0; negative means
  ///     the machine's precision.
  /// - Returns: the rank and the singular values, largest first.
  public static func gelsd<S: BLASScalar>(
    _ a: MutableMatrixView<S>, into b: MutableMatrixView<S>, tolerance: S = -1
  ) throws(MillraceError) -> (rank: Int, singularValues: [S]) {
    guard prepareLeastSquares(a, b) else { return (0, []) }
    var values = [S](repeating: 0, count: min(a.rows, a.columns))
    var rank: Int32 = 0
    let info = values.withMutableVectorView { S.gelsd(a, b, tolerance, $0, &rank) }
    try check(info, "the singular value iteration", of: a.reading)
    return (Int(rank), values)
  }

  /// The same by QR with column pivoting: faster, and more exact where columns differ in scale.
  ///
  /// - Parameter tolerance: the reciprocal of the largest condition number allowed.
  /// - Returns: the rank.
  public static func gelsy<S: BLASScalar>(
    _ a: MutableMatrixView<S>, into b: MutableMatrixView<S>, tolerance: S
  ) throws(MillraceError) -> Int {
    guard prepareLeastSquares(a, b) else { return 0 }
    var rank: Int32 = 0
    try check(S.gelsy(a, b, tolerance, &rank), "the pivoted factorization", of: a.reading)
    return Int(rank)
  }

  /// A = U·diag(s)·Vᵀ, thin; divide and conquer, or QR iteration where that does not converge.
  ///
  /// - Parameters:
  ///   - a: destroyed.
  ///   - u: rows × k with k = min(rows, columns).
  ///   - s: the singular values, largest first.
  ///   - vt: k × columns.
  public static func gesdd<S: BLASScalar>(
    _ a: MutableMatrixView<S>, u: MutableMatrixView<S>, s: MutableVectorView<S>,
    vt: MutableMatrixView<S>
  ) throws(MillraceError) {
    guard checkSingular(a, u, s, vt) else { return }
    try check(S.gesdd(a, u, s, vt), "the singular value iteration", of: a.reading)
  }

  /// The same by QR iteration: slower, and converges where divide and conquer may not.
  public static func gesvd<S: BLASScalar>(
    _ a: MutableMatrixView<S>, u: MutableMatrixView<S>, s: MutableVectorView<S>,
    vt: MutableMatrixView<S>
  ) throws(MillraceError) {
    guard checkSingular(a, u, s, vt) else { return }
    try check(S.gesvd(a, u, s, vt), "the singular value iteration", of: a.reading)
  }

  /// A = Vᵀ·diag(values)·V, A symmetric: the rows of A become the eigenvectors.
  ///
  /// - Parameter values: the eigenvalues, smallest first.
  public static func syevd<S: BLASScalar>(
    _ a: MutableMatrixView<S>, _ triangle: Triangle = .lower, values: MutableVectorView<S>
  ) throws(MillraceError) {
    precondition(
      a.rows == a.columns && values.count == a.rows,
      "syevd of \(a.rows) × \(a.columns) with \(values.count) values")
    try check(S.syevd(a, triangle, values), "the eigenvalue iteration", of: a.reading)
  }

  /// Checks the shapes; answers the empty case itself (X = 0).
  private static func prepareLeastSquares<S>(
    _ a: MutableMatrixView<S>, _ b: MutableMatrixView<S>
  ) -> Bool where S: BLASScalar {
    precondition(
      b.rows == max(a.rows, a.columns),
      "least squares of \(a.rows) × \(a.columns) with \(b.rows) rows")
    guard a.rows > 0, a.columns > 0, b.columns > 0 else {
      for row in 0..<b.rows { BLAS.scal(0, into: b.row(row)) }
      return false
    }
    return true
  }

  private static func checkSingular<S>(
    _ a: MutableMatrixView<S>, _ u: MutableMatrixView<S>, _ s: MutableVectorView<S>,
    _ vt: MutableMatrixView<S>
  ) -> Bool {
    precondition(
      s.count == min(a.rows, a.columns) && u.rows == a.rows && u.columns == s.count
        && vt.rows == s.count && vt.columns == a.columns,
      "the singular values of \(a.rows) × \(a.columns) in \(s.count)")
    return s.count > 0
  }

  private static func check<S>(
    _ info: Int32, _ what: String, of a: MatrixView<S>
  ) throws(MillraceError) {
    guard info != 0 else { return }
    let reason = info < 0 ? "a number is not finite" : "it does not converge or is singular"
    throw MillraceError(.numerical, "\(what) of the \(a.rows) × \(a.columns) matrix: \(reason)")
  }
}
