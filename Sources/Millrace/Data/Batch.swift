/// Decoded records: a row-major dense matrix, or compressed rows, with labels and weights. Reused,
/// not reallocated.
public struct Batch: Sendable {
  /// Columns per dense row.
  public internal(set) var columnCount: Int
  /// The number of rows.
  public internal(set) var count = 0
  /// `count × columnCount` numbers, row-major; NaN is a missing value.
  public internal(set) var features: [Float] = []
  /// The same numbers before they were rounded to `Float`; empty unless the decoder was asked.
  public internal(set) var wideFeatures: [Double] = []
  /// The rows where the schema's features are sparse; the dense ones have no columns then.
  public internal(set) var sparse = SparseRows()
  /// The target, or the class index; NaN where the record has none.
  public internal(set) var labels: [Double] = []
  /// The importance of each row; 1 unless a column says otherwise.
  public internal(set) var weights: [Float] = []
  /// Which record of the `RecordBatch` each row came from, ascending: rejected records have no row.
  public internal(set) var recordIndices: [Int] = []
  /// The texts of the rows' keys and timestamps, one after another.
  var texts: [UInt8] = []
  /// Where each row's key, then its timestamp, ends in `texts`; empty when the schema has neither.
  var textEnds: [Int] = []

  /// An empty batch of `columnCount` columns.
  public init(columnCount: Int) { self.columnCount = columnCount }

  /// The text of a row's key field; empty where the schema or the record has none.
  public func key(row: Int) -> ArraySlice<UInt8> {
    textEnds.isEmpty ? [] : texts[(row == 0 ? 0 : textEnds[2 * row - 1])..<textEnds[2 * row]]
  }

  /// The text of a row's timestamp field; empty where the schema or the record has none.
  public func timestamp(row: Int) -> ArraySlice<UInt8> {
    textEnds.isEmpty ? [] : texts[textEnds[2 * row]..<textEnds[2 * row + 1]]
  }

  /// Removes all rows and keeps the memory.
  public mutating func removeAll() {
    resize(rows: 0)
    texts.removeAll(keepingCapacity: true)
  }

  /// Makes every array as long as `rows` rows need; what is new in them is arbitrary.
  mutating func resize(rows: Int, wide: Bool = false, keepsTexts: Bool = false) {
    count = rows
    features.resize(to: rows * columnCount)
    wideFeatures.resize(to: wide ? rows * columnCount : 0)
    labels.resize(to: rows)
    weights.resize(to: rows)
    recordIndices.resize(to: rows)
    textEnds.resize(to: keepsTexts ? 2 * rows : 0)
  }
}

extension Array where Element: Numeric {
  /// Cuts or extends to `count` elements and keeps the memory.
  mutating func resize(to count: Int) {
    if count < self.count {
      removeLast(self.count - count)
    } else {
      append(contentsOf: repeatElement(0, count: count - self.count))
    }
  }
}
