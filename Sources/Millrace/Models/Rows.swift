/// Rows of a matrix, borrowed for the length of a call: what a `Learner` sees.
///
/// Dense rows are row-major: standardised columns, missing values already 0 (their mean), and a
/// constant 1 as the last column. Sparse ones are compressed: values as they came, no constant.
public struct Rows {
  /// The entries of compressed rows: row `i` has those from `starts[i]` to `starts[i + 1]`.
  public struct Entries {
    /// One more than there are rows.
    public let starts: UnsafePointer<Int>
    /// The column of each entry.
    public let indices: UnsafePointer<UInt32>
    /// The number of each entry.
    public let values: UnsafePointer<Float>

    /// A view of the entries of rows.
    public init(
      starts: UnsafePointer<Int>, indices: UnsafePointer<UInt32>, values: UnsafePointer<Float>
    ) {
      self.starts = starts
      self.indices = indices
      self.values = values
    }
  }

  /// The first element of the first dense row.
  public let base: UnsafePointer<Float>
  /// The number of rows.
  public let count: Int
  /// The number of columns in use, the constant included; of sparse rows their width.
  public let columns: Int
  /// The distance between the starts of two dense rows, in elements; at least `columns`.
  public let stride: Int
  /// The entries, where the rows are sparse.
  public let entries: Entries?

  /// A view of `count` dense rows.
  public init(base: UnsafePointer<Float>, count: Int, columns: Int, stride: Int) {
    self.base = base
    self.count = count
    self.columns = columns
    self.stride = stride
    entries = nil
  }

  /// A view of `count` sparse rows.
  public init(entries: Entries, count: Int, columns: Int) {
    base = entries.values
    self.count = count
    self.columns = columns
    stride = 0
    self.entries = entries
  }

  /// The first element of dense row `index`.
  public subscript(index: Int) -> UnsafePointer<Float> { base + index * stride }

  /// The rows from `start` on, `count` of them.
  public func slice(from start: Int, count: Int) -> Rows {
    guard let entries else {
      return Rows(base: base + start * stride, count: count, columns: columns, stride: stride)
    }
    let rest = Entries(
      starts: entries.starts + start, indices: entries.indices, values: entries.values)
    return Rows(entries: rest, count: count, columns: columns)
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
