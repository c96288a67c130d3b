/// A row-major matrix that owns its numbers, rows one after the other without gaps.
public struct Matrix<Scalar: BLASScalar>: Equatable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// `rows × columns` numbers, row by row.
  public var elements: [Scalar]

  /// A matrix of the given numbers, row by row.
  public init(rows: Int, columns: Int, elements: [Scalar]) {
    precondition(
      elements.count == rows * columns, "\(elements.count) elements for \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// A matrix filled with one number.
  public init(rows: Int, columns: Int, repeating value: Scalar = 0) {
    self.init(
      rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
  }

  /// The n × n matrix with ones on the diagonal.
  public static func identity(_ size: Int) -> Matrix {
    var result = Matrix(rows: size, columns: size)
    for index in 0..<size { result[index, index] = 1 }
    return result
  }

  /// The element at `row`, `column`.
  public subscript(row: Int, column: Int) -> Scalar {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  /// Aᵀ.
  public var transposed: Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  /// Copies one triangle of a square matrix onto the other.
  public mutating func symmetrize(from triangle: Triangle) {
    for row in 0..<rows {
      for column in 0..<row {
        switch triangle {
        case .lower: self[column, row] = self[row, column]
        case .upper: self[row, column] = self[column, row]
        }
      }
    }
  }

  /// Lends the numbers to `body`.
  public func withView<Result, Failure: Error>(
    _ body: (MatrixView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try elements.withVectorView { (all) throws(Failure) in
      try body(MatrixView(all.base, rows: rows, columns: columns))
    }
  }

  /// Lends the numbers to `body`, to write to.
  public mutating func withMutableView<Result, Failure: Error>(
    _ body: (MutableMatrixView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (rows, columns) = (rows, columns)
    return try elements.withMutableVectorView { (all) throws(Failure) in
      try body(MutableMatrixView(all.base, rows: rows, columns: columns))
    }
  }
}

extension Matrix: ExpressibleByArrayLiteral {
  /// `[[1, 2], [3, 4]]`; rows of equal length.
  public init(arrayLiteral elements: [Scalar]...) {
    self.init(
      rows: elements.count, columns: elements.first?.count ?? 0, elements: elements.flatMap(\.self))
  }
}

extension Matrix {
  /// AB
  public static func * (a: Matrix, b: Matrix) -> Matrix {
    var c = Matrix(rows: a.rows, columns: b.columns)
    c.withMutableView { c in a.withView { a in b.withView { BLAS.gemm(a, $0, into: c) } } }
    return c
  }

  /// Ax
  public static func * (a: Matrix, x: [Scalar]) -> [Scalar] {
    var y = [Scalar](repeating: 0, count: a.rows)
    y.withMutableVectorView { y in
      a.withView { a in x.withVectorView { BLAS.gemv(a, $0, into: y) } }
    }
    return y
  }
}
