/// A block of raw rows with labels and weights, filled and emptied again.
struct RowBlock: Sendable {
  let columnCount: Int
  private(set) var count = 0
  /// `count × columnCount` numbers are in use.
  private(set) var features: [Double]
  private(set) var labels: [Double]
  private(set) var weights: [Float]

  /// Few enough rows for the cache, enough for BLAS.
  private static let capacity = 256

  init(columnCount: Int) {
    self.columnCount = columnCount
    features = Array(repeating: 0, count: Self.capacity * columnCount)
    labels = Array(repeating: 0, count: Self.capacity)
    weights = Array(repeating: 0, count: Self.capacity)
  }

  var isFull: Bool { count == Self.capacity }

  mutating func append(_ row: UnsafePointer<Double>, label: Double, weight: Float) {
    for column in 0..<columnCount { features[count * columnCount + column] = row[column] }
    labels[count] = label
    weights[count] = weight
    count += 1
  }

  mutating func removeAll() { count = 0 }

  /// Whether a value is missing.
  var hasMissing: Bool { !features[..<(count * columnCount)].allSatisfy(\.isFinite) }

  /// Puts missing values at their column's mean.
  mutating func impute(_ means: [Double]) {
    for index in 0..<count * columnCount where !features[index].isFinite {
      features[index] = means[index % columnCount]
    }
  }

  /// Lends the rows.
  func withRows<Result>(
    _ body: (MatrixView<Double>) throws(MillraceError) -> Result
  ) throws(MillraceError) -> Result {
    try features.withVectorView { (all) throws(MillraceError) in
      try body(MatrixView(all.base, rows: count, columns: columnCount))
    }
  }

  /// The statistics of the columns, in two passes.
  var statistics: StandardScaler {
    var result = StandardScaler(columnCount: columnCount, limit: .infinity)
    // From a value of the column on: a constant column has exactly that mean.
    let origin = (0..<columnCount).map { firstFinite(inColumn: $0) }
    for row in 0..<count {
      for column in 0..<columnCount {
        let value = features[row * columnCount + column]
        result.means[column] += value.isFinite ? value - origin[column] : 0
        result.counts[column] += value.isFinite ? 1 : 0
        result.missingCounts[column] += value.isFinite ? 0 : 1
      }
    }
    for column in 0..<columnCount {
      result.means[column] = origin[column] + result.means[column] / max(1, result.counts[column])
    }
    for row in 0..<count {
      for column in 0..<columnCount {
        let distance = features[row * columnCount + column] - result.means[column]
        result.squaredDistances[column] += distance.isFinite ? distance * distance : 0
      }
    }
    return result
  }

  private func firstFinite(inColumn column: Int) -> Double {
    let values = stride(from: column, to: count * columnCount, by: columnCount)
    return values.lazy.map { features[$0] }.first(where: \.isFinite) ?? 0
  }
}
