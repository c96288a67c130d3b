/// A source that ends where it is told to: the part of a dataset that is learnt, the rest being
/// held out.
public final class BoundedSource: LogSource {
  private let base: any LogSource
  private let ends: [Int: Int64]

  /// A source whose partitions end before these positions.
  public init(_ base: any LogSource, ends: [Int: Int64]) {
    self.base = base
    self.ends = ends
  }

  /// As the base has it.
  public var format: DataFormat { base.format }
  /// As the base has them.
  public var partitions: [Int] { base.partitions }
  /// Never: its ends are known.
  public var isFollowed: Bool { false }
  /// The bytes before the ends.
  public var byteCount: Int64? { base.byteCount == nil ? nil : ends.values.reduce(0, +) }

  /// As the base has it.
  public func header(partition: Int) throws(MillraceError) -> [UInt8]? {
    try base.header(partition: partition)
  }

  /// As the base does.
  public func seek(to positions: [Int: Int64]) throws(MillraceError) {
    try base.seek(to: positions)
  }

  /// As the base does, until the partition's end.
  public func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    let goesOn = try base.poll(
      partition: partition, maxRecords: maxRecords, maxBytes: maxBytes, linger: linger,
      into: &batch)
    guard let end = ends[partition] else { return goesOn }
    let kept = batch.positions.firstIndex { $0 >= end } ?? batch.count
    if kept < batch.count {
      batch.nextPosition = batch.positions[kept]
      batch.starts.removeLast(batch.count - kept)
      batch.ends.removeLast(batch.ends.count - kept)
      batch.positions.removeLast(batch.positions.count - kept)
    }
    return goesOn && batch.count > 0
  }

  /// Where the last `fraction` of the records of each partition begins, in the order of the log.
  ///
  /// Reads the source once, and leaves it at its beginning.
  public static func split(
    _ source: any LogSource, lastFraction fraction: Double
  ) throws(MillraceError) -> [Int: Int64] {
    var ends: [Int: Int64] = [:]
    var records = RecordBatch()
    for partition in source.partitions {
      var positions: [Int64] = []
      while try source.poll(
        partition: partition, maxRecords: 65_536, maxBytes: 16 << 20, linger: .zero, into: &records)
      {
        positions.append(contentsOf: records.positions)
      }
      let kept = Int((Double(positions.count) * (1 - fraction)).rounded())
      ends[partition] = kept < positions.count ? positions[kept] : records.nextPosition
    }
    try source.seek(to: [:])
    return ends
  }
}
