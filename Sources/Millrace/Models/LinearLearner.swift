internal import CMillraceKernels

/// Linear and logistic regression and their kin: a loss, its link, penalties and an optimizer.
///
/// Learning goes by blocks: the gradients of a block's records are summed at the weights of its
/// start, in the order of the records, and one step is made at its end. The sum is part of the
/// state, so that any split of the records into calls learns the same. Blocks hold 1, 2, 4, …
/// records up to `batchSize`, so that learning starts at once.
package struct LinearLearner<Step: Optimizer>: Learner {
  package let task: Task
  /// Weights per output, the constant's last.
  package let columnCount: Int
  private let settings: LearnerSettings
  private let loss: LossFunction
  /// The weights, one row of `columnCount` per output.
  private var weights: [Float]
  /// The sum of the gradients of the unfinished block's records.
  private var gradient: [Float]
  private var optimizer: Step
  private var target: TargetScale
  /// Records learnt from.
  private var recordCount = 0
  /// The record count at which the unfinished block began, and will end.
  private var block = 0..<1

  /// Rows whose margins are computed at a time: their columns stay in the nearest cache.
  private static var chunkSize: Int { 64 }

  /// A learner that has seen nothing.
  ///
  /// - Parameters:
  ///   - settings: checked by `LearnerSettings.validate`.
  ///   - columnCount: the columns of its rows, the constant included.
  ///   - standardizesTarget: whether numbers are learnt without units; `false` is for comparisons
  ///     with learners that do not.
  package init(
    settings: LearnerSettings, task: Task, columnCount: Int, standardizesTarget: Bool = true
  ) {
    self.task = task
    self.columnCount = columnCount
    let loss = settings.loss ?? Loss.allowed(for: task)[0]
    var settings = settings
    settings.learningRate =
      settings.learningRate
      ?? Step.defaultLearningRate(settings: settings, columnCount: columnCount)
    self.settings = settings
    self.loss = LossFunction(loss, settings: settings)
    weights = Array(repeating: 0, count: columnCount)
    gradient = weights
    optimizer = Step(settings: settings, columnCount: columnCount)
    target = TargetScale(standardizesTarget ? TargetScale.Kind(loss) : .identity)
  }

  package func outputWidth(classCount: Int) -> Int { 1 }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    precondition(rows.columns == columnCount, "\(rows.columns) columns for \(columnCount) weights")
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.chunkSize) { margins in
      guard let margins = margins.baseAddress else { return }
      for start in stride(from: 0, to: rows.count, by: Self.chunkSize) {
        let count = min(Self.chunkSize, rows.count - start)
        let means = predictions[start]
        millrace_row_dots(rows[start], count, columnCount, rows.stride, weights, margins)
        loss.link(margins, count: count, into: means)
        for i in 0..<count { means[i] = target.restored(means[i]) }
      }
    }
  }

  // MARK: - Learning

  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights importance: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    precondition(rows.columns == columnCount, "\(rows.columns) columns for \(columnCount) weights")
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * Self.chunkSize) { floats in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * Self.chunkSize) { doubles in
        guard let floats = floats.baseAddress, let doubles = doubles.baseAddress else { return }
        let scratch = Scratch(
          margins: floats, weights: floats + Self.chunkSize,
          means: doubles, targets: doubles + Self.chunkSize)
        var start = 0
        while start < rows.count {
          let count = min(Self.chunkSize, rows.count - start, block.upperBound - recordCount)
          learnChunk(
            rows.slice(from: start, count: count), labels: labels + start,
            importance: importance + start, predictions: predictions[start], scratch: scratch)
          start += count
          if recordCount == block.upperBound { finishBlock() }
        }
      }
    }
  }

  /// Room for the numbers of one chunk.
  private struct Scratch {
    let margins: UnsafeMutablePointer<Float>
    let weights: UnsafeMutablePointer<Float>
    let means: UnsafeMutablePointer<Double>
    let targets: UnsafeMutablePointer<Double>
  }

  /// Predicts rows of one block and adds their gradients.
  private mutating func learnChunk(
    _ rows: Rows, labels: UnsafePointer<Double>, importance: UnsafePointer<Float>,
    predictions: UnsafeMutablePointer<Double>, scratch: Scratch
  ) {
    let count = rows.count
    millrace_row_dots(rows.base, count, columnCount, rows.stride, weights, scratch.margins)
    loss.link(scratch.margins, count: count, into: scratch.means)
    for i in 0..<count {
      predictions[i] = target.restored(scratch.means[i])
      let standardized = target.observe(labels[i], weight: Double(importance[i]))
      scratch.targets[i] = standardized ?? 0
      scratch.weights[i] = standardized == nil ? 0 : importance[i]
    }
    loss.derivative(
      means: scratch.means, targets: scratch.targets, weights: scratch.weights, count: count,
      into: scratch.margins)
    millrace_add_rows(
      rows.base, count, columnCount, rows.stride, scratch.margins, &gradient)
    recordCount += count
  }

  /// Makes the block's step and begins the next.
  private mutating func finishBlock() {
    optimizer.step(&weights, gradient: gradient, recordCount: block.count)
    for j in gradient.indices { gradient[j] = 0 }
    block = Self.block(from: block.upperBound, batchSize: settings.batchSize)
  }

  /// The block that starts at a record: as long as all before it together and one more, at most
  /// `batchSize`.
  private static func block(from start: Int, batchSize: Int) -> Range<Int> {
    start..<start + min(batchSize, start + 1)
  }

  // MARK: - State

  package var isFinite: Bool {
    weights.allSatisfy(\.isFinite) && gradient.allSatisfy(\.isFinite) && target.isFinite
  }

  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    var coefficients = weights.map { target.unit * Double($0) }
    coefficients[columnCount - 1] += target.offset
    return [coefficients]
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    archive.metadata[prefix + "target"] = target.kind.rawValue
    archive.set(weights, as: prefix + "weights")
    archive.set(gradient, as: prefix + "gradient")
    archive.set([recordCount, block.lowerBound], as: prefix + "records")
    target.encode(into: &archive, prefix: prefix)
    optimizer.encode(into: &archive, prefix: prefix + "optimizer.")
  }

  package init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let task = try archive.task(prefix: prefix)
    let shape = try archive.shape(prefix + "weights")
    guard shape.count == 1, shape[0] > 0 else {
      throw MillraceError(
        .store, "tensor '\(prefix)weights' has shape \(shape); expected one dimension")
    }
    let kind = archive.metadata[prefix + "target"]
    self.init(
      settings: settings, task: task, columnCount: shape[0],
      standardizesTarget: kind != TargetScale.Kind.identity.rawValue)
    weights = try archive.floats(prefix + "weights")
    gradient = try archive.floats(prefix + "gradient", count: columnCount)
    let records = try archive.integers(prefix + "records", count: 2)
    guard (0...records[0]).contains(records[1]) else {
      throw MillraceError(
        .store, "tensor '\(prefix)records' is \(records); expected a count and a block's start")
    }
    recordCount = Int(records[0])
    block = Self.block(from: Int(records[1]), batchSize: settings.batchSize)
    guard recordCount < block.upperBound else {
      throw MillraceError(
        .store, "\(prefix)records lies beyond its block of \(settings.batchSize) records")
    }
    target = try TargetScale(target.kind, decoding: archive, prefix: prefix)
    try optimizer.decode(from: archive, prefix: prefix + "optimizer.")
  }

  // MARK: - Merging

  /// The average of the parts' functions, weighted by the records they have seen.
  package static func merging(
    _ parts: [(learner: LinearLearner, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> LinearLearner {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.input, "there is no learner to merge")
    }
    for part in parts.dropFirst() { merged.target.merge(part.learner.target) }
    let total = Double(parts.reduce(0) { $0 + $1.learner.recordCount })
    guard total > 0, parts.count > 1 else { return merged }

    var sums = [Double](repeating: 0, count: merged.columnCount)
    for part in parts {
      let share = Double(part.learner.recordCount) / total
      let coefficients = part.scaler.coefficients(
        part.learner.standardizedCoefficients(horizon: .never)[0], movedTo: scaler)
      for j in sums.indices { sums[j] += share * coefficients[j] }
    }
    let unit = merged.target.unit
    sums[merged.columnCount - 1] -= merged.target.offset
    merged.weights = sums.map { unit > 0 ? Float($0 / unit) : 0 }
    merged.gradient = sums.map { _ in 0 }
    merged.recordCount = Int(total)
    merged.block = block(from: merged.recordCount, batchSize: merged.settings.batchSize)
    return merged
  }
}

extension StandardScaler {
  /// The coefficients over the columns of `other` of a function that is linear over this scaler's
  /// columns (the constant last): z = (x − mean)/deviation in both.
  func coefficients(_ coefficients: [Double], movedTo other: StandardScaler) -> [Double] {
    var moved = coefficients
    for j in 0..<columnCount {
      let deviation = standardDeviation(j)
      guard deviation > 0 else {
        moved[j] = 0
        continue
      }
      let slope = coefficients[j] / deviation
      moved[j] = slope * other.standardDeviation(j)
      moved[columnCount] += slope * (other.means[j] - means[j])
    }
    return moved
  }
}

extension TensorArchive {
  /// The task that a learner wrote.
  func task(prefix: String) throws(MillraceError) -> Task {
    let name = metadata[prefix + "task"]
    guard let task = name.flatMap(Task.init(rawValue:)) else {
      throw MillraceError(.store, "'\(prefix)task' is \(name ?? "missing"); expected a task")
    }
    return task
  }
}
