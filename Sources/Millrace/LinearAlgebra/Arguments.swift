internal import COpenBLAS

// Views and options as BLAS and LAPACK take them: 32-bit sizes, enumerations, letters.
//
// What is row-major here is the transpose to LAPACK's column-major routines: the other triangle of
// the same symmetric matrix, the LQ of Aᵀ for the QR of A, U and Vᵀ exchanged. So nothing is copied
// as LAPACKE's own row-major wrappers do.

extension Bool {
  /// A transpose flag.
  var cblas: CBLAS_TRANSPOSE { self ? CblasTrans : CblasNoTrans }
}

extension Triangle {
  /// The triangle of the row-major matrix.
  var cblas: CBLAS_UPLO { self == .lower ? CblasLower : CblasUpper }
  /// The same memory read as column-major.
  var ofTranspose: CChar { letter(self == .lower ? "U" : "L") }
}

func letter(_ letter: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: letter.value) }

extension VectorView {
  var n: Int32 { Int32(count) }
  var inc: Int32 { Int32(stride) }
}

extension MutableVectorView {
  var n: Int32 { Int32(count) }
  var inc: Int32 { Int32(stride) }
}

extension MatrixView {
  var m: Int32 { Int32(rows) }
  var n: Int32 { Int32(columns) }
  var ld: Int32 { Int32(stride) }
}

extension MutableMatrixView {
  var m: Int32 { Int32(rows) }
  var n: Int32 { Int32(columns) }
  var ld: Int32 { Int32(stride) }
}
