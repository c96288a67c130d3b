internal import CMillraceKernels

/// Linear, logistic, softmax, Poisson and quantile regression: a loss, its link, penalties and an
/// optimizer.
///
/// Learning goes by blocks: the gradients of a block's records are summed at the weights of its
/// start, in the order of the records, and one step is made at its end. The sum is part of the
/// state, so that any split of the records into calls learns the same. Blocks hold 1, 2, 4, …
/// records up to `batchSize`, so that learning starts at once.
///
/// A learner that diverges starts again from weights 0 with half of its learning rate.
package struct LinearLearner: Learner {
  package let task: Task
  /// Weights per output, the constant's last.
  package let columnCount: Int
  let settings: LearnerSettings
  let loss: LossFunction
  /// The weights that learn, one output after another: one, or one per class seen.
  var weights: [Float] = []
  /// The means of the weights over all steps (Polyak, Juditsky 1992); empty without averaging.
  var averages: [Float] = []
  /// How the weights of each output move.
  var outputs: [LinearOutput] = []
  var classes = SeenClasses()
  var target: TargetScale
  var monitor = DivergenceMonitor()
  /// Records learnt from.
  var recordCount = 0
  /// Blocks finished since the start, or the last start again.
  var blockCount = 0
  /// The records of the unfinished block.
  var block = 0..<1

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
    self.settings = settings
    let loss = settings.loss ?? Loss(task)
    self.loss = LossFunction(loss, settings: settings)
    target = TargetScale(standardizesTarget ? TargetScale.Kind(loss) : .identity)
    if task != .multiclass { addOutput() }
  }

  /// Adds an output of weights 0.
  mutating func addOutput() {
    let zeros = repeatElement(Float(0), count: columnCount)
    weights += zeros
    if settings.averaging { averages += zeros }
    outputs.append(newOutput())
  }

  func newOutput() -> LinearOutput {
    LinearOutput(
      settings: settings, task: task, columnCount: columnCount, rateFactor: monitor.rateFactor)
  }

  /// The weights that predict.
  var servedWeights: [Float] { settings.averaging ? averages : weights }

  package func outputWidth(classCount: Int) -> Int { task == .multiclass ? classCount : 1 }

  package var divergence: Divergence { monitor.summary }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    guard task == .multiclass else {
      return predictOne(count: rows.count, into: predictions.base) { start, count, margins in
        computeMargins(
          rows.slice(from: start, count: count), servedWeights, into: margins, stride: count)
      }
    }
    withScratch(outputCount: outputs.count, rowCount: rows.count) { scratch in
      for start in stride(from: 0, to: rows.count, by: scratch.stride) {
        let count = min(scratch.stride, rows.count - start)
        computeMeans(rows.slice(from: start, count: count), servedWeights, scratch)
        write(scratch, count: count, to: predictions.slice(from: start, count: count))
      }
    }
  }

  package func predict(
    _ features: UnsafePointer<Float>, scaler: FrozenScaler, horizon: LabelHorizon,
    into predictions: PredictionRows
  ) {
    // Several outputs share the standardised rows.
    guard task != .multiclass else {
      return predictByBlocks(features, scaler: scaler, horizon: horizon, into: predictions)
    }
    predictOne(count: predictions.count, into: predictions.base) { start, count, margins in
      scaler.scores(
        features + start * scaler.columnCount, count: count, weights: servedWeights,
        into: margins)
    }
  }

  /// Predicts one number a row from the margins that `computeMargins` writes for the `count` rows
  /// from `start` on.
  private func predictOne(
    count rowCount: Int, into predictions: UnsafeMutablePointer<Double>,
    computeMargins: (_ start: Int, _ count: Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    // A constant size, so that the margins lie on the stack.
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Scratch.rowLimit) { margins in
      guard let margins = margins.baseAddress else { return }
      for start in stride(from: 0, to: rowCount, by: Scratch.rowLimit) {
        let count = min(Scratch.rowLimit, rowCount - start)
        computeMargins(start, count, margins)
        let means = predictions + start
        loss.link(margins, outputs: 1, count: count, stride: Scratch.rowLimit, into: means)
        if task == .regression {
          for i in 0..<count { means[i] = target.restored(means[i]) }
        }
      }
    }
  }

  /// The margins of rows, each output's `stride` after the one before.
  private func computeMargins(
    _ rows: Rows, _ weights: [Float], into margins: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(rows.columns == columnCount, "\(rows.columns) columns for \(columnCount) weights")
    weights.withUnsafeBufferPointer { weights in
      guard let base = weights.baseAddress else { return }
      for output in outputs.indices {
        millrace_row_scores(
          rows.base, rows.count, columnCount - 1, rows.stride, base + output * columnCount,
          margins + output * stride)
      }
    }
  }

  /// The means of at most `scratch.stride` rows.
  private func computeMeans(_ rows: Rows, _ weights: [Float], _ scratch: Scratch) {
    computeMargins(rows, weights, into: scratch.margins, stride: scratch.stride)
    loss.link(
      scratch.margins, outputs: outputs.count, count: rows.count, stride: scratch.stride,
      into: scratch.means)
  }

  /// Writes the predictions of a chunk's rows.
  private func write(_ scratch: Scratch, count: Int, to predictions: PredictionRows) {
    switch task {
    case .binary: predictions.base.update(from: scratch.means, count: count)
    case .regression:
      for i in 0..<count { predictions.base[i] = target.restored(scratch.means[i]) }
    case .multiclass:
      for i in 0..<count {
        classes.write(
          scratch.means + i, stride: scratch.stride, to: predictions[i], width: predictions.width,
          later: i)
      }
    }
  }

  // MARK: - Learning

  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let outputCount = outputs.count
      // One more output than there are: a chunk may bring a new class.
      withScratch(outputCount: outputCount + 1, rowCount: rows.count - start) { scratch in
        repeat {
          let limit = min(scratch.stride, rows.count - start, block.upperBound - recordCount)
          let count = chunkLength(labels: labels + start, limit: limit)
          learnChunk(
            rows.slice(from: start, count: count), labels: labels + start,
            importance: weights + start,
            predictions: predictions.slice(from: start, count: count), scratch)
          start += count
          if recordCount == block.upperBound { finishBlock() }
        } while start < rows.count && outputs.count == outputCount
      }
    }
  }

  /// Rows to learn at once, at most `limit`: one of a new class is alone.
  private func chunkLength(labels: UnsafePointer<Double>, limit: Int) -> Int {
    guard task == .multiclass else { return limit }
    let known = (0..<limit).first { !classes.contains(labels[$0]) } ?? limit
    return max(known, 1)
  }

  /// Predicts rows of one block and adds their gradients.
  private mutating func learnChunk(
    _ rows: Rows, labels: UnsafePointer<Double>, importance: UnsafePointer<Float>,
    predictions: PredictionRows, _ scratch: Scratch
  ) {
    computeMeans(rows, servedWeights, scratch)
    scratch.weights.update(from: importance, count: rows.count)
    if task == .regression {
      for i in 0..<rows.count {
        predictions.base[i] = target.restored(scratch.means[i])
        let standardized = target.observe(labels[i], weight: Double(scratch.weights[i]))
        scratch.targets[i] = standardized ?? 0
        if standardized == nil { scratch.weights[i] = 0 }
      }
    } else {
      write(scratch, count: rows.count, to: predictions)
      scratch.targets.update(from: labels, count: rows.count)
      classes.run += rows.count
      if !settings.classWeights.isEmpty {
        for i in 0..<rows.count { scratch.weights[i] *= classWeight(labels[i]) }
      }
    }
    if task == .multiclass, !classes.contains(labels[0]) {
      classes.add(labels[0])
      addOutput()
      computeMeans(rows, weights, scratch)
    } else if settings.averaging {
      computeMeans(rows, weights, scratch)
    }
    loss.addAtZero(
      targets: scratch.targets, weights: scratch.weights, outputs: outputs.count,
      count: rows.count, to: &monitor.zeroLoss)
    for output in outputs.indices { addGradient(of: output, rows, labels: labels, scratch) }
    recordCount += rows.count
  }

  /// The factor that the settings give to a class.
  private func classWeight(_ label: Double) -> Float {
    guard let index = Int(exactly: label), settings.classWeights.indices.contains(index) else {
      return 1
    }
    return Float(settings.classWeights[index])
  }

  /// Adds a chunk's gradient to an output's.
  private mutating func addGradient(
    of output: Int, _ rows: Rows, labels: UnsafePointer<Double>, _ scratch: Scratch
  ) {
    let means = scratch.means + output * scratch.stride
    if task == .multiclass {
      let index = Double(classes.indices[output])
      for i in 0..<rows.count { scratch.targets[i] = labels[i] == index ? 1 : 0 }
    }
    let derivatives = scratch.margins
    if outputs[output].optimizer.usesCurvature {
      loss.curvature(
        means: means, targets: scratch.targets, weights: scratch.weights, outputs: outputs.count,
        count: rows.count, into: derivatives)
      outputs[output].optimizer.observe(rows, curvatures: derivatives)
    }
    loss.derivative(
      means: means, targets: scratch.targets, weights: scratch.weights, count: rows.count,
      into: derivatives)
    outputs[output].add(rows, derivatives: derivatives)
  }

  /// Makes the block's steps and begins the next.
  private mutating func finishBlock() {
    blockCount += 1
    var excess = 0.0
    // Taken out for the time of the loop: they may not be lent while the outputs change.
    var moving = exchange(&weights, with: [])
    moving.withUnsafeMutableBufferPointer { all in
      for index in outputs.indices {
        excess += outputs[index].step(
          UnsafeMutableBufferPointer(rebasing: all[range(index)]), recordCount: block.count,
          limit: settings.gradientLimit)
      }
    }
    weights = moving
    let share = 1 / Float(blockCount)
    for j in averages.indices { averages[j] += share * (weights[j] - averages[j]) }
    let isFinite = weights.allSatisfy(\.isFinite)
    block = Self.block(from: block.upperBound, batchSize: settings.batchSize)
    if monitor.finishBlock(excess: excess, recordCount: recordCount, isFinite: isFinite) {
      restart()
    }
  }

  /// Forgets all weights and goes on with smaller steps.
  private mutating func restart() {
    blockCount = 0
    for j in weights.indices { weights[j] = 0 }
    for j in averages.indices { averages[j] = 0 }
    for index in outputs.indices { outputs[index] = newOutput() }
  }

  /// The block that starts at a record: as long as all before it together and one more, at most
  /// `batchSize`.
  static func block(from start: Int, batchSize: Int) -> Range<Int> {
    start..<start + min(batchSize, start + 1)
  }
}

/// Room for the numbers of one chunk of rows: margins and means for each output, `stride` apart.
private struct Scratch {
  let stride: Int
  let margins: UnsafeMutablePointer<Float>
  let weights: UnsafeMutablePointer<Float>
  let means: UnsafeMutablePointer<Double>
  let targets: UnsafeMutablePointer<Double>

  /// Rows whose margins are computed at a time: their columns stay in the nearest cache.
  static let rowLimit = 64
}

private func withScratch(outputCount: Int, rowCount: Int, _ body: (Scratch) -> Void) {
  let stride = min(Scratch.rowLimit, max(rowCount, 1))
  let size = outputCount * stride
  withUnsafeTemporaryAllocation(of: Float.self, capacity: size + stride) { floats in
    withUnsafeTemporaryAllocation(of: Double.self, capacity: size + stride) { doubles in
      guard let floats = floats.baseAddress, let doubles = doubles.baseAddress else { return }
      body(
        Scratch(
          stride: stride, margins: floats, weights: floats + size, means: doubles,
          targets: doubles + size))
    }
  }
}

extension LinearLearner: DenseLearner {
  package var columns: Int { columnCount }
}
