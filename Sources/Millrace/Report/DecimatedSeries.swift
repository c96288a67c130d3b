/// A number per row, kept as at most `capacity` means however many rows come.
///
/// Each point holds the weighted sum over `stride` consecutive rows. When every point is taken,
/// neighbours are added pairwise and the stride doubles, so what is kept is a function of the rows
/// alone: any split into calls gives the same bits. Amortised O(1) a row, O(capacity) memory.
public struct DecimatedSeries: Codable, Equatable, Sendable {
  /// The most points kept; even.
  public static let capacity = 400

  /// Rows per point (the last one may still be filling): a power of two.
  public internal(set) var stride = 1
  /// Rows appended.
  public internal(set) var rowCount = 0
  /// The weighted sum of each point's finite values.
  public internal(set) var sums: [Double] = []
  /// The total weight of each point's finite values.
  public internal(set) var weights: [Double] = []
  private var rowsInLastPoint = 0

  /// A series without rows.
  public init() {}

  /// Appends the next row's value; one that is not finite takes its place and counts for nothing.
  public mutating func append(_ value: Double, weight: Double = 1) {
    append(count: 1) { _ in (value, weight) }
  }

  /// Appends the values and weights of the next `count` rows.
  @inline(__always)
  mutating func append(count: Int, _ row: (Int) -> (value: Double, weight: Double)) {
    fillPoints(count: count) { rows, sum, total in
      for index in rows {
        let (value, weight) = row(index)
        guard value.isFinite && weight.isFinite else { continue }
        sum += value * weight
        total += weight
      }
    }
  }

  /// Appends the next `count` rows, whose values are not known.
  mutating func skip(count: Int) { fillPoints(count: count) { _, _, _ in } }

  /// - Parameter add: adds some of the rows to a point's sum and weight.
  @inline(__always)
  private mutating func fillPoints(
    count: Int, _ add: (Range<Int>, inout Double, inout Double) -> Void
  ) {
    var next = 0
    while next < count {
      if rowsInLastPoint == stride || sums.isEmpty { beginPoint() }
      let end = min(count, next + stride - rowsInLastPoint)
      // In local variables, which stay in registers.
      var (sum, total) = (sums[sums.count - 1], weights[sums.count - 1])
      add(next..<end, &sum, &total)
      (sums[sums.count - 1], weights[sums.count - 1]) = (sum, total)
      rowsInLastPoint += end - next
      rowCount += end - next
      next = end
    }
  }

  private mutating func beginPoint() {
    if sums.count == Self.capacity { mergeNeighbours() }
    sums.append(0)
    weights.append(0)
    rowsInLastPoint = 0
  }

  private mutating func mergeNeighbours() {
    let half = Self.capacity / 2
    for point in 0..<half {
      sums[point] = sums[2 * point] + sums[2 * point + 1]
      weights[point] = weights[2 * point] + weights[2 * point + 1]
    }
    sums.removeLast(half)
    weights.removeLast(half)
    stride *= 2
  }

  /// The mean over all rows; `nil` when none had a finite value.
  public var mean: Double? {
    let weight = weights.reduce(0, +)
    return weight > 0 ? sums.reduce(0, +) / weight : nil
  }

  /// The row after the last one of a point.
  public func endRow(of point: Int) -> Int { min((point + 1) * stride, rowCount) }

  /// At each point, the mean over it and up to `points - 1` before it; `nil` where these hold less
  /// than half of what one point usually does: too few rows to speak of.
  public func windowedMeans(points: Int) -> [Double?] {
    let least = usualWeight / 2
    return sums.indices.map { last in
      let window = max(0, last - points + 1)...last
      let weight = weights[window].reduce(0, +)
      return weight > 0 && weight >= least ? sums[window].reduce(0, +) / weight : nil
    }
  }

  /// At each point, the mean over it and all before it; `nil` as in `windowedMeans`.
  public func cumulativeMeans() -> [Double?] {
    let least = usualWeight / 2
    var sum = 0.0
    var weight = 0.0
    return sums.indices.map { point in
      sum += sums[point]
      weight += weights[point]
      return weight > 0 && weight >= least ? sum / weight : nil
    }
  }

  private var usualWeight: Double {
    let filled = weights.filter { $0 > 0 }
    return filled.isEmpty ? 0 : filled.reduce(0, +) / Double(filled.count)
  }
}
