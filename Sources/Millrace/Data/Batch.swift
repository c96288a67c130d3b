/// Decoded records: a row-major dense matrix with labels and weights. Reused, not reallocated.
public struct Batch: Sendable {
  /// Columns per row.
  public internal(set) var columnCount: Int
  /// The number of rows.
  public internal(set) var count = 0
  /// `count × columnCount` numbers, row-major; NaN is a missing value.
  public internal(set) var features: [Float] = []
  /// The target, or the class index; NaN where the record has none.
  public internal(set) var labels: [Double] = []
  /// The importance of each row; 1 unless a column says otherwise.
  public internal(set) var weights: [Float] = []
  /// Which record of the `RecordBatch` each row came from, ascending: rejected records have no row.
  public internal(set) var recordIndices: [Int] = []

  /// An empty batch of `columnCount` columns.
  public init(columnCount: Int) { self.columnCount = columnCount }

  /// Removes all rows and keeps the memory.
  public mutating func removeAll() {
    count = 0
    features.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    recordIndices.removeAll(keepingCapacity: true)
  }
}
