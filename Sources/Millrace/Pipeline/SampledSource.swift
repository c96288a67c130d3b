internal import Glibc

/// A source whose first records can be looked at before they are polled: for the inference of a
/// schema, also where nothing can be read twice.
final class SampledSource: LogSource {
  private let base: any LogSource
  /// Records that were looked at and not yet polled, per partition, oldest first.
  private var sampled: [Int: [RecordBatch]] = [:]
  private var ended: Set<Int> = []

  init(_ base: any LogSource) { self.base = base }

  var format: DataFormat { base.format }
  var partitions: [Int] { base.partitions }
  var isFollowed: Bool { base.isFollowed }
  var byteCount: Int64? { base.byteCount }

  func header(partition: Int) throws(MillraceError) -> [UInt8]? {
    try base.header(partition: partition)
  }

  func seek(to positions: [Int: Int64]) throws(MillraceError) {
    sampled = [:]
    ended = []
    try base.seek(to: positions)
  }

  func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    guard let first = sampled[partition]?.first else {
      if ended.contains(partition) {
        batch.removeAll()
        batch.partition = partition
        return false
      }
      return try base.poll(
        partition: partition, maxRecords: maxRecords, maxBytes: maxBytes, linger: linger,
        into: &batch)
    }
    guard first.count > maxRecords else {
      batch = first
      sampled[partition]?.removeFirst()
      return true
    }
    batch = first.prefix(maxRecords)
    sampled[partition]?[0] = first.dropFirst(maxRecords)
    return true
  }

  /// The first `count` records of a partition, or as many as come before it ends or falls silent.
  ///
  /// - Parameters:
  ///   - silence: how long to wait for the next record.
  ///   - shouldStop: asked while waiting.
  func sample(
    partition: Int, count: Int, silence: Duration, shouldStop: () -> Bool
  ) throws(MillraceError) -> [RecordBatch] {
    var records = sampled[partition, default: []].reduce(0) { $0 + $1.count }
    var lastArrival = ContinuousClock.now
    while records < count, !ended.contains(partition), !shouldStop() {
      var batch = RecordBatch()
      let goesOn = try base.poll(
        partition: partition, maxRecords: count - records, maxBytes: 64 << 20,
        linger: .milliseconds(50), into: &batch)
      if !goesOn { ended.insert(partition) }
      if batch.count > 0 {
        sampled[partition, default: []].append(batch)
        records += batch.count
        lastArrival = .now
      } else if lastArrival.duration(to: .now) > silence {
        break
      }
    }
    return sampled[partition, default: []]
  }

  /// Waits until some partition has a record, or all have ended for good.
  private func waitForRecords(shouldStop: () -> Bool) throws(MillraceError) {
    while !shouldStop() {
      for partition in partitions {
        let first = try sample(
          partition: partition, count: 1, silence: .zero, shouldStop: shouldStop)
        if !first.isEmpty { return }
      }
      if partitions.allSatisfy(ended.contains) {
        guard isFollowed else { return }
        usleep(10_000)
      }
    }
  }

  /// The schema of the first records of every partition, which are waited for as long as it takes;
  /// `nil` when told to stop.
  ///
  /// - Parameters:
  ///   - name: the log's address, for messages.
  ///   - warn: told what a person should know about the schema.
  /// - Throws: as `SchemaInference.infer` does.
  func inferSchema(
    name: String, options: SchemaInference.Options, shouldStop: () -> Bool, warn: (String) -> Void
  ) throws(MillraceError) -> Schema? {
    try waitForRecords(shouldStop: shouldStop)
    var samples: [SchemaInference.Sample] = []
    let share = max(1, options.sampleRecords / max(1, partitions.count))
    for partition in partitions {
      let records = try sample(
        partition: partition, count: share, silence: .seconds(5), shouldStop: shouldStop)
      samples.append(.init(records: records, header: try header(partition: partition)))
    }
    if shouldStop() { return nil }
    let (schema, warnings) = try SchemaInference.infer(
      from: samples, format: format, name: name, options: options)
    warnings.forEach(warn)
    return schema
  }
}

extension RecordBatch {
  /// The first `count` records.
  fileprivate func prefix(_ count: Int) -> RecordBatch { slice(0..<count) }

  /// The records after the first `count`.
  fileprivate func dropFirst(_ count: Int) -> RecordBatch { slice(count..<self.count) }

  private func slice(_ range: Range<Int>) -> RecordBatch {
    var batch = self
    batch.starts = Array(starts[range])
    batch.ends = Array(ends[range])
    batch.positions = Array(positions[range])
    if range.upperBound < count { batch.nextPosition = positions[range.upperBound] }
    return batch
  }
}
