/// Several numbers measured together again and again (a statistic per feature, a weight per
/// expert), kept in at most `capacity` columns of time however long it goes on.
///
/// A column covers `stride` consecutive rows of the log; when a measurement lies beyond the last
/// column that fits, neighbours are merged pairwise and the stride doubles. O(capacity) memory per
/// number.
public struct DecimatedGrid: Codable, Equatable, Sendable {
  /// What several measurements in one column become.
  public enum Merge: String, Codable, Sendable {
    /// The largest: for statistics that alarm when they are high.
    case maximum
    /// The mean: for weights.
    case mean
    /// The sum: for counts.
    case sum
  }

  /// The most columns kept; even.
  public static let capacity = 120

  /// How measurements are merged.
  public let merge: Merge
  /// Rows of the log per column: a power of two times the first stride.
  public internal(set) var stride: Int
  /// Measurements per column; 0 where there was none.
  public internal(set) var counts: [Int] = []
  /// For each number its value in each column: the maximum, or the sum (of means, too); `nil`
  /// where it was missing.
  public internal(set) var values: [[Float?]]

  /// A grid for `numbers` numbers, whose columns cover `stride` ≥ 1 rows each at first.
  public init(numbers: Int, merge: Merge, stride: Int = 64) {
    self.merge = merge
    self.stride = max(1, stride)
    values = Array(repeating: [], count: numbers)
  }

  /// Takes in one measurement of every number, made at a row of the log that is not below the one
  /// before. Values that are not finite are missing; so are numbers beyond the end of `measured`.
  public mutating func record(atRow row: Int, _ measured: [Float]) {
    while row / stride >= Self.capacity { mergeNeighbours() }
    let column = max(row / stride, counts.count - 1)
    while counts.count <= column {
      counts.append(0)
      for number in values.indices { values[number].append(nil) }
    }
    counts[column] += 1
    for (number, value) in zip(values.indices, measured) where value.isFinite {
      values[number][column] = merging(values[number][column], value)
    }
  }

  /// Measures so many numbers from now on; new ones were missing so far.
  mutating func setNumberCount(_ count: Int) {
    values.removeLast(max(0, values.count - count))
    while values.count < count { values.append(Array(repeating: nil, count: counts.count)) }
  }

  /// Whether a measurement at a row would be the first of its column.
  public func wantsMeasurement(atRow row: Int) -> Bool { row / stride >= counts.count }

  private func merging(_ left: Float?, _ right: Float?) -> Float? {
    guard let left, let right else { return left ?? right }
    return merge == .maximum ? max(left, right) : left + right
  }

  private mutating func mergeNeighbours() {
    let pairs = (counts.count + 1) / 2
    for pair in 0..<pairs where 2 * pair + 1 < counts.count || pair > 0 {
      let hasRight = 2 * pair + 1 < counts.count
      counts[pair] = counts[2 * pair] + (hasRight ? counts[2 * pair + 1] : 0)
      for number in values.indices {
        values[number][pair] = merging(
          values[number][2 * pair], hasRight ? values[number][2 * pair + 1] : nil)
      }
    }
    counts.removeLast(counts.count - pairs)
    for number in values.indices { values[number].removeLast(values[number].count - pairs) }
    stride *= 2
  }

  /// A number's value in each column: its measurements merged.
  public func series(_ number: Int) -> [Double?] {
    zip(values[number], counts).map { value, count in
      value.map { merge == .mean ? Double($0) / Double(max(1, count)) : Double($0) }
    }
  }
}
