import Millrace

/// Uniform numbers in [−1, 1) from a seed (SplitMix64).
struct Uniform {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1
  }

  mutating func vector<S: BLASScalar>(_ count: Int) -> Vector<S> {
    Vector((0..<count).map { _ in S(next()) })
  }

  mutating func matrix<S: BLASScalar>(_ rows: Int, _ columns: Int) -> Matrix<S> {
    Matrix(rows: rows, columns: columns, elements: vector(rows * columns).elements)
  }

  /// BᵀB + I: symmetric positive definite.
  mutating func definite<S: BLASScalar>(_ size: Int) -> Matrix<S> {
    let b: Matrix<S> = matrix(size, size)
    return b.transposed × b + 1 * Matrix.identity(size)
  }
}

infix operator × : MultiplicationPrecedence

/// AB by textbook loops, summed in double, to hold the wrappers against.
func × <S>(a: Matrix<S>, b: Matrix<S>) -> Matrix<S> {
  var c = Matrix<S>(rows: a.rows, columns: b.columns)
  for i in 0..<a.rows {
    for j in 0..<b.columns {
      c[i, j] = S((0..<a.columns).reduce(0.0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) })
    }
  }
  return c
}

func + <S>(a: Matrix<S>, b: Matrix<S>) -> Matrix<S> {
  Matrix(rows: a.rows, columns: a.columns, elements: zip(a.elements, b.elements).map(+))
}

func * <S>(alpha: S, a: Matrix<S>) -> Matrix<S> {
  Matrix(rows: a.rows, columns: a.columns, elements: a.elements.map { alpha * $0 })
}

extension Matrix {
  init(column vector: Vector<Scalar>) {
    self.init(rows: vector.count, columns: 1, elements: vector.elements)
  }

  /// The triangle alone, 0 elsewhere; ones on the diagonal when asked.
  func only(_ triangle: Triangle, unitDiagonal: Bool = false) -> Matrix {
    var result = self
    for i in 0..<rows {
      for j in 0..<columns where triangle == .lower ? j > i : j < i { result[i, j] = 0 }
      if unitDiagonal { result[i, i] = 1 }
    }
    return result
  }

  func symmetrized(from triangle: Triangle) -> Matrix {
    var result = self
    result.symmetrize(from: triangle)
    return result
  }

  func transposed(_ transposed: Bool) -> Matrix { transposed ? self.transposed : self }
}

/// The largest difference, in units of the scalar's precision times `scale`.
func distance<S>(_ a: Matrix<S>, _ b: Matrix<S>, scale: Double = 1) -> Double {
  guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - Double(pair.1)) / (Double(S.ulpOfOne) * scale)
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}

/// Memory with gaps: a matrix or vector laid out with a larger stride, NaN in between.
struct Strided<S: BLASScalar> {
  var storage: [S]
  let rows: Int
  let columns: Int
  let stride: Int

  /// Rows `gap` elements further apart than they need be.
  init(_ matrix: Matrix<S>, gap: Int) {
    (rows, columns, stride) = (matrix.rows, matrix.columns, matrix.columns + gap)
    storage = Array(repeating: .nan, count: max(1, rows * stride))
    for i in 0..<rows {
      for j in 0..<columns { storage[i * stride + j] = matrix[i, j] }
    }
  }

  /// A vector with neighbours `gap + 1` apart.
  init(_ vector: Vector<S>, gap: Int) { self.init(Matrix(column: vector), gap: gap) }

  var matrix: Matrix<S> {
    var result = Matrix<S>(rows: rows, columns: columns)
    for i in 0..<rows {
      for j in 0..<columns { result[i, j] = storage[i * stride + j] }
    }
    return result
  }

  /// Whether what lies between the rows is as it was.
  var gapsUntouched: Bool {
    storage.indices.allSatisfy { $0 % max(1, stride) < columns || storage[$0].isNaN }
  }

  func view<R>(_ body: (MatrixView<S>) -> R) -> R {
    storage.withVectorView {
      body(MatrixView($0.base, rows: rows, columns: columns, stride: max(1, stride)))
    }
  }

  func vector<R>(_ body: (VectorView<S>) -> R) -> R {
    view { body(VectorView($0.base, count: rows, stride: $0.stride)) }
  }

  mutating func mutableView(
    _ body: (MutableMatrixView<S>) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    let (rows, columns, stride) = (rows, columns, max(1, stride))
    try storage.withMutableVectorView { (all) throws(MillraceError) in
      try body(MutableMatrixView(all.base, rows: rows, columns: columns, stride: stride))
    }
  }

  mutating func mutableVector(
    _ body: (MutableVectorView<S>) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    let rows = rows
    try mutableView { (a) throws(MillraceError) in
      try body(MutableVectorView(a.base, count: rows, stride: a.stride))
    }
  }
}
