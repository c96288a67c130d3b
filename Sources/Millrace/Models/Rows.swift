/// Rows of a dense row-major matrix, borrowed for the length of a call.
///
/// What a `Learner` sees: standardised columns, missing values already 0 (their mean), and a
/// constant 1 as the last column.
public struct Rows {
  /// The first element of the first row.
  public let base: UnsafePointer<Float>
  /// The number of rows.
  public let count: Int
  /// The number of columns in use, the constant included.
  public let columns: Int
  /// The distance between the starts of two rows, in elements; at least `columns`.
  public let stride: Int

  /// A view of `count` rows.
  public init(base: UnsafePointer<Float>, count: Int, columns: Int, stride: Int) {
    self.base = base
    self.count = count
    self.columns = columns
    self.stride = stride
  }

  /// The first element of row `index`.
  public subscript(index: Int) -> UnsafePointer<Float> { base + index * stride }

  /// The rows from `start` on, `count` of them.
  public func slice(from start: Int, count: Int) -> Rows {
    Rows(base: base + start * stride, count: count, columns: columns, stride: stride)
  }
}

/// Where predictions are written: `count` rows of `width` numbers.
///
/// `width` is 1 for binary (the probability of the second class); the number of classes for
/// multiclass (a probability each); for regression 1 (the mean) or 3 (mean, lower and upper end of
/// the 90 % interval) as `Learner.outputWidth` says.
public struct PredictionRows {
  /// The first number of the first row.
  public let base: UnsafeMutablePointer<Double>
  /// The number of rows.
  public let count: Int
  /// Numbers per row.
  public let width: Int

  /// A view of `count` rows of `width` numbers.
  public init(base: UnsafeMutablePointer<Double>, count: Int, width: Int) {
    self.base = base
    self.count = count
    self.width = width
  }

  /// The first number of row `index`.
  public subscript(index: Int) -> UnsafeMutablePointer<Double> { base + index * width }

  /// The rows from `start` on, `count` of them.
  public func slice(from start: Int, count: Int) -> PredictionRows {
    PredictionRows(base: base + start * width, count: count, width: width)
  }
}
