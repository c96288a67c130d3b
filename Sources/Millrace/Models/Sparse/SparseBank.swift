internal import CMillraceKernels

/// The bank of experts for sparse rows, `auto`: no learning rate to guess.
///
/// Five Gaussian filters whose weights have a variance each and no covariance (assumed-density
/// filtering: Minka 2001; adPredictor: Graepel et al. 2010). They differ in how far they expect
/// weights to lie from 0, and one never knows a weight so well that it stops moving; they are mixed
/// by how well they predict (fixed share: Herbster & Warmuth 1998), for two classes also by their
/// logits. They are the lanes of a vector unit, so that two features share a cache line: some 5 to
/// 9 ns an entry.
///
/// What is learnt of a weight is the filters' common knowledge: P ← P + h̄z², h̄ the curvature of the
/// loss as the mixture sees it, and a filter's variance is v = 1/(prior precision + P). Its mean
/// moves by w ← w + g·vz.
///
/// A feature is divided by the mean of its absolute values that are not 0, so that units do not
/// matter and zeros stay zeros. A row of weight 0 is predicted and otherwise ignored; one counts at
/// most like a hundred.
package struct SparseBank: SparseLearner {
  package let task: Task
  var places: FeaturePlaces
  /// Rows of 8 floats, per place one for each output; room for more places than are taken.
  var features: LaneBuffer
  /// The filters' priors and the mixtures.
  var head: LaneBuffer
  /// Classes seen; 1 for other tasks.
  var outputCount = 0
  var classes = SeenClasses()
  var target: TargetScale
  var rowCount = 0

  static let rowSize = MILLRACE_SPARSE_ROW
  private static let rowAlignment = rowSize * MemoryLayout<Float>.alignment

  /// A bank that has seen nothing.
  ///
  /// - Parameter width: the columns of the rows, a power of two.
  package init(task: Task, width: Int) {
    self.task = task
    places = FeaturePlaces(width: width)
    head = LaneBuffer(count: MILLRACE_SPARSE_HEAD_ROWS * 8)
    features = LaneBuffer(count: 0)
    target = TargetScale(task == .regression ? .standardized : .identity)
    millrace_sparse_start(task.kernelTask, head.mutableBase())
    reserve(outputs: task == .multiclass ? 0 : 1)
  }

  package func outputWidth(classCount: Int) -> Int { task == .multiclass ? classCount : 1 }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withScratch(rows, outputs: outputCount) { entries, scratch in
      places.find(entries.indices, count: entries.count, kept: kept, into: scratch.places)
      run(entries, scratch) { bank, rows, room in
        millrace_sparse_predict(&bank, &rows, room, scratch.answers)
      }
      for row in 0..<rows.count {
        write(scratch.answers + row * outputCount, target, to: predictions, row: row)
      }
    }
  }

  private func write(
    _ answer: UnsafePointer<Double>, _ target: TargetScale, to predictions: PredictionRows, row: Int
  ) {
    switch task {
    case .binary: predictions[row][0] = answer[0]
    case .regression: predictions[row][0] = target.restored(answer[0])
    case .multiclass:
      classes.write(answer, stride: 1, to: predictions[row], width: predictions.width)
    }
  }

  // MARK: - Learning

  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      var count = rows.count - start
      if task == .multiclass {
        if !classes.contains(labels[start]) {
          predict(
            rows.slice(from: start, count: 1), horizon: .immediate,
            into: predictions.slice(from: start, count: 1))
          classes.add(labels[start])
          reserve(outputs: outputCount + 1)
          learn(rows.slice(from: start, count: 1), labels + start, weights + start, nil)
          start += 1
          continue
        }
        count = (0..<count).first { !classes.contains(labels[start + $0]) } ?? count
      }
      learn(
        rows.slice(from: start, count: count), labels + start, weights + start,
        predictions.slice(from: start, count: count))
      start += count
    }
    rowCount += rows.count
  }

  /// Learns rows of known classes.
  ///
  /// - Parameter predictions: `nil` where they were made before.
  private mutating func learn(
    _ rows: Rows, _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>,
    _ predictions: PredictionRows?
  ) {
    withScratch(rows, outputs: outputCount) { entries, scratch in
      let seen = places.count
      places.place(entries.indices, count: entries.count, kept: kept, into: scratch.places)
      reserve(outputs: outputCount)
      places.clear(&features, from: seen, size: outputCount * Self.rowSize)
      var scale = target
      for row in 0..<rows.count { observe(labels[row], weights[row], scratch, row) }
      // The kernel writes: what is shared with a snapshot is copied first.
      _ = (features.mutableBase(), head.mutableBase())
      run(entries, scratch) { bank, rows, room in
        millrace_sparse_learn(
          &bank, &rows, scratch.targets, scratch.weights, room, scratch.answers)
      }
      for row in 0..<rows.count {
        if let predictions {
          write(scratch.answers + row * outputCount, scale, to: predictions, row: row)
          classes.run += 1
        }
        if task == .regression { _ = scale.observe(labels[row], weight: Double(weights[row])) }
      }
    }
  }

  /// Takes in a label: as the kernel knows it, and the record's weight.
  private mutating func observe(
    _ label: Double, _ weight: Float, _ scratch: SparseScratch, _ row: Int
  ) {
    scratch.weights[row] = weight
    switch task {
    case .binary: scratch.targets[row] = label
    case .regression:
      let standardized = target.observe(label, weight: Double(weight))
      scratch.targets[row] = standardized ?? 0
      if standardized == nil { scratch.weights[row] = 0 }
    case .multiclass:
      scratch.targets[row] = Double(classes.indices.firstIndex { Double($0) == label } ?? 0)
    }
  }

  // MARK: - The kernel

  private var kept: FeaturePlaces.Kept {
    .init(base: features.base, size: outputCount * Self.rowSize * MemoryLayout<Float>.stride)
  }

  private func run(
    _ entries: ChunkEntries, _ scratch: SparseScratch,
    _ body: (
      inout millrace_sparse_bank, inout millrace_sparse_rows, UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let room = millrace_sparse_room(entries.longestRow, outputCount)
    withUnsafeTemporaryAllocation(
      byteCount: room * MemoryLayout<Float>.stride, alignment: Self.rowAlignment
    ) { room in
      guard let room = room.bindMemory(to: Float.self).baseAddress else { return }
      var bank = millrace_sparse_bank(
        task: task.kernelTask, features: features.base, outputs: outputCount, head: head.base)
      var rows = millrace_sparse_rows(
        starts: entries.starts, places: scratch.places, values: entries.values,
        count: entries.rowCount)
      withExtendedLifetime(self) { body(&bank, &rows, room) }
    }
  }

  /// Makes room for every place and so many outputs; what is new is 0: nothing was learnt of it.
  mutating func reserve(outputs: Int) {
    places.resize(&features, from: outputCount * Self.rowSize, to: outputs * Self.rowSize)
    outputCount = outputs
  }
}

extension Task {
  var kernelTask: millrace_sparse_task {
    switch self {
    case .regression: millrace_sparse_regression
    case .binary: millrace_sparse_binary
    case .multiclass: millrace_sparse_multiclass
    }
  }
}
