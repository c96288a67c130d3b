/// The latest rows of a partition, in a ring: what a challenger is trained on when the data moves.
struct RecentRows: Sendable {
  let capacity: Int
  let columnCount: Int
  private(set) var count = 0
  private var next = 0
  private var features: [Float]
  private var sparse = SparseRing()
  private var labels: [Double]
  private var weights: [Float]

  init(capacity: Int, columnCount: Int) {
    self.capacity = capacity
    self.columnCount = columnCount
    features = Array(repeating: 0, count: capacity * columnCount)
    labels = Array(repeating: 0, count: capacity)
    weights = Array(repeating: 0, count: capacity)
  }

  mutating func append(_ batch: Batch, rows: Range<Int>) {
    for row in rows.suffix(capacity) {
      let source = row * columnCount
      features.replaceSubrange(
        next * columnCount..<(next + 1) * columnCount,
        with: batch.features[source..<source + columnCount])
      if batch.sparse.width > 0 { sparse.append(batch.sparse, row: row, capacity: capacity) }
      labels[next] = batch.labels[row]
      weights[next] = batch.weights[row]
      next = (next + 1) % capacity
      count = min(count + 1, capacity)
    }
  }

  /// The rows from the oldest to the newest.
  func ordered() -> Batch {
    var batch = Batch(columnCount: columnCount)
    let oldest = count < capacity ? 0 : next
    for offset in 0..<count {
      let row = (oldest + offset) % capacity
      batch.features += features[row * columnCount..<(row + 1) * columnCount]
      batch.labels.append(labels[row])
      batch.weights.append(weights[row])
    }
    batch.sparse = sparse.latest(count)
    batch.count = count
    return batch
  }
}

extension RecentRows {
  func encode(into archive: inout TensorArchive, prefix: String) {
    let batch = ordered()
    archive.set(batch.features, as: "\(prefix)features")
    archive.set(batch.labels, as: "\(prefix)labels")
    archive.set(batch.weights, as: "\(prefix)weights")
    guard batch.sparse.width > 0 else { return }
    archive.set(batch.sparse.width, as: "\(prefix)width")
    archive.set(batch.sparse.starts, as: "\(prefix)starts")
    archive.set(batch.sparse.indices.map(Int64.init), as: "\(prefix)indices")
    archive.set(batch.sparse.values, as: "\(prefix)values")
  }

  init(
    capacity: Int, columnCount: Int, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    self.init(capacity: capacity, columnCount: columnCount)
    let labels = try archive.doubles("\(prefix)labels")
    guard labels.count <= capacity else {
      throw MillraceError(
        .checkpoint, "the recent window has \(labels.count) rows; at most \(capacity) are allowed")
    }
    let features = try archive.floats("\(prefix)features", count: labels.count * columnCount)
    let weights = try archive.floats("\(prefix)weights", count: labels.count)
    self.features.replaceSubrange(0..<features.count, with: features)
    self.labels.replaceSubrange(0..<labels.count, with: labels)
    self.weights.replaceSubrange(0..<weights.count, with: weights)
    count = labels.count
    next = capacity > 0 ? count % capacity : 0
    if archive.contains("\(prefix)width") {
      sparse = try SparseRing(decoding: archive, prefix: prefix, count: count)
    }
  }
}

/// The latest sparse rows, one behind the other; what is too old is dropped now and then.
private struct SparseRing {
  private var rows = SparseRows()
  private var count = 0

  init() {}

  mutating func append(_ source: SparseRows, row: Int, capacity: Int) {
    if count >= 2 * capacity { self = SparseRing(latest(capacity - 1), count: capacity - 1) }
    let range = source.starts[row]..<source.starts[row + 1]
    rows.width = source.width
    rows.indices.append(contentsOf: source.indices[range])
    rows.values.append(contentsOf: source.values[range])
    rows.starts.append(rows.indices.count)
    count += 1
  }

  /// The last `wanted` rows.
  func latest(_ wanted: Int) -> SparseRows {
    var result = SparseRows()
    let starts = rows.starts[(count - min(wanted, count))...]
    let first = starts.first ?? 0
    result.width = rows.width
    result.starts = starts.map { $0 - first }
    result.indices = Array(rows.indices[first...])
    result.values = Array(rows.values[first...])
    return result
  }

  private init(_ rows: SparseRows, count: Int) {
    self.rows = rows
    self.count = count
  }

  init(decoding archive: TensorArchive, prefix: String, count: Int) throws(MillraceError) {
    rows.width = Int(try archive.integer("\(prefix)width", in: 1...1 << 32))
    rows.starts = try archive.integers("\(prefix)starts", count: count + 1).map(Int.init)
    let indices = try archive.integers("\(prefix)indices")
    rows.values = try archive.floats("\(prefix)values", count: indices.count)
    let fits =
      rows.starts[0] == 0 && rows.starts[count] == indices.count
      && zip(rows.starts, rows.starts.dropFirst()).allSatisfy { $0 <= $1 }
      && indices.allSatisfy { $0 >= 0 && $0 < rows.width }
    guard fits else {
      throw MillraceError(.checkpoint, "the recent window's entries do not make rows")
    }
    rows.indices = indices.map(UInt32.init)
    self.count = count
  }
}
