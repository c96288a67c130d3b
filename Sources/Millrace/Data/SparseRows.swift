/// Rows of many columns, of which few are not 0: compressed rows (CSR). Reused, not reallocated.
public struct SparseRows: Sendable {
  /// Columns per row, a power of two; every index is below it. 0 where rows are dense.
  public internal(set) var width = 0
  /// The entries of row `i` are those from `starts[i]` to `starts[i + 1]`.
  public internal(set) var starts: [Int] = [0]
  /// The column of each entry, in the order of the record; one may come twice. Longer than the rows
  /// need.
  public internal(set) var indices: [UInt32] = []
  /// The number of each entry; finite or infinite, not NaN.
  public internal(set) var values: [Float] = []

  /// No rows.
  public init() {}

  /// Calls `body` with a view of rows.
  func withRows<Result>(_ rows: Range<Int>, _ body: (Rows) -> Result) -> Result? {
    starts.withUnsafeBufferPointer { starts in
      indices.withUnsafeBufferPointer { indices in
        values.withUnsafeBufferPointer { values in
          guard let starts = starts.baseAddress, let indices = indices.baseAddress,
            let values = values.baseAddress
          else { return nil }
          let entries = Rows.Entries(
            starts: starts + rows.lowerBound, indices: indices, values: values)
          return body(Rows(entries: entries, count: rows.count, columns: width))
        }
      }
    }
  }

  /// Makes room for `rows` rows and `entries` entries; what lies there is arbitrary.
  mutating func resize(rows: Int, entries: Int) {
    starts.resize(to: rows + 1)
    guard indices.count < entries else { return }
    // Not copied, and with room for somewhat longer rows.
    indices = Array(repeating: 0, count: entries + entries / 8)
    values = Array(repeating: 0, count: indices.count)
  }
}
