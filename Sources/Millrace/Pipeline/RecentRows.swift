/// The latest rows of a partition, in a ring: what a challenger is trained on when the data moves.
struct RecentRows: Sendable {
  let capacity: Int
  let columnCount: Int
  private(set) var count = 0
  private var next = 0
  private var features: [Float]
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
  }
}
