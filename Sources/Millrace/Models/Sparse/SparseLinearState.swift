// MARK: - Explaining

extension SparseLinearLearner {
  /// Places in the order of their columns.
  private var order: [Int] {
    places.columns.indices.sorted { places.columns[$0] < places.columns[$1] }
      .map { FeaturePlaces.first + $0 }
  }

  package var columns: [UInt32] { places.columns.sorted() }

  package var columnScales: [Double] { order.map(scale) }

  private func scale(_ place: Int) -> Double {
    let (sum, count) = (sums.base[2 * place], sums.base[2 * place + 1])
    return count > 0 ? Double(sum) / Double(count) : 0
  }

  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let order = order
    let coefficients = (0..<outputCount).map { output in
      target.coefficients(
        order.map { weight($0, output, isPenalized: true) }
          + [weight(Int(FeaturePlaces.constant), output, isPenalized: false)])
    }
    guard task == .multiclass else { return coefficients }
    let unseen = [Double](repeating: 0, count: order.count + 1)
    var ordered = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (index, output) in zip(classes.indices, coefficients) { ordered[index] = output }
    return ordered
  }

  package var isFinite: Bool {
    target.isFinite && states.isFinite(upTo: places.count * outputCount * Self.stateSize)
      && sums.isFinite(upTo: 2 * places.count)
  }
}

// MARK: - Saving

extension SparseLinearLearner {
  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    archive.set(recordCount, as: prefix + "records")
    places.encode(into: &archive, prefix: prefix)
    archive.set(sums, shape: [places.count, 2], as: prefix + "sums")
    archive.set(
      states, shape: [places.count * outputCount, Self.stateSize], as: prefix + "states")
    target.encode(into: &archive, prefix: prefix)
    if task == .multiclass { classes.encode(into: &archive, prefix: prefix) }
  }

  package init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let places = try FeaturePlaces(decoding: archive, prefix: prefix)
    self.init(settings: settings, task: try archive.task(prefix: prefix), width: places.width)
    self.places = places
    recordCount = try archive.count(prefix + "records")
    target = try TargetScale(target.kind, decoding: archive, prefix: prefix)
    if task == .multiclass {
      classes = try SeenClasses(decoding: archive, prefix: prefix)
      outputCount = classes.indices.count
    }
    sums = LaneBuffer(try archive.floats(prefix + "sums", count: 2 * places.count))
    states = LaneBuffer(
      try archive.floats(
        prefix + "states", count: places.count * outputCount * Self.stateSize))
  }

  /// The average of the parts' weights over one scale, by the records each has seen of a feature;
  /// what optimizers keep is the sum of theirs. What is merged is served.
  package static func merging(
    _ parts: [(learner: SparseLinearLearner, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> SparseLinearLearner {
    guard let first = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's learner")
    }
    if parts.count == 1 { return first }
    let learners = parts.map(\.learner)
    var merged = SparseLinearLearner(
      settings: first.settings, task: first.task, width: first.places.width)
    merged.target = first.target
    for learner in learners.dropFirst() { merged.target.merge(learner.target) }
    merged.recordCount = learners.reduce(0) { $0 + $1.recordCount }
    merged.classes.run = learners.map(\.classes.run).min() ?? 0
    for learner in learners {
      merged.places.place(learner.places.columns)
      for index in learner.classes.indices where !merged.classes.contains(Double(index)) {
        merged.classes.add(Double(index))
      }
    }
    merged.reserve(outputs: first.task == .multiclass ? merged.classes.indices.count : 1)
    let sums = merged.sums.mutableBase()
    let columns = [UInt32?.none, nil] + merged.places.columns.map(Optional.some)
    for (place, column) in columns.enumerated() where place != Int(FeaturePlaces.unseen) {
      let own = learners.compactMap { learner in
        (column.map { learner.places[$0] } ?? Int(FeaturePlaces.constant)).map { (learner, $0) }
      }
      for (learner, part) in own {
        for index in 0..<2 { sums[2 * place + index] += learner.sums.base[2 * part + index] }
      }
      for output in 0..<merged.outputCount { merged.average(own, place, output) }
    }
    return merged
  }

  private mutating func average(
    _ parts: [(SparseLinearLearner, place: Int)], _ place: Int, _ output: Int
  ) {
    let isConstant = place == Int(FeaturePlaces.constant)
    var (total, sum) = (0.0, 0.0)
    let state = states.mutableBase() + (place * outputCount + output) * Self.stateSize
    for (learner, own) in parts {
      let index =
        task == .multiclass ? learner.classes.indices.firstIndex(of: classes.indices[output]) : 0
      guard let index else { continue }
      let weight = learner.weight(own, index, isPenalized: !isConstant)
      // In the target's units, and over the merged scale.
      var coefficient =
        isConstant
        ? learner.target.coefficients([weight])[0] : learner.target.coefficients([weight, 0])[0]
      if !isConstant, learner.scale(own) > 0 { coefficient *= scale(place) / learner.scale(own) }
      let records =
        isConstant ? Double(learner.recordCount) : Double(learner.sums.base[2 * own + 1])
      total += records
      sum += records * coefficient
      let other = (own * learner.outputCount + index) * Self.stateSize
      state[1] += learner.states.base[other + 1]
    }
    let mean = total > 0 ? sum / total : 0
    state[0] = isConstant ? target.weights([mean])[0] : target.weights([mean, 0])[0]
    state[3] = Float(recordCount)
  }
}
