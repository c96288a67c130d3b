/// Numbers at `base`, `base + stride`, …, borrowed for the length of a call.
public struct VectorView<Scalar> {
  /// The first number.
  public let base: UnsafePointer<Scalar>
  /// How many there are.
  public let count: Int
  /// The distance between two neighbours, in elements; at least 1.
  public let stride: Int

  /// A view of `count` numbers.
  public init(_ base: UnsafePointer<Scalar>, count: Int, stride: Int = 1) {
    precondition(count >= 0 && stride >= 1, "a vector of \(count) with stride \(stride)")
    self.base = base
    self.count = count
    self.stride = stride
  }

  /// The number at `index`; not checked.
  public subscript(index: Int) -> Scalar { base[index * stride] }
}

/// The same, to write to.
public struct MutableVectorView<Scalar> {
  /// The first number.
  public let base: UnsafeMutablePointer<Scalar>
  /// How many there are.
  public let count: Int
  /// The distance between two neighbours, in elements; at least 1.
  public let stride: Int

  /// A view of `count` numbers.
  public init(_ base: UnsafeMutablePointer<Scalar>, count: Int, stride: Int = 1) {
    precondition(count >= 0 && stride >= 1, "a vector of \(count) with stride \(stride)")
    self.base = base
    self.count = count
    self.stride = stride
  }

  /// The number at `index`; not checked.
  public subscript(index: Int) -> Scalar {
    get { base[index * stride] }
    nonmutating set { base[index * stride] = newValue }
  }

  /// The same numbers, to read.
  public var reading: VectorView<Scalar> { VectorView(base, count: count, stride: stride) }
}

/// A row-major matrix whose rows start `stride` elements apart, borrowed for the length of a call.
public struct MatrixView<Scalar> {
  /// The first element of the first row.
  public let base: UnsafePointer<Scalar>
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The distance between the starts of two rows, in elements (BLAS's leading dimension).
  public let stride: Int

  /// A view; `stride` is `columns` unless given.
  public init(_ base: UnsafePointer<Scalar>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = checkedStride(stride, rows: rows, columns: columns)
  }

  /// The element at `row`, `column`; not checked.
  public subscript(row: Int, column: Int) -> Scalar { base[row * stride + column] }

  /// A row.
  public func row(_ index: Int) -> VectorView<Scalar> {
    VectorView(base + index * stride, count: columns)
  }

  /// A column.
  public func column(_ index: Int) -> VectorView<Scalar> {
    VectorView(base + index, count: rows, stride: stride)
  }

  /// The rows and columns of the ranges.
  public func block(rows: Range<Int>, columns: Range<Int>) -> MatrixView<Scalar> {
    precondition(rows.upperBound <= self.rows && columns.upperBound <= self.columns)
    return MatrixView(
      base + rows.lowerBound * stride + columns.lowerBound, rows: rows.count,
      columns: columns.count, stride: stride)
  }
}

/// The same, to write to.
public struct MutableMatrixView<Scalar> {
  /// The first element of the first row.
  public let base: UnsafeMutablePointer<Scalar>
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The distance between the starts of two rows, in elements (BLAS's leading dimension).
  public let stride: Int

  /// A view; `stride` is `columns` unless given.
  public init(_ base: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = checkedStride(stride, rows: rows, columns: columns)
  }

  /// The element at `row`, `column`; not checked.
  public subscript(row: Int, column: Int) -> Scalar {
    get { base[row * stride + column] }
    nonmutating set { base[row * stride + column] = newValue }
  }

  /// The same numbers, to read.
  public var reading: MatrixView<Scalar> {
    MatrixView(base, rows: rows, columns: columns, stride: stride)
  }

  /// A row.
  public func row(_ index: Int) -> MutableVectorView<Scalar> {
    MutableVectorView(base + index * stride, count: columns)
  }

  /// A column.
  public func column(_ index: Int) -> MutableVectorView<Scalar> {
    MutableVectorView(base + index, count: rows, stride: stride)
  }

  /// The rows and columns of the ranges.
  public func block(rows: Range<Int>, columns: Range<Int>) -> MutableMatrixView<Scalar> {
    precondition(rows.upperBound <= self.rows && columns.upperBound <= self.columns)
    return MutableMatrixView(
      base + rows.lowerBound * stride + columns.lowerBound, rows: rows.count,
      columns: columns.count, stride: stride)
  }
}

/// BLAS wants a leading dimension of at least 1, also where there are no columns.
private func checkedStride(_ stride: Int?, rows: Int, columns: Int) -> Int {
  let result = stride ?? max(1, columns)
  precondition(
    rows >= 0 && columns >= 0 && result >= max(1, columns),
    "a matrix of \(rows) × \(columns) with stride \(result)")
  return result
}
