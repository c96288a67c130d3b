/// The entries of some rows: those of row `i` are from `starts[i] − starts[0]` on.
struct ChunkEntries {
  let starts: UnsafePointer<Int>
  let indices: UnsafePointer<UInt32>
  let values: UnsafePointer<Float>
  let rowCount: Int

  /// - Parameter rows: sparse rows.
  init(_ rows: Rows) {
    guard let entries = rows.entries else { preconditionFailure("a sparse learner, dense rows") }
    starts = entries.starts
    rowCount = rows.count
    indices = entries.indices + starts[0]
    values = entries.values + starts[0]
  }

  /// The entries of all rows.
  var count: Int { starts[rowCount] - starts[0] }

  /// The entries of a row.
  subscript(row: Int) -> Range<Int> { starts[row] - starts[0]..<starts[row + 1] - starts[0] }

  /// The entries of the longest row.
  var longestRow: Int { (0..<rowCount).reduce(0) { max($0, starts[$1 + 1] - starts[$1]) } }
}

/// Room for what is worked out of a chunk of sparse rows.
struct SparseScratch {
  /// A place per entry, with the padding.
  let places: UnsafeMutablePointer<UInt32>
  /// A number per entry, and one more.
  let scaled: UnsafeMutablePointer<Float>
  /// A number per row.
  let weights: UnsafeMutablePointer<Float>
  /// A number per row.
  let targets: UnsafeMutablePointer<Double>
  /// A number per row and output.
  let answers: UnsafeMutablePointer<Double>
}

/// Calls `body` with the entries of rows and room for them.
func withScratch(_ rows: Rows, outputs: Int, _ body: (ChunkEntries, SparseScratch) -> Void) {
  let entries = ChunkEntries(rows)
  let size = entries.count + 1
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: size + FeaturePlaces.padding) { places in
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size + rows.count) { floats in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.count * (1 + outputs) + 1) {
        doubles in
        guard let places = places.baseAddress, let floats = floats.baseAddress,
          let doubles = doubles.baseAddress
        else { return }
        body(
          entries,
          SparseScratch(
            places: places, scaled: floats, weights: floats + size, targets: doubles,
            answers: doubles + rows.count))
      }
    }
  }
}
