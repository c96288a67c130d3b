/// Which half of a symmetric or triangular matrix is stored; the other is neither read nor written.
public enum Triangle: Sendable, CaseIterable {
  /// On and below the diagonal.
  case lower
  /// On and above the diagonal.
  case upper
}

/// On which side of the unknown a matrix stands.
public enum Side: Sendable, CaseIterable {
  /// AX = B
  case left
  /// XA = B
  case right
}

/// A number that OpenBLAS computes with: `Float` or `Double`.
///
/// The requirements are the routines themselves under their BLAS and LAPACK names, without checks:
/// call them through `BLAS` and `LAPACK`, which say what each computes and what shapes it takes.
/// LAPACK's return `info`: 0 is success, −k a NaN in argument k, k > 0 the routine's own failure.
public protocol BLASScalar: BinaryFloatingPoint, Sendable {
  /// `sdot`, `ddot`
  static func dot(_ x: VectorView<Self>, _ y: VectorView<Self>) -> Self
  /// `saxpy`, `daxpy`
  static func axpy(_ alpha: Self, _ x: VectorView<Self>, _ y: MutableVectorView<Self>)
  /// `sscal`, `dscal`
  static func scal(_ alpha: Self, _ x: MutableVectorView<Self>)
  /// `snrm2`, `dnrm2`
  static func nrm2(_ x: VectorView<Self>) -> Self
  /// `sasum`, `dasum`
  static func asum(_ x: VectorView<Self>) -> Self

  /// `sgemv`, `dgemv`
  static func gemv(
    _ alpha: Self, _ a: MatrixView<Self>, transposed: Bool, _ x: VectorView<Self>, _ beta: Self,
    _ y: MutableVectorView<Self>)
  /// `sger`, `dger`
  static func ger(
    _ alpha: Self, _ x: VectorView<Self>, _ y: VectorView<Self>, _ a: MutableMatrixView<Self>)
  /// `ssymv`, `dsymv`
  static func symv(
    _ alpha: Self, _ a: MatrixView<Self>, _ triangle: Triangle, _ x: VectorView<Self>,
    _ beta: Self, _ y: MutableVectorView<Self>)
  /// `ssyr`, `dsyr`
  static func syr(
    _ alpha: Self, _ x: VectorView<Self>, _ a: MutableMatrixView<Self>, _ triangle: Triangle)
  /// `strsv`, `dtrsv`
  static func trsv(
    _ a: MatrixView<Self>, _ triangle: Triangle, transposed: Bool, unitDiagonal: Bool,
    _ x: MutableVectorView<Self>)

  /// `sgemm`, `dgemm`
  static func gemm(
    _ alpha: Self, _ a: MatrixView<Self>, transposed aTransposed: Bool, _ b: MatrixView<Self>,
    transposed bTransposed: Bool, _ beta: Self, _ c: MutableMatrixView<Self>)
  /// `ssyrk`, `dsyrk`
  static func syrk(
    _ alpha: Self, _ a: MatrixView<Self>, transposed: Bool, _ beta: Self,
    _ c: MutableMatrixView<Self>, _ triangle: Triangle)
  /// `strsm`, `dtrsm`
  static func trsm(
    _ side: Side, _ alpha: Self, _ a: MatrixView<Self>, _ triangle: Triangle, transposed: Bool,
    unitDiagonal: Bool, _ b: MutableMatrixView<Self>)

  /// `spotrf`, `dpotrf`
  static func potrf(_ a: MutableMatrixView<Self>, _ triangle: Triangle) -> Int32
  /// `spotrs`, `dpotrs`
  static func potrs(
    _ a: MatrixView<Self>, _ triangle: Triangle, _ b: MutableVectorView<Self>
  ) -> Int32
  /// `spotri`, `dpotri`
  static func potri(_ a: MutableMatrixView<Self>, _ triangle: Triangle) -> Int32

  /// `sgelqf`, `dgelqf` of the transpose, which is the QR of the row-major matrix
  static func geqrf(_ a: MutableMatrixView<Self>, _ tau: MutableVectorView<Self>) -> Int32
  /// `sormlq`, `dormlq` of the transposes
  static func ormqr(
    _ a: MatrixView<Self>, _ tau: VectorView<Self>, transposed: Bool, _ c: MutableMatrixView<Self>
  ) -> Int32
  /// `sgeqrt`, `dgeqrt` of the transpose, which is the LQ of the row-major matrix
  static func gelqt(
    _ a: MutableMatrixView<Self>, _ t: MutableMatrixView<Self>
  ) -> Int32
  /// `strcon`, `dtrcon` of the transpose
  static func trcon(
    _ a: MatrixView<Self>, _ triangle: Triangle, _ reciprocalCondition: inout Self
  ) -> Int32
  /// `sgelsd`, `dgelsd`
  static func gelsd(
    _ a: MutableMatrixView<Self>, _ b: MutableMatrixView<Self>, _ tolerance: Self,
    _ singularValues: MutableVectorView<Self>, _ rank: inout Int32
  ) -> Int32
  /// `sgelsy`, `dgelsy`
  static func gelsy(
    _ a: MutableMatrixView<Self>, _ b: MutableMatrixView<Self>, _ tolerance: Self,
    _ rank: inout Int32
  ) -> Int32
  /// `sgesdd`, `dgesdd` of the transpose
  static func gesdd(
    _ a: MutableMatrixView<Self>, _ u: MutableMatrixView<Self>, _ s: MutableVectorView<Self>,
    _ vt: MutableMatrixView<Self>
  ) -> Int32
  /// `sgesvd`, `dgesvd` of the transpose
  static func gesvd(
    _ a: MutableMatrixView<Self>, _ u: MutableMatrixView<Self>, _ s: MutableVectorView<Self>,
    _ vt: MutableMatrixView<Self>
  ) -> Int32
  /// `ssyevd`, `dsyevd`
  static func syevd(
    _ a: MutableMatrixView<Self>, _ triangle: Triangle, _ values: MutableVectorView<Self>
  ) -> Int32
}
