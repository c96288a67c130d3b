// MARK: - State

extension LinearLearner {
  package var isFinite: Bool {
    weights.allSatisfy(\.isFinite) && averages.allSatisfy(\.isFinite) && target.isFinite
      && outputs.allSatisfy { $0.gradient.sum.allSatisfy(\.isFinite) }
  }

  /// The coefficients of one output in the target's units.
  func coefficients(of output: Int) -> [Double] {
    target.coefficients(Array(servedWeights[range(output)]))
  }

  /// The numbers of one output among those of all.
  func range(_ output: Int) -> Range<Int> {
    output * columnCount..<(output + 1) * columnCount
  }

  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let coefficients = outputs.indices.map { self.coefficients(of: $0) }
    guard task == .multiclass else { return coefficients }
    let unseen = [Double](repeating: 0, count: columnCount)
    var ordered = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (index, output) in zip(classes.indices, coefficients) { ordered[index] = output }
    return ordered
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    archive.metadata[prefix + "target"] = target.kind.rawValue
    let shape = [outputs.count, columnCount]
    archive.set(weights, shape: shape, as: prefix + "weights")
    archive.set(outputs.flatMap(\.gradient.sum), shape: shape, as: prefix + "gradient")
    archive.set(outputs.map(\.gradient.squaredDerivatives), as: prefix + "squaredDerivatives")
    if settings.averaging {
      archive.set(averages, shape: shape, as: prefix + "averages")
    }
    archive.set([recordCount, block.lowerBound, blockCount], as: prefix + "records")
    if task == .multiclass {
      classes.encode(into: &archive, prefix: prefix)
    }
    target.encode(into: &archive, prefix: prefix)
    monitor.encode(into: &archive, prefix: prefix)
    for (index, output) in outputs.enumerated() {
      output.optimizer.encode(into: &archive, prefix: "\(prefix)optimizer.\(index).")
    }
  }

  package init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let task = try archive.task(prefix: prefix)
    let shape = try archive.shape(prefix + "weights")
    guard shape.count == 2, shape[1] > 0, task == .multiclass || shape[0] == 1 else {
      throw MillraceError(
        .store, "tensor '\(prefix)weights' has shape \(shape); expected outputs × columns")
    }
    let kind = archive.metadata[prefix + "target"]
    self.init(
      settings: settings, task: task, columnCount: shape[1],
      standardizesTarget: kind != TargetScale.Kind.identity.rawValue)

    let records = try archive.integers(prefix + "records", count: 3).map { Int($0) }
    let start = min(max(records[1], 0), Int(TensorArchive.greatestCount))
    block = Self.block(from: start, batchSize: settings.batchSize)
    (recordCount, blockCount) = (records[0], records[2])
    guard block.contains(recordCount), start == records[1], blockCount >= 0 else {
      throw MillraceError(
        .store, "tensor '\(prefix)records' is \(records); expected a count within its block")
    }
    monitor = try DivergenceMonitor(decoding: archive, prefix: prefix)
    if task == .multiclass {
      classes = try SeenClasses(decoding: archive, prefix: prefix)
      guard classes.indices.count == shape[0] else {
        throw MillraceError(
          .store,
          "tensor '\(prefix)classes' has \(classes.indices.count) elements; expected \(shape[0])")
      }
    }
    while outputs.count < shape[0] { addOutput() }
    target = try TargetScale(target.kind, decoding: archive, prefix: prefix)
    weights = try archive.floats(prefix + "weights", count: weights.count)
    if settings.averaging {
      averages = try archive.floats(prefix + "averages", count: weights.count)
    }
    let gradients = try archive.floats(prefix + "gradient", count: weights.count)
    let squares = try archive.doubles(prefix + "squaredDerivatives", count: outputs.count)
    for index in outputs.indices {
      outputs[index] = newOutput()
      outputs[index].gradient.sum = Array(gradients[range(index)])
      outputs[index].gradient.squaredDerivatives = squares[index]
      try outputs[index].optimizer.decode(from: archive, prefix: "\(prefix)optimizer.\(index).")
    }
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
