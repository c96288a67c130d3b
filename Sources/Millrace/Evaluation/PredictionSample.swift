/// A uniform sample of predictions with their outcomes: what quantiles of residuals need, in a
/// bounded space.
///
/// A row is kept while the hash of its number is below a threshold, which halves whenever the
/// sample is full (distinct sampling: Gibbons & Tirthapura, SPAA 2001). So the sample depends on
/// the rows alone, and samples of two streams merge into one of both.
struct PredictionSample: Sendable, Equatable {
  /// A sampled row.
  struct Row: Sendable, Equatable {
    /// The hash of the row's number.
    var key: UInt32
    var prediction: Float
    var outcome: Float
  }

  /// The most rows kept; there are at least half as many once there have been as many rows.
  static let capacity = 2048

  private(set) var rows: [Row] = []
  /// Rows seen.
  private(set) var rowCount = 0
  /// Leading zeros that a key needs.
  private var depth = 0

  /// Takes in the next row.
  mutating func add(prediction: Double, outcome: Double) {
    var hash = SplitMix64(seed: UInt64(truncatingIfNeeded: rowCount))
    let key = UInt32(hash.next() >> 32)
    rowCount += 1
    guard key.leadingZeroBitCount >= depth else { return }
    rows.append(Row(key: key, prediction: Float(prediction), outcome: Float(outcome)))
    thin()
  }

  /// Takes in what another sample holds.
  mutating func merge(_ other: PredictionSample) {
    rowCount += other.rowCount
    depth = max(depth, other.depth)
    rows = (rows + other.rows).filter { $0.key.leadingZeroBitCount >= depth }
    thin()
  }

  private mutating func thin() {
    while rows.count > Self.capacity, depth < UInt32.bitWidth {
      depth += 1
      rows.removeAll { $0.key.leadingZeroBitCount < depth }
    }
  }

  /// Quantiles of outcome − prediction at these shares: the smallest residual with at least that
  /// share of the sample at or below it.
  func residualQuantiles(_ shares: [Double]) -> [QualitySummary.Quantile] {
    let residuals = rows.map { Double($0.outcome) - Double($0.prediction) }.sorted()
    guard !residuals.isEmpty else { return [] }
    return shares.map { share in
      let rank = (share * Double(residuals.count)).rounded(.up)
      let index = min(max(Int(rank) - 1, 0), residuals.count - 1)
      return .init(share: share, value: residuals[index])
    }
  }

  /// Mean outcome by mean prediction, in bins of as many sampled rows each; their counts are scaled
  /// up to all rows.
  func bins(_ binCount: Int) -> [QualitySummary.Bin] {
    let ordered = rows.sorted { ($0.prediction, $0.key) < ($1.prediction, $1.key) }
    let scale = Double(rowCount) / Double(max(1, ordered.count))
    return (0..<min(binCount, ordered.count)).map { bin in
      let part = ordered[
        bin * ordered.count / binCount..<(bin + 1) * ordered.count / binCount]
      let count = Double(part.count)
      return .init(
        meanPrediction: part.reduce(0) { $0 + Double($1.prediction) } / max(1, count),
        meanOutcome: part.reduce(0) { $0 + Double($1.outcome) } / max(1, count),
        count: count * scale)
    }.filter { $0.count > 0 }
  }
}

extension PredictionSample: ArchivedState {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([rowCount, depth], as: "\(prefix)counts")
    archive.set(rows.map { Int64($0.key) }, as: "\(prefix)keys")
    archive.set(rows.flatMap { [$0.prediction, $0.outcome] }, as: "\(prefix)rows")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let counts = try archive.integers("\(prefix)counts", count: 2)
    let keys = try archive.integers("\(prefix)keys")
    let values = try archive.floats("\(prefix)rows", count: 2 * keys.count)
    (rowCount, depth) = (Int(counts[0]), Int(counts[1]))
    rows = keys.enumerated().map { index, key in
      Row(
        key: UInt32(truncatingIfNeeded: key), prediction: values[2 * index],
        outcome: values[2 * index + 1])
    }
  }
}
