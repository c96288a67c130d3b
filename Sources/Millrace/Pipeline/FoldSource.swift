/// A part of a source for cross-validation: of every K records in a row one lies in each fold, in
/// a random order that the seed decides. So folds have like sizes, and see all of the log's course.
final class FoldSource: LogSource {
  /// Which records are let through.
  enum Part {
    /// All folds but one.
    case training
    /// That one.
    case heldOut
  }

  private let base: any LogSource
  private let foldCount: Int
  private let fold: Int
  private let part: Part
  private let seed: UInt64
  private var recordCounts: [Int: Int] = [:]
  /// Which record of a block of `foldCount` is in the fold, per partition.
  private var places: [Int: Int] = [:]

  init(_ base: any LogSource, fold: Int, of foldCount: Int, part: Part, seed: UInt64) {
    self.base = base
    self.fold = fold
    self.foldCount = foldCount
    self.part = part
    self.seed = seed
  }

  var format: DataFormat { base.format }
  var partitions: [Int] { base.partitions }
  var isFollowed: Bool { false }
  var byteCount: Int64? { base.byteCount }

  func header(partition: Int) throws(MillraceError) -> [UInt8]? {
    try base.header(partition: partition)
  }

  /// Back to the beginning, where folds are counted from.
  func seek(to positions: [Int: Int64]) throws(MillraceError) {
    recordCounts = [:]
    try base.seek(to: positions)
  }

  func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    let goesOn = try base.poll(
      partition: partition, maxRecords: maxRecords, maxBytes: maxBytes, linger: linger, into: &batch
    )
    var kept = 0
    for index in 0..<batch.count where lets(nextOf: partition) {
      batch.starts[kept] = batch.starts[index]
      batch.ends[kept] = batch.ends[index]
      batch.positions[kept] = batch.positions[index]
      kept += 1
    }
    let dropped = batch.count - kept
    batch.starts.removeLast(dropped)
    batch.ends.removeLast(dropped)
    batch.positions.removeLast(dropped)
    return goesOn
  }

  /// Whether the partition's next record is of this part.
  private func lets(nextOf partition: Int) -> Bool {
    let index = recordCounts[partition, default: 0]
    recordCounts[partition] = index + 1
    if index % foldCount == 0 {
      let stream = UInt64(truncatingIfNeeded: partition) &<< 40 &+ UInt64(index / foldCount)
      var random = SplitMix64(seed: seed)
      random = SplitMix64(seed: random.next() ^ stream)
      places[partition] = Array(0..<foldCount).shuffled(using: &random)[fold]
    }
    return (index % foldCount == places[partition]) == (part == .heldOut)
  }
}
