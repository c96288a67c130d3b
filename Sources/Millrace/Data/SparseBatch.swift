/// Decoded records of many features, of which few are not 0: compressed rows (CSR) with labels and
/// weights. Reused, not reallocated.
public struct SparseBatch: Sendable {
  /// Columns per row, a power of two; every index is below it.
  public internal(set) var width = 1
  /// The number of rows.
  public internal(set) var count = 0
  /// `count + 1` places: row `i` has the entries from `rowStarts[i]` to `rowStarts[i + 1]`.
  public internal(set) var rowStarts: [Int] = [0]
  /// The column of each entry, in the order of the record; one may come twice. Longer than the rows
  /// need.
  public internal(set) var indices: [UInt32] = []
  /// The number of each entry; finite or infinite, not NaN.
  public internal(set) var values: [Float] = []
  /// The target, or the class index; NaN where the record has none.
  public internal(set) var labels: [Double] = []
  /// The importance of each row.
  public internal(set) var weights: [Float] = []
  /// Which record of the `RecordBatch` each row came from, ascending: rejected records have no row.
  public internal(set) var recordIndices: [Int] = []

  /// An empty batch.
  public init() {}

  /// The number of entries of all rows.
  public var entryCount: Int { rowStarts[count] }

  /// Makes every array as long as `rows` rows need, and room for `entries` entries; what is new is
  /// arbitrary.
  mutating func resize(rows: Int, entries: Int) {
    count = rows
    rowStarts.resize(to: rows + 1)
    labels.resize(to: rows)
    weights.resize(to: rows)
    recordIndices.resize(to: rows)
    indices.resize(to: max(indices.count, entries))
    values.resize(to: max(values.count, entries))
  }
}
