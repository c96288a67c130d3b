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
  var sums: [Float] = []
  /// Per place and output: the weight, Σg², FTRL's z, and the record of the last step.
  var states: [Float] = []
  /// Classes seen; 1 for other tasks.
  var outputCount: Int
  var classes = SeenClasses()
  var target: TargetScale
  var recordCount = 0

  static let stateSize = 4
  /// The step size where none is given; scaled values are about 1.
  private static let defaultRate = 0.1

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
    reserve()
  }

  package func outputWidth(classCount: Int) -> Int { task == .multiclass ? classCount : 1 }

  // MARK: - Prediction

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withScratch(rows, outputs: outputCount) { entries, scratch in
      places.find(entries.indices, count: entries.count, kept: .nothing, into: scratch.places)
      for row in 0..<rows.count {
        forecast(entries, row, scratch)
        write(scratch.answers, to: predictions, row: row)
      }
    }
  }

  /// The means of a row, and its scaled values.
  private func forecast(_ entries: ChunkEntries, _ row: Int, _ scratch: SparseScratch) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(outputCount, 1)) { margins in
      guard let margins = margins.baseAddress, outputCount > 0 else { return }
      for output in 0..<outputCount {
        margins[output] = weight(Int(FeaturePlaces.constant), output, isPenalized: false)
      }
      let first = entries.starts[0]
      for entry in entries.starts[row] - first..<entries.starts[row + 1] - first {
        let place = Int(scratch.places[entry])
        let z = scaled(entries.values[entry], place)
        scratch.scaled[entry] = z
        guard z != 0, place != Int(FeaturePlaces.unseen) else { continue }
        for output in 0..<outputCount {
          margins[output] += z * weight(place, output, isPenalized: true)
        }
      }
      for output in 0..<outputCount { margins[output] = max(-1e6, min(1e6, margins[output])) }
      loss.link(margins, outputs: outputCount, count: 1, stride: 1, into: scratch.answers)
    }
  }

  private func scaled(_ x: Float, _ place: Int) -> Float {
    guard x.isFinite, x != 0 else { return 0 }
    let x = max(-1e30, min(1e30, x))
    let z = x * ((sums[2 * place + 1] + 1) / (sums[2 * place] + abs(x)))
    return max(-10, min(10, z))
  }

  /// A weight with the penalties of the records since its last step.
  func weight(_ place: Int, _ output: Int, isPenalized: Bool) -> Float {
    let state = (place * outputCount + output) * Self.stateSize
    let weight = states[state]
    guard isPenalized, weight != 0, settings.learner != .ftrl, settings.l1 > 0 || settings.l2 > 0
    else { return weight }
    let skipped = Double(recordCount) - Double(states[state + 3])
    let step = stepSize(states[state + 1])
    let shrunk = weight.shrunk(by: Float(skipped * step * settings.l1))
    return shrunk / Float(power(1 + step * settings.l2, Int(skipped)))
  }

  /// η of a weight whose squared gradients sum to `squares`.
  private func stepSize(_ squares: Float) -> Double {
    let rate = settings.learningRate ?? Self.defaultRate
    guard settings.learner == .sgd else { return rate / Double(1 + squares).squareRoot() }
    return settings.schedule.stepSize(max(recordCount, 1), rate: rate, l2: settings.l2)
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
    for row in 0..<rows.count {
      // One more output than there are: the row may bring a new class.
      withScratch(rows.slice(from: row, count: 1), outputs: outputCount + 1) { entries, scratch in
        places.place(entries.indices, count: entries.count, kept: .nothing, into: scratch.places)
        reserve()
        forecast(entries, 0, scratch)
        write(scratch.answers, to: predictions, row: row)
        learn(entries, labels[row], weights[row], scratch)
      }
    }
  }

  /// Learns the row that was forecast.
  private mutating func learn(
    _ entries: ChunkEntries, _ label: Double, _ weight: Float, _ scratch: SparseScratch
  ) {
    classes.run += 1
    if task == .multiclass, !classes.contains(label) {
      classes.add(label)
      addOutput()
      forecast(entries, 0, scratch)
    }
    let standardized =
      task == .regression ? target.observe(label, weight: Double(weight)) : label
    var importance = min(weight, 100)
    if let index = Int(exactly: label), settings.classWeights.indices.contains(index) {
      importance *= Float(settings.classWeights[index])
    }
    recordCount += 1
    guard let standardized, importance > 0 else { return }
    let damping = damping(entries, scratch)
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
      step(Int(FeaturePlaces.constant), output, derivative, isPenalized: false)
      for entry in 0..<entries.count where scratch.scaled[entry] != 0 {
        step(
          Int(scratch.places[entry]), output, derivative * scratch.scaled[entry],
          isPenalized: true)
      }
    }
    for entry in 0..<entries.count where scratch.scaled[entry] != 0 {
      let place = Int(scratch.places[entry])
      sums[2 * place] += min(abs(entries.values[entry]), 1e30)
      sums[2 * place + 1] += 1
    }
  }

  /// 1/(1 + η‖z‖²), with which gradient descent is stable at every rate (normalised least mean
  /// squares: Nagumo, Noda 1967); the others adapt by themselves.
  private func damping(_ entries: ChunkEntries, _ scratch: SparseScratch) -> Float {
    guard settings.learner == .sgd else { return 1 }
    let squares = (0..<entries.count).reduce(Float(1)) {
      $0 + scratch.scaled[$1] * scratch.scaled[$1]
    }
    return 1 / (1 + Float(stepSize(0)) * squares)
  }

  /// Moves a weight by its gradient.
  private mutating func step(_ place: Int, _ output: Int, _ gradient: Float, isPenalized: Bool) {
    let state = (place * outputCount + output) * Self.stateSize
    let old = weight(place, output, isPenalized: isPenalized)
    let squares = states[state + 1] + gradient * gradient
    if settings.learner == .ftrl {
      let alpha = Float(settings.learningRate ?? Self.defaultRate)
      let root = squares.squareRoot()
      states[state + 2] += gradient - (root - states[state + 1].squareRoot()) / alpha * old
      let z = isPenalized ? states[state + 2].shrunk(by: Float(settings.l1)) : states[state + 2]
      let curvature = (1 + root) / alpha + (isPenalized ? Float(settings.l2) : 0)
      states[state] = -z / curvature
    } else {
      states[state] = old - Float(stepSize(squares)) * gradient
    }
    states[state + 1] = squares
    states[state + 3] = Float(recordCount)
  }

  /// Makes room for every place; what is new is 0.
  mutating func reserve() {
    sums.resize(to: 2 * places.count)
    states.resize(to: places.count * outputCount * Self.stateSize)
  }

  mutating func addOutput() {
    let (old, size) = (outputCount, Self.stateSize)
    var wider = [Float](repeating: 0, count: places.count * (old + 1) * size)
    for place in 0..<places.count {
      wider.replaceSubrange(
        place * (old + 1) * size..<(place * (old + 1) + old) * size,
        with: states[place * old * size..<(place + 1) * old * size])
    }
    (states, outputCount) = (wider, old + 1)
  }
}
