/// A part of a source for cross-validation: of every K records in a row one lies in each fold, in
/// a random order that the seed decides. So folds have like sizes, and see all of the log's course.
///
/// Where labels are classes, they are K records of a class in a row: of each class every fold has
/// the same share of a partition, up to one record (stratification: Kohavi, IJCAI 1995). For that
/// labels are read, and nothing is held but how many there were of each.
package final class FoldSource: LogSource {
  /// Which records are let through.
  package enum Part {
    /// All folds but one.
    case training
    /// That one.
    case heldOut
  }

  private let base: any LogSource
  private let labels: Schema?
  private let foldCount: Int
  private let fold: Int
  private let part: Part
  private let seed: UInt64
  private var readers: [Int: ClassReader] = [:]
  /// Per partition, for records without a class and then for each class.
  private var turns: [Int: [Turn]] = [:]

  /// How far the records of a class are.
  private struct Turn {
    var recordCount = 0
    /// Which of the next `foldCount` is in the fold.
    var place = 0
  }

  /// One fold's part of a source.
  ///
  /// - Parameter schema: tells the label and its classes.
  package init(
    _ base: any LogSource, schema: Schema, fold: Int, of foldCount: Int, part: Part, seed: UInt64
  ) {
    self.base = base
    labels =
      schema.task == .regression
      ? nil
      : Schema(task: schema.task, columns: [], label: schema.label, classes: schema.classes)
    self.fold = fold
    self.foldCount = foldCount
    self.part = part
    self.seed = seed
  }

  package var format: DataFormat { base.format }
  package var partitions: [Int] { base.partitions }
  package var isFollowed: Bool { false }
  package var byteCount: Int64? { base.byteCount }

  package func header(partition: Int) throws(MillraceError) -> [UInt8]? {
    try base.header(partition: partition)
  }

  /// Back to the beginning, where folds are counted from.
  package func seek(to positions: [Int: Int64]) throws(MillraceError) {
    turns = [:]
    try base.seek(to: positions)
  }

  package func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    let goesOn = try base.poll(
      partition: partition, maxRecords: maxRecords, maxBytes: maxBytes, linger: linger, into: &batch
    )
    guard batch.count > 0 else { return goesOn }
    let reader = try reader(of: partition)
    try reader?.read(batch)
    var turns = exchange(&turns[partition], with: nil) ?? []
    var kept = 0
    for index in 0..<batch.count
    where lets(nextOf: reader?.classes[index] ?? 0, in: &turns, of: partition) {
      batch.starts[kept] = batch.starts[index]
      batch.ends[kept] = batch.ends[index]
      batch.positions[kept] = batch.positions[index]
      kept += 1
    }
    self.turns[partition] = turns
    let dropped = batch.count - kept
    batch.starts.removeLast(dropped)
    batch.ends.removeLast(dropped)
    batch.positions.removeLast(dropped)
    return goesOn
  }

  /// Whether a class's next record is of this part.
  private func lets(nextOf label: Int, in turns: inout [Turn], of partition: Int) -> Bool {
    while turns.count <= label { turns.append(Turn()) }
    let index = turns[label].recordCount
    turns[label].recordCount += 1
    if index % foldCount == 0 {
      let stream = UInt64(truncatingIfNeeded: partition) &<< 40 &+ UInt64(index / foldCount)
      var random = SplitMix64(seed: seed)
      random = SplitMix64(seed: random.next() ^ stream)
      if label > 0 { random = SplitMix64(seed: random.next() ^ UInt64(label)) }
      turns[label].place = Array(0..<foldCount).shuffled(using: &random)[fold]
    }
    return (index % foldCount == turns[label].place) == (part == .heldOut)
  }

  private func reader(of partition: Int) throws(MillraceError) -> ClassReader? {
    guard let labels else { return nil }
    if let reader = readers[partition] { return reader }
    let reader = try ClassReader(
      RecordDecoder(
        schema: labels, format: format,
        header: format.fieldNames(header: header(partition: partition))))
    readers[partition] = reader
    return reader
  }
}

/// Reads the classes of records, and nothing else of them.
private final class ClassReader {
  /// For each record read last 1 and more for a class, 0 for none.
  private(set) var classes: [Int] = []
  private var decoder: RecordDecoder
  private var batch = Batch(columnCount: 0)
  private var rejected: [RejectedRecord] = []

  init(_ decoder: consuming RecordDecoder) { self.decoder = decoder }

  func read(_ records: borrowing RecordBatch) throws(MillraceError) {
    try decoder.decode(records, into: &batch, rejected: &rejected)
    classes.removeAll(keepingCapacity: true)
    classes.append(contentsOf: repeatElement(0, count: records.count))
    for (row, record) in batch.recordIndices.enumerated() {
      classes[record] = Int(batch.labels[row]) + 1
    }
  }
}
