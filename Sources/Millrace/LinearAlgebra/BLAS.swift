/// Vector and matrix products (https://netlib.org/blas), row-major, with their shapes checked.
///
/// A result argument is named `into:`; it may not overlap another argument. With β = 0 it is only
/// written, so it may hold anything before. Where a dimension is 0 the sums over it are 0. OpenBLAS
/// runs on the calling thread alone: its threaded sums are not reproducible.
public enum BLAS {
  // MARK: Level 1, O(n)

  /// xᵀy
  public static func dot<S: BLASScalar>(_ x: VectorView<S>, _ y: VectorView<S>) -> S {
    precondition(x.count == y.count, "dot of \(x.count) and \(y.count) numbers")
    return S.dot(x, y)
  }

  /// y ← αx + y
  public static func axpy<S: BLASScalar>(
    _ alpha: S, _ x: VectorView<S>, into y: MutableVectorView<S>
  ) {
    precondition(x.count == y.count, "axpy of \(x.count) into \(y.count) numbers")
    S.axpy(alpha, x, y)
  }

  /// x ← αx
  public static func scal<S: BLASScalar>(_ alpha: S, into x: MutableVectorView<S>) {
    // OpenBLAS multiplies by 0 in some versions and writes 0 in others.
    guard alpha != 0 else { return fill(x, with: 0) }
    S.scal(alpha, x)
  }

  /// √(xᵀx), without overflow
  public static func nrm2<S: BLASScalar>(_ x: VectorView<S>) -> S { S.nrm2(x) }

  /// Σᵢ |xᵢ|
  public static func asum<S: BLASScalar>(_ x: VectorView<S>) -> S { S.asum(x) }

  // MARK: Level 2, O(mn)

  /// y ← αAx + βy, or αAᵀx + βy when `transposed`
  public static func gemv<S: BLASScalar>(
    alpha: S = 1, _ a: MatrixView<S>, transposed: Bool = false, _ x: VectorView<S>, beta: S = 0,
    into y: MutableVectorView<S>
  ) {
    let (rows, columns) = transposed ? (a.columns, a.rows) : (a.rows, a.columns)
    precondition(
      x.count == columns && y.count == rows,
      "gemv of \(rows) × \(columns) and \(x.count) into \(y.count) numbers")
    // BLAS returns at once when A has no elements, and leaves y as it was.
    guard columns > 0 else { return scal(beta, into: y) }
    S.gemv(alpha, a, transposed: transposed, x, beta, y)
  }

  /// A ← αxyᵀ + A
  public static func ger<S: BLASScalar>(
    alpha: S = 1, _ x: VectorView<S>, _ y: VectorView<S>, into a: MutableMatrixView<S>
  ) {
    precondition(
      a.rows == x.count && a.columns == y.count,
      "ger of \(x.count) and \(y.count) into \(a.rows) × \(a.columns)")
    S.ger(alpha, x, y, a)
  }

  /// y ← αAx + βy, A symmetric with one triangle stored
  public static func symv<S: BLASScalar>(
    alpha: S = 1, _ a: MatrixView<S>, _ triangle: Triangle = .lower, _ x: VectorView<S>,
    beta: S = 0, into y: MutableVectorView<S>
  ) {
    precondition(
      a.rows == a.columns && x.count == a.columns && y.count == a.rows,
      "symv of \(a.rows) × \(a.columns) and \(x.count) into \(y.count) numbers")
    S.symv(alpha, a, triangle, x, beta, y)
  }

  /// A ← αxxᵀ + A, in one triangle
  public static func syr<S: BLASScalar>(
    alpha: S = 1, _ x: VectorView<S>, into a: MutableMatrixView<S>, _ triangle: Triangle = .lower
  ) {
    precondition(
      a.rows == x.count && a.columns == x.count,
      "syr of \(x.count) numbers into \(a.rows) × \(a.columns)")
    S.syr(alpha, x, a, triangle)
  }

  /// x ← A⁻¹x, or A⁻ᵀx when `transposed`, A triangular
  public static func trsv<S: BLASScalar>(
    _ a: MatrixView<S>, _ triangle: Triangle, transposed: Bool = false, unitDiagonal: Bool = false,
    into x: MutableVectorView<S>
  ) {
    precondition(
      a.rows == a.columns && a.columns == x.count,
      "trsv of \(a.rows) × \(a.columns) and \(x.count) numbers")
    S.trsv(a, triangle, transposed: transposed, unitDiagonal: unitDiagonal, x)
  }

  // MARK: Level 3, O(mnk)

  /// C ← αAB + βC, each of A and B transposed where its flag says so
  public static func gemm<S: BLASScalar>(
    alpha: S = 1, _ a: MatrixView<S>, aTransposed: Bool = false, _ b: MatrixView<S>,
    bTransposed: Bool = false, beta: S = 0, into c: MutableMatrixView<S>
  ) {
    let (m, k) = aTransposed ? (a.columns, a.rows) : (a.rows, a.columns)
    let (kOfB, n) = bTransposed ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(
      k == kOfB && c.rows == m && c.columns == n,
      "gemm of \(m) × \(k) and \(kOfB) × \(n) into \(c.rows) × \(c.columns)")
    S.gemm(alpha, a, transposed: aTransposed, b, transposed: bTransposed, beta, c)
  }

  /// C ← αAAᵀ + βC, or αAᵀA + βC when `transposed`, in one triangle
  public static func syrk<S: BLASScalar>(
    alpha: S = 1, _ a: MatrixView<S>, transposed: Bool = false, beta: S = 0,
    into c: MutableMatrixView<S>, _ triangle: Triangle = .lower
  ) {
    let size = transposed ? a.columns : a.rows
    precondition(
      c.rows == size && c.columns == size,
      "syrk of \(a.rows) × \(a.columns) into \(c.rows) × \(c.columns)")
    S.syrk(alpha, a, transposed: transposed, beta, c, triangle)
  }

  /// B ← αA⁻¹B, or αBA⁻¹ on the right; A triangular, transposed where its flag says so
  public static func trsm<S: BLASScalar>(
    side: Side = .left, alpha: S = 1, _ a: MatrixView<S>, _ triangle: Triangle,
    transposed: Bool = false, unitDiagonal: Bool = false, into b: MutableMatrixView<S>
  ) {
    precondition(
      a.rows == a.columns && a.columns == (side == .left ? b.rows : b.columns),
      "trsm of \(a.rows) × \(a.columns) on the \(side) and \(b.rows) × \(b.columns)")
    S.trsm(
      side, alpha, a, triangle, transposed: transposed, unitDiagonal: unitDiagonal, b)
  }

  private static func fill<S: BLASScalar>(_ x: MutableVectorView<S>, with value: S) {
    for index in 0..<x.count { x[index] = value }
  }
}
