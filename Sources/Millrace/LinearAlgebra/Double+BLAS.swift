// What each routine computes is said where it is required, in `BLASScalar`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import COpenBLAS

extension Double: BLASScalar {
  public static func dot(_ x: VectorView<Double>, _ y: VectorView<Double>) -> Double {
    cblas_ddot(x.n, x.base, x.inc, y.base, y.inc)
  }

  public static func axpy(_ alpha: Double, _ x: VectorView<Double>, _ y: MutableVectorView<Double>)
  {
    cblas_daxpy(x.n, alpha, x.base, x.inc, y.base, y.inc)
  }

  public static func scal(_ alpha: Double, _ x: MutableVectorView<Double>) {
    cblas_dscal(x.n, alpha, x.base, x.inc)
  }

  public static func nrm2(_ x: VectorView<Double>) -> Double { cblas_dnrm2(x.n, x.base, x.inc) }

  public static func asum(_ x: VectorView<Double>) -> Double { cblas_dasum(x.n, x.base, x.inc) }

  public static func gemv(
    _ alpha: Double, _ a: MatrixView<Double>, transposed: Bool, _ x: VectorView<Double>,
    _ beta: Double, _ y: MutableVectorView<Double>
  ) {
    cblas_dgemv(
      CblasRowMajor, transposed.cblas, a.m, a.n, alpha, a.base, a.ld, x.base, x.inc, beta, y.base,
      y.inc)
  }

  public static func ger(
    _ alpha: Double, _ x: VectorView<Double>, _ y: VectorView<Double>,
    _ a: MutableMatrixView<Double>
  ) {
    cblas_dger(CblasRowMajor, a.m, a.n, alpha, x.base, x.inc, y.base, y.inc, a.base, a.ld)
  }

  public static func symv(
    _ alpha: Double, _ a: MatrixView<Double>, _ triangle: Triangle, _ x: VectorView<Double>,
    _ beta: Double, _ y: MutableVectorView<Double>
  ) {
    cblas_dsymv(
      CblasRowMajor, triangle.cblas, a.n, alpha, a.base, a.ld, x.base, x.inc, beta, y.base, y.inc)
  }

  public static func syr(
    _ alpha: Double, _ x: VectorView<Double>, _ a: MutableMatrixView<Double>, _ triangle: Triangle
  ) {
    cblas_dsyr(CblasRowMajor, triangle.cblas, a.n, alpha, x.base, x.inc, a.base, a.ld)
  }

  public static func trsv(
    _ a: MatrixView<Double>, _ triangle: Triangle, transposed: Bool, unitDiagonal: Bool,
    _ x: MutableVectorView<Double>
  ) {
    cblas_dtrsv(
      CblasRowMajor, triangle.cblas, transposed.cblas, unitDiagonal ? CblasUnit : CblasNonUnit,
      a.n, a.base, a.ld, x.base, x.inc)
  }

  public static func gemm(
    _ alpha: Double, _ a: MatrixView<Double>, transposed aTransposed: Bool, _ b: MatrixView<Double>,
    transposed bTransposed: Bool, _ beta: Double, _ c: MutableMatrixView<Double>
  ) {
    cblas_dgemm(
      CblasRowMajor, aTransposed.cblas, bTransposed.cblas, c.m, c.n, aTransposed ? a.m : a.n,
      alpha, a.base, a.ld, b.base, b.ld, beta, c.base, c.ld)
  }

  public static func syrk(
    _ alpha: Double, _ a: MatrixView<Double>, transposed: Bool, _ beta: Double,
    _ c: MutableMatrixView<Double>, _ triangle: Triangle
  ) {
    cblas_dsyrk(
      CblasRowMajor, triangle.cblas, transposed.cblas, c.n, transposed ? a.m : a.n, alpha, a.base,
      a.ld, beta, c.base, c.ld)
  }

  public static func trsm(
    _ side: Side, _ alpha: Double, _ a: MatrixView<Double>, _ triangle: Triangle, transposed: Bool,
    unitDiagonal: Bool, _ b: MutableMatrixView<Double>
  ) {
    cblas_dtrsm(
      CblasRowMajor, side == .left ? CblasLeft : CblasRight, triangle.cblas, transposed.cblas,
      unitDiagonal ? CblasUnit : CblasNonUnit, b.m, b.n, alpha, a.base, a.ld, b.base, b.ld)
  }

  public static func potrf(_ a: MutableMatrixView<Double>, _ triangle: Triangle) -> Int32 {
    LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, a.base, a.ld)
  }

  public static func potrs(
    _ a: MatrixView<Double>, _ triangle: Triangle, _ b: MutableVectorView<Double>
  ) -> Int32 {
    LAPACKE_dpotrs_work(
      LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, 1, a.base, a.ld, b.base, max(1, b.n))
  }

  public static func potri(_ a: MutableMatrixView<Double>, _ triangle: Triangle) -> Int32 {
    LAPACKE_dpotri_work(LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, a.base, a.ld)
  }

  public static func geqrf(
    _ a: MutableMatrixView<Double>, _ tau: MutableVectorView<Double>
  ) -> Int32 {
    LAPACKE_dgelqf(LAPACK_COL_MAJOR, a.n, a.m, a.base, a.ld, tau.base)
  }

  public static func ormqr(
    _ a: MatrixView<Double>, _ tau: VectorView<Double>, transposed: Bool,
    _ c: MutableMatrixView<Double>
  ) -> Int32 {
    LAPACKE_dormlq(
      LAPACK_COL_MAJOR, letter("R"), letter(transposed ? "T" : "N"), c.n, c.m, tau.n, a.base,
      a.ld, tau.base, c.base, c.ld)
  }

  public static func gelqt(
    _ a: MutableMatrixView<Double>, _ t: MutableMatrixView<Double>
  ) -> Int32 {
    LAPACKE_dgeqrt(LAPACK_COL_MAJOR, a.n, a.m, t.n, a.base, a.ld, t.base, t.ld)
  }

  public static func trcon(
    _ a: MatrixView<Double>, _ triangle: Triangle, _ reciprocalCondition: inout Double
  ) -> Int32 {
    LAPACKE_dtrcon(
      LAPACK_COL_MAJOR, letter("I"), triangle.ofTranspose, letter("N"), a.n, a.base, a.ld,
      &reciprocalCondition)
  }

  public static func gelsd(
    _ a: MutableMatrixView<Double>, _ b: MutableMatrixView<Double>, _ tolerance: Double,
    _ singularValues: MutableVectorView<Double>, _ rank: inout Int32
  ) -> Int32 {
    LAPACKE_dgelsd(
      LAPACK_ROW_MAJOR, a.m, a.n, b.n, a.base, a.ld, b.base, b.ld, singularValues.base, tolerance,
      &rank)
  }

  public static func gelsy(
    _ a: MutableMatrixView<Double>, _ b: MutableMatrixView<Double>, _ tolerance: Double,
    _ rank: inout Int32
  ) -> Int32 {
    var pivots = [Int32](repeating: 0, count: a.columns)
    return LAPACKE_dgelsy(
      LAPACK_ROW_MAJOR, a.m, a.n, b.n, a.base, a.ld, b.base, b.ld, &pivots, tolerance, &rank)
  }

  public static func gesdd(
    _ a: MutableMatrixView<Double>, _ u: MutableMatrixView<Double>, _ s: MutableVectorView<Double>,
    _ vt: MutableMatrixView<Double>
  ) -> Int32 {
    LAPACKE_dgesdd(
      LAPACK_COL_MAJOR, letter("S"), a.n, a.m, a.base, a.ld, s.base, vt.base, vt.ld, u.base, u.ld)
  }

  public static func gesvd(
    _ a: MutableMatrixView<Double>, _ u: MutableMatrixView<Double>, _ s: MutableVectorView<Double>,
    _ vt: MutableMatrixView<Double>
  ) -> Int32 {
    var superdiagonal = [Double](repeating: 0, count: max(1, s.count))
    return LAPACKE_dgesvd(
      LAPACK_COL_MAJOR, letter("S"), letter("S"), a.n, a.m, a.base, a.ld, s.base, vt.base, vt.ld,
      u.base, u.ld, &superdiagonal)
  }

  public static func syevd(
    _ a: MutableMatrixView<Double>, _ triangle: Triangle, _ values: MutableVectorView<Double>
  ) -> Int32 {
    LAPACKE_dsyevd(
      LAPACK_COL_MAJOR, letter("V"), triangle.ofTranspose, a.n, a.base, a.ld, values.base)
  }
}
