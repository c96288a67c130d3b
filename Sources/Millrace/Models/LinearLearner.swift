internal import CMillraceKernels

/// Linear, logistic, softmax, Poisson and quantile regression: a loss, its link, penalties and an
/// optimizer.
///
/// Learning goes by blocks: the gradients of a block's records are summed at the weights of its
/// start, in the order of the records, and one step is made at its end. The sum is part of the
/// state, so that any split of the records into calls learns the same. Blocks hold 1, 2, 4, …
/// records up to `batchSize`, so that learning starts at once.
///
/// A learner that diverges starts again from weights 0 with a quarter of its learning rate.
package struct LinearLearner<Step: Optimizer>: Learner {
  package let task: Task
  /// Weights per output, the constant's last.
  package let columnCount: Int
  let settings: LearnerSettings
  let loss: LossFunction
  /// One, or one per class seen.
  var outputs: [LinearOutput<Step>]
  var classes = SeenClasses()
  var target: TargetScale
  var divergence = DivergenceMonitor()
  /// Records learnt from.
  var recordCount = 0
  /// Blocks finished.
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
    outputs = []
    if task != .multiclass { addOutput() }
  }

  mutating func addOutput() { outputs.append(newOutput()) }

  private func newOutput() -> LinearOutput<Step> {
    LinearOutput(
      settings: settings, task: task, columnCount: columnCount, rateFactor: divergence.rateFactor)
  }

  package func outputWidth(classCount: Int) -> Int { task == .multiclass ? classCount : 1 }

  /// How often it diverged and started again.
  package var restartCount: Int { divergence.restartCount }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withScratch(outputCount: outputs.count, rowCount: rows.count) { scratch in
      for start in stride(from: 0, to: rows.count, by: scratch.stride) {
        let count = min(scratch.stride, rows.count - start)
        computeMeans(rows.slice(from: start, count: count), served: true, scratch)
        for i in 0..<count { write(scratch, i, to: predictions, row: start + i) }
      }
    }
  }

  /// The means of at most `scratch.stride` rows, by the weights that serve or those that learn.
  private func computeMeans(_ rows: Rows, served: Bool, _ scratch: Scratch) {
    precondition(rows.columns == columnCount, "\(rows.columns) columns for \(columnCount) weights")
    for (index, output) in outputs.enumerated() {
      millrace_row_dots(
        rows.base, rows.count, columnCount, rows.stride,
        served ? output.served : output.weights, scratch.margins + index * scratch.stride)
    }
    loss.link(
      scratch.margins, outputs: outputs.count, count: rows.count, stride: scratch.stride,
      into: scratch.means)
  }

  /// Writes the prediction of the chunk's row `index`.
  private func write(
    _ scratch: Scratch, _ index: Int, to predictions: PredictionRows, row: Int
  ) {
    let prediction = predictions[row]
    switch task {
    case .regression: prediction[0] = target.restored(scratch.means[index])
    case .binary: prediction[0] = scratch.means[index]
    case .multiclass:
      classes.write(
        scratch.means + index, stride: scratch.stride, to: prediction, width: predictions.width)
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
            weights: weights + start, predictions: predictions.slice(from: start, count: count),
            scratch)
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
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows, _ scratch: Scratch
  ) {
    computeMeans(rows, served: true, scratch)
    for i in 0..<rows.count {
      write(scratch, i, to: predictions, row: i)
      observe(labels[i], weight: weights[i], scratch, i)
    }
    if task == .multiclass, !classes.contains(labels[0]) {
      classes.add(labels[0])
      addOutput()
      computeMeans(rows, served: false, scratch)
    } else if settings.averaging {
      computeMeans(rows, served: false, scratch)
    }
    loss.addAtZero(
      targets: scratch.targets, weights: scratch.weights, outputs: outputs.count,
      count: rows.count, to: &divergence.zeroLoss)
    for index in outputs.indices { addGradient(of: index, rows, labels: labels, scratch) }
    recordCount += rows.count
  }

  /// Takes in the label of the chunk's row `index`: its target and its weight.
  private mutating func observe(
    _ label: Double, weight: Float, _ scratch: Scratch, _ index: Int
  ) {
    if task == .regression {
      let standardized = target.observe(label, weight: Double(weight))
      scratch.targets[index] = standardized ?? 0
      scratch.weights[index] = standardized == nil ? 0 : weight
    } else {
      classes.run += 1
      scratch.targets[index] = label
      scratch.weights[index] = weight * classWeight(label)
    }
  }

  /// The factor that the settings give to a class.
  private func classWeight(_ label: Double) -> Float {
    guard !settings.classWeights.isEmpty, let index = Int(exactly: label),
      settings.classWeights.indices.contains(index)
    else { return 1 }
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
    for index in outputs.indices {
      excess += outputs[index].step(
        recordCount: block.count, stepCount: blockCount, limit: settings.gradientLimit)
    }
    let isFinite = outputs.allSatisfy(\.isFinite)
    let start = block.upperBound
    block = Self.block(from: start, batchSize: settings.batchSize)
    if divergence.finishBlock(excess: excess, recordCount: start, isFinite: isFinite) { restart() }
  }

  /// Forgets all weights and goes on with smaller steps.
  private mutating func restart() {
    blockCount = 0
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
