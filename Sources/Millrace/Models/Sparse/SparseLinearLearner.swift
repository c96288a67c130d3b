/// Linear, logistic, softmax, Poisson and quantile regression over sparse rows, one step a record:
/// gradient descent, AdaGrad or FTRL-Proximal, each with penalties that cost nothing where a feature
/// is absent.
///
/// Features are divided by the mean of their absolute values that are not 0. A penalty is due at
/// every record: it is settled when the feature is met again, for all records since, by the step
/// size of then ("lazy"; Langford, Li, Zhang 2009, "Sparse online learning via truncated gradient").
/// FTRL's weights are functions of its sums, with the penalties in them.
package struct SparseLinearLearner: SparseLearner {
  package let task: Task
  let settings: LearnerSettings
  let loss: LossFunction
  var places: FeaturePlaces
  /// Σ|x| and the number of values, per place.
  var sums = LaneBuffer(count: 0)
  /// Per place and output: the weight, Σg², FTRL's z, and the record of the last step.
  var states = LaneBuffer(count: 0)
  /// Classes seen; 1 for other tasks.
  var outputCount: Int
  var classes = SeenClasses()
  var target: TargetScale
  var recordCount = 0

  static let stateSize = SparseWeights.stateSize

  /// A learner that has seen nothing.
  ///
  /// - Parameters:
  ///   - settings: checked by `LearnerSettings.validate`; `sgd`, `adagrad` or `ftrl`.
  ///   - width: the columns of the rows, a power of two.
  package init(settings: LearnerSettings, task: Task, width: Int) {
    self.task = task
    self.settings = settings
    let loss = settings.loss ?? Loss(task)
    self.loss = LossFunction(loss, settings: settings)
    places = FeaturePlaces(width: width)
    target = TargetScale(TargetScale.Kind(loss))
    outputCount = task == .multiclass ? 0 : 1
    reserve(outputs: outputCount)
  }

  package func outputWidth(classCount: Int) -> Int { task == .multiclass ? classCount : 1 }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withScratch(rows, outputs: outputCount) { entries, scratch in
      places.find(entries.indices, count: entries.count, kept: kept, into: scratch.places)
      for row in 0..<rows.count {
        forecast(row, entries, scratch)
        write(scratch.answers, to: predictions, row: row)
      }
    }
  }

  /// The means of a row, and its scaled values.
  private func forecast(_ row: Int, _ entries: ChunkEntries, _ scratch: SparseScratch) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(outputCount, 1)) { margins in
      guard let margins = margins.baseAddress, outputCount > 0 else { return }
      let weights = weights
      for output in 0..<outputCount {
        margins[output] = weights.weight(Int(FeaturePlaces.constant), output, isPenalized: false)
      }
      for entry in entries[row] {
        let place = Int(scratch.places[entry])
        let z = weights.scaled(entries.values[entry], place)
        scratch.scaled[entry] = z
        guard z != 0, place != Int(FeaturePlaces.unseen) else { continue }
        for output in 0..<outputCount {
          margins[output] += z * weights.weight(place, output, isPenalized: true)
        }
      }
      for output in 0..<outputCount { margins[output] = max(-1e6, min(1e6, margins[output])) }
      loss.link(margins, outputs: outputCount, count: 1, stride: 1, into: scratch.answers)
    }
  }

  /// For reading; for writing where nothing is shared.
  private var weights: SparseWeights {
    SparseWeights(
      states: states, sums: sums, outputCount: outputCount, recordCount: recordCount,
      settings: settings)
  }

  private var kept: FeaturePlaces.Kept {
    .init(
      base: states.base, size: outputCount * Self.stateSize * MemoryLayout<Float>.stride)
  }

  /// A weight with the penalties of the records since its last step.
  func weight(_ place: Int, _ output: Int, isPenalized: Bool) -> Float {
    withExtendedLifetime(self) {
      weights.weight(place, output, isPenalized: isPenalized)
    }
  }

  private func write(
    _ means: UnsafePointer<Double>, to predictions: PredictionRows, row: Int
  ) {
    switch task {
    case .binary: predictions[row][0] = means[0]
    case .regression: predictions[row][0] = target.restored(means[0])
    case .multiclass:
      classes.write(means, stride: 1, to: predictions[row], width: predictions.width)
    }
  }

  // MARK: - Learning

  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    // Any row may bring a new class.
    withScratch(rows, outputs: outputCount + rows.count) { entries, scratch in
      let seen = places.count
      places.place(entries.indices, count: entries.count, kept: kept, into: scratch.places)
      reserve(outputs: outputCount)
      places.clear(&sums, from: seen, size: 2)
      places.clear(&states, from: seen, size: outputCount * Self.stateSize)
      // What is shared with a snapshot is copied first.
      _ = (states.mutableBase(), sums.mutableBase())
      for row in 0..<rows.count {
        forecast(row, entries, scratch)
        write(scratch.answers, to: predictions, row: row)
        learn(row, entries, labels[row], weights[row], scratch)
      }
    }
  }

  /// Learns the row that was forecast.
  private mutating func learn(
    _ row: Int, _ entries: ChunkEntries, _ label: Double, _ weight: Float, _ scratch: SparseScratch
  ) {
    classes.run += 1
    if task == .multiclass, !classes.contains(label) {
      classes.add(label)
      reserve(outputs: outputCount + 1)
      forecast(row, entries, scratch)
    }
    let standardized =
      task == .regression ? target.observe(label, weight: Double(weight)) : label
    var importance = min(weight, 100)
    if let index = Int(exactly: label), settings.classWeights.indices.contains(index) {
      importance *= Float(settings.classWeights[index])
    }
    recordCount += 1
    guard let standardized, importance > 0 else { return }
    let own = entries[row]
    let weights = weights
    let damping = weights.damping(scratch.scaled + own.lowerBound, count: own.count)
    for output in 0..<outputCount {
      var truth = standardized
      if task == .multiclass { truth = Double(classes.indices[output]) == label ? 1 : 0 }
      var derivative: Float = 0
      loss.derivative(
        means: scratch.answers + output, targets: &truth, weights: &importance, count: 1,
        into: &derivative)
      if let limit = settings.gradientLimit {
        derivative = max(-Float(limit), min(Float(limit), derivative))
      }
      derivative *= damping
      weights.step(Int(FeaturePlaces.constant), output, derivative, isPenalized: false)
      for entry in own where scratch.scaled[entry] != 0 {
        weights.step(
          Int(scratch.places[entry]), output, derivative * scratch.scaled[entry],
          isPenalized: true)
      }
    }
    for entry in own where scratch.scaled[entry] != 0 {
      weights.count(entries.values[entry], Int(scratch.places[entry]))
    }
  }

  /// Makes room for every place and so many outputs; what is new is 0.
  mutating func reserve(outputs: Int) {
    places.resize(&sums, from: 2, to: 2)
    places.resize(&states, from: outputCount * Self.stateSize, to: outputs * Self.stateSize)
    outputCount = outputs
  }
}
