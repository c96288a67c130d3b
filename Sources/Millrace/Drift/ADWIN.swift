#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// ADWIN, a window as long as its mean seems constant (Bifet and Gavaldà 2007): when two parts of
/// it differ by more than chance allows, the older part is dropped and an alarm is raised.
///
/// The window is kept in buckets of 1, 2, 4, … values, at most five of a size: O(log W) memory.
/// Constants are those of MOA and River; every boundary between buckets is tried, as in the paper,
/// where those implementations pass over some.
public struct ADWIN: Sendable, Equatable {
  /// Values that lie together: their sum and their squared distances from their mean.
  private struct Bucket: Sendable, Equatable {
    var sum: Double
    var squaredDistances: Double
  }

  private static let bucketsPerRow = 5
  private static let checkInterval = 32
  private static let minimumPart = 5
  private static let gracePeriod = 10

  /// The confidence δ: about the chance of a false alarm in a window (0.002).
  public let delta: Double
  /// The number of values in the window.
  public private(set) var width = 0
  /// Values that were not finite; they change nothing else.
  public private(set) var quarantined = 0
  private var sum = 0.0
  private var squaredDistances = 0.0
  /// Values since the start.
  private var count = 0
  /// Row r holds buckets of 2^r values, the oldest first.
  private var rows: [[Bucket]] = [[]]

  /// A window without values.
  public init(delta: Double = 0.002) { self.delta = delta }

  /// The mean of the window; 0 when it is empty.
  public var mean: Double { width > 0 ? sum / Double(width) : 0 }

  /// The population variance of the window; 0 when it is empty.
  public var variance: Double { width > 0 ? squaredDistances / Double(width) : 0 }

  /// Takes in a value.
  ///
  /// - Returns: whether the mean has changed, so that the window was cut.
  public mutating func update(_ x: Double) -> Bool {
    guard x.isFinite else {
      quarantined += 1
      return false
    }
    append(x)
    count += 1
    guard count % Self.checkInterval == 0, width > Self.gracePeriod else { return false }
    var hasChanged = false
    while hasCut() {
      dropOldest()
      hasChanged = true
    }
    return hasChanged
  }

  /// Forgets the window.
  public mutating func reset() {
    let quarantined = quarantined
    self = ADWIN(delta: delta)
    self.quarantined = quarantined
  }

  private mutating func append(_ x: Double) {
    if width > 0 {
      let distance = x - mean
      squaredDistances += distance * distance * Double(width) / Double(width + 1)
    }
    width += 1
    sum += x
    rows[0].append(Bucket(sum: x, squaredDistances: 0))
    var row = 0
    while rows[row].count > Self.bucketsPerRow {
      if row + 1 == rows.count { rows.append([]) }
      rows[row + 1].append(merged(rows[row][0], rows[row][1], size: Double(1 << row)))
      rows[row].removeFirst(2)
      row += 1
    }
  }

  private func merged(_ left: Bucket, _ right: Bucket, size: Double) -> Bucket {
    let difference = (left.sum - right.sum) / size
    return Bucket(
      sum: left.sum + right.sum,
      squaredDistances: left.squaredDistances + right.squaredDistances
        + difference * difference * size / 2)
  }

  /// Whether some cut of the window leaves two parts whose means differ too much.
  private func hasCut() -> Bool {
    let logTerm = log(2 * log(Double(width)) / delta)
    var (olderCount, olderSum) = (0, 0.0)
    for row in rows.indices.reversed() {
      for bucket in rows[row] {
        olderCount += 1 << row
        olderSum += bucket.sum
        let newerCount = width - olderCount
        guard newerCount >= Self.minimumPart else { return false }
        guard olderCount >= Self.minimumPart else { continue }
        let difference = olderSum / Double(olderCount) - (sum - olderSum) / Double(newerCount)
        // 1/m of the paper, each part shortened by its minimum.
        let inverse =
          1 / Double(olderCount - Self.minimumPart + 1)
          + 1 / Double(newerCount - Self.minimumPart + 1)
        let limit =
          (2 * inverse * variance * logTerm).squareRoot() + 2.0 / 3 * inverse * logTerm
        if difference.magnitude > limit { return true }
      }
    }
    return false
  }

  private mutating func dropOldest() {
    let row = rows.count - 1
    let bucket = rows[row].removeFirst()
    let size = Double(1 << row)
    width -= 1 << row
    sum -= bucket.sum
    let difference = bucket.sum / size - mean
    squaredDistances -=
      bucket.squaredDistances
      + difference * difference * size * Double(width) / (size + Double(width))
    squaredDistances = max(0, squaredDistances)
    while rows.count > 1, rows[rows.count - 1].isEmpty { rows.removeLast() }
  }
}

extension ADWIN {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([width, count, quarantined], as: "\(prefix)counts")
    archive.set([sum, squaredDistances], as: "\(prefix)sums")
    archive.set(rows.map(\.count), as: "\(prefix)rowCounts")
    archive.set(rows.flatMap { $0.map(\.sum) }, as: "\(prefix)bucketSums")
    archive.set(
      rows.flatMap { $0.map(\.squaredDistances) }, as: "\(prefix)bucketSquaredDistances")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let counts = try archive.integers("\(prefix)counts", count: 3)
    let sums = try archive.doubles("\(prefix)sums", count: 2)
    let rowCounts = try archive.integers("\(prefix)rowCounts")
    guard rowCounts.allSatisfy({ 0...Int64(Self.bucketsPerRow) ~= $0 }), 1...62 ~= rowCounts.count,
      counts[0] == zip(0..., rowCounts).reduce(0, { $0 + $1.1 << $1.0 })
    else {
      throw MillraceError(.store, "tensor '\(prefix)rowCounts' does not add up to the window")
    }
    let bucketCount = Int(rowCounts.reduce(0, +))
    let bucketSums = try archive.doubles("\(prefix)bucketSums", count: bucketCount)
    let distances = try archive.doubles("\(prefix)bucketSquaredDistances", count: bucketCount)
    (width, count, quarantined) = (Int(counts[0]), Int(counts[1]), Int(counts[2]))
    (sum, squaredDistances) = (sums[0], sums[1])
    var next = 0
    rows = rowCounts.map { rowCount in
      defer { next += Int(rowCount) }
      return (next..<next + Int(rowCount)).map {
        Bucket(sum: bucketSums[$0], squaredDistances: distances[$0])
      }
    }
  }
}
