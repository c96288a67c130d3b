// What each routine computes is said where it is required, in `BLASScalar`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import COpenBLAS

extension Float: BLASScalar {
  public static func dot(_ x: VectorView<Float>, _ y: VectorView<Float>) -> Float {
    cblas_sdot(x.n, x.base, x.inc, y.base, y.inc)
  }

  public static func axpy(_ alpha: Float, _ x: VectorView<Float>, _ y: MutableVectorView<Float>) {
    cblas_saxpy(x.n, alpha, x.base, x.inc, y.base, y.inc)
  }

  public static func scal(_ alpha: Float, _ x: MutableVectorView<Float>) {
    cblas_sscal(x.n, alpha, x.base, x.inc)
  }

  public static func nrm2(_ x: VectorView<Float>) -> Float { cblas_snrm2(x.n, x.base, x.inc) }

  public static func asum(_ x: VectorView<Float>) -> Float { cblas_sasum(x.n, x.base, x.inc) }

  public static func gemv(
    _ alpha: Float, _ a: MatrixView<Float>, transposed: Bool, _ x: VectorView<Float>,
    _ beta: Float, _ y: MutableVectorView<Float>
  ) {
    cblas_sgemv(
      CblasRowMajor, transposed.cblas, a.m, a.n, alpha, a.base, a.ld, x.base, x.inc, beta, y.base,
      y.inc)
  }

  public static func ger(
    _ alpha: Float, _ x: VectorView<Float>, _ y: VectorView<Float>, _ a: MutableMatrixView<Float>
  ) {
    cblas_sger(CblasRowMajor, a.m, a.n, alpha, x.base, x.inc, y.base, y.inc, a.base, a.ld)
  }

  public static func symv(
    _ alpha: Float, _ a: MatrixView<Float>, _ triangle: Triangle, _ x: VectorView<Float>,
    _ beta: Float, _ y: MutableVectorView<Float>
  ) {
    cblas_ssymv(
      CblasRowMajor, triangle.cblas, a.n, alpha, a.base, a.ld, x.base, x.inc, beta, y.base, y.inc)
  }

  public static func syr(
    _ alpha: Float, _ x: VectorView<Float>, _ a: MutableMatrixView<Float>, _ triangle: Triangle
  ) {
    cblas_ssyr(CblasRowMajor, triangle.cblas, a.n, alpha, x.base, x.inc, a.base, a.ld)
  }

  public static func trsv(
    _ a: MatrixView<Float>, _ triangle: Triangle, transposed: Bool, unitDiagonal: Bool,
    _ x: MutableVectorView<Float>
  ) {
    cblas_strsv(
      CblasRowMajor, triangle.cblas, transposed.cblas, unitDiagonal ? CblasUnit : CblasNonUnit,
      a.n, a.base, a.ld, x.base, x.inc)
  }

  public static func gemm(
    _ alpha: Float, _ a: MatrixView<Float>, transposed aTransposed: Bool, _ b: MatrixView<Float>,
    transposed bTransposed: Bool, _ beta: Float, _ c: MutableMatrixView<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, aTransposed.cblas, bTransposed.cblas, c.m, c.n, aTransposed ? a.m : a.n,
      alpha, a.base, a.ld, b.base, b.ld, beta, c.base, c.ld)
  }

  public static func syrk(
    _ alpha: Float, _ a: MatrixView<Float>, transposed: Bool, _ beta: Float,
    _ c: MutableMatrixView<Float>, _ triangle: Triangle
  ) {
    cblas_ssyrk(
      CblasRowMajor, triangle.cblas, transposed.cblas, c.n, transposed ? a.m : a.n, alpha, a.base,
      a.ld, beta, c.base, c.ld)
  }

  public static func trsm(
    _ side: Side, _ alpha: Float, _ a: MatrixView<Float>, _ triangle: Triangle, transposed: Bool,
    unitDiagonal: Bool, _ b: MutableMatrixView<Float>
  ) {
    cblas_strsm(
      CblasRowMajor, side == .left ? CblasLeft : CblasRight, triangle.cblas, transposed.cblas,
      unitDiagonal ? CblasUnit : CblasNonUnit, b.m, b.n, alpha, a.base, a.ld, b.base, b.ld)
  }

  public static func potrf(_ a: MutableMatrixView<Float>, _ triangle: Triangle) -> Int32 {
    LAPACKE_spotrf_work(LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, a.base, a.ld)
  }

  public static func potrs(
    _ a: MatrixView<Float>, _ triangle: Triangle, _ b: MutableVectorView<Float>
  ) -> Int32 {
    LAPACKE_spotrs_work(
      LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, 1, a.base, a.ld, b.base, max(1, b.n))
  }

  public static func potri(_ a: MutableMatrixView<Float>, _ triangle: Triangle) -> Int32 {
    LAPACKE_spotri_work(LAPACK_COL_MAJOR, triangle.ofTranspose, a.n, a.base, a.ld)
  }

  public static func geqrf(
    _ a: MutableMatrixView<Float>, _ tau: MutableVectorView<Float>
  ) -> Int32 {
    LAPACKE_sgelqf(LAPACK_COL_MAJOR, a.n, a.m, a.base, a.ld, tau.base)
  }

  public static func ormqr(
    _ a: MatrixView<Float>, _ tau: VectorView<Float>, transposed: Bool,
    _ c: MutableMatrixView<Float>
  ) -> Int32 {
    LAPACKE_sormlq(
      LAPACK_COL_MAJOR, letter("R"), letter(transposed ? "T" : "N"), c.n, c.m, tau.n, a.base,
      a.ld, tau.base, c.base, c.ld)
  }

  public static func gelqt(
    _ a: MutableMatrixView<Float>, _ t: MutableMatrixView<Float>
  ) -> Int32 {
    LAPACKE_sgeqrt(LAPACK_COL_MAJOR, a.n, a.m, t.n, a.base, a.ld, t.base, t.ld)
  }

  public static func trcon(
    _ a: MatrixView<Float>, _ triangle: Triangle, _ reciprocalCondition: inout Float
  ) -> Int32 {
    LAPACKE_strcon(
      LAPACK_COL_MAJOR, letter("I"), triangle.ofTranspose, letter("N"), a.n, a.base, a.ld,
      &reciprocalCondition)
  }

  public static func gelsd(
    _ a: MutableMatrixView<Float>, _ b: MutableMatrixView<Float>, _ tolerance: Float,
    _ singularValues: MutableVectorView<Float>, _ rank: inout Int32
  ) -> Int32 {
    LAPACKE_sgelsd(
      LAPACK_ROW_MAJOR, a.m, a.n, b.n, a.base, a.ld, b.base, b.ld, singularValues.base, tolerance,
      &rank)
  }

  public static func gelsy(
    _ a: MutableMatrixView<Float>, _ b: MutableMatrixView<Float>, _ tolerance: Float,
    _ rank: inout Int32
  ) -> Int32 {
    var pivots = [Int32](repeating: 0, count: a.columns)
    return LAPACKE_sgelsy(
      LAPACK_ROW_MAJOR, a.m, a.n, b.n, a.base, a.ld, b.base, b.ld, &pivots, tolerance, &rank)
  }

  public static func gesdd(
    _ a: MutableMatrixView<Float>, _ u: MutableMatrixView<Float>, _ s: MutableVectorView<Float>,
    _ vt: MutableMatrixView<Float>
  ) -> Int32 {
    LAPACKE_sgesdd(
      LAPACK_COL_MAJOR, letter("S"), a.n, a.m, a.base, a.ld, s.base, vt.base, vt.ld, u.base, u.ld)
  }

  public static func gesvd(
    _ a: MutableMatrixView<Float>, _ u: MutableMatrixView<Float>, _ s: MutableVectorView<Float>,
    _ vt: MutableMatrixView<Float>
  ) -> Int32 {
    var superdiagonal = [Float](repeating: 0, count: max(1, s.count))
    return LAPACKE_sgesvd(
      LAPACK_COL_MAJOR, letter("S"), letter("S"), a.n, a.m, a.base, a.ld, s.base, vt.base, vt.ld,
      u.base, u.ld, &superdiagonal)
  }

  public static func syevd(
    _ a: MutableMatrixView<Float>, _ triangle: Triangle, _ values: MutableVectorView<Float>
  ) -> Int32 {
    LAPACKE_ssyevd(
      LAPACK_COL_MAJOR, letter("V"), triangle.ofTranspose, a.n, a.base, a.ld, values.base)
  }
}
