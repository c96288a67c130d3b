internal import CMillraceKernels

extension SoftmaxBank {
  /// Multiplies the filters' Gaussians lane by lane, each read in the merged scaler's columns;
  /// everything else is averaged by the rows that a part saw. Of a class, the parts that have seen
  /// it decide.
  public static func merging(
    _ parts: [(learner: SoftmaxBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> SoftmaxBank {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1, parts[0].scaler == scaler { return merged }
    for part in parts.dropFirst() {
      merged.classes.run = min(merged.classes.run, part.learner.classes.run)
      for index in part.learner.classes.indices where !merged.classes.contains(Double(index)) {
        merged.addOutput(Double(index))
      }
    }
    let changes = parts.map { ColumnChange(from: $0.scaler, to: scaler) }
    let total = parts.reduce(0) { $0 + $1.learner.rowCount }
    let shares = rowShares(parts.map(\.learner.rowCount))
    merged.rowCount = total
    merged.head = .average(parts.map(\.learner.head), shares: shares)

    var outputs = parts.map { _ in [[Float]]() }
    for index in merged.classes.indices {
      let own = zip(parts, changes).map { $0.learner.rows(ofClass: index, over: $1) }
      let average = weightedMean(own, shares: shares)
      for part in parts.indices { outputs[part].append(own[part] ?? average) }
    }
    let buffers = outputs.map { LaneBuffer($0.flatMap(\.self)) }
    merged.outputs = .average(buffers, shares: shares)
    try merged.multiply(
      merged.filterLanes, \.filters, parts.map(\.learner.filters), changes: changes,
      means: merged.filterMeans, of: buffers)
    try merged.multiply(
      merged.wideLanes, \.wide, parts.map(\.learner.wide), changes: nil, means: merged.wideMeans,
      of: buffers)
    merged.mergeFerns(parts.map(\.learner), shares: shares)
    return merged
  }

  /// Puts the products of the parts' Gaussians into the ferns' cells: of a class, of the parts that
  /// have seen it.
  private mutating func mergeFerns(_ parts: [SoftmaxBank], shares: [Double]) {
    guard fernWeights.count > 0 else { return }
    let (base, weights, size) = (ferns.mutableBase(), fernWeights.mutableBase(), fernWeightsSize)
    let (prior, variances) = (base[1], 16)
    func product(_ parts: [SoftmaxBank], _ cell: Int) -> CellProduct {
      CellProduct(prior: prior, variances: parts.map { $0.ferns.base[variances + cell] })
    }
    for (output, index) in classes.indices.enumerated() {
      let own = parts.compactMap { part in
        part.classes.output(of: Double(index)).map { (part, part.fernWeights.base + size * $0) }
      }
      for cell in 0..<BankFerns.cellCount {
        let product = product(own.map(\.0), cell)
        // The weights, and those of the horizons' snapshots.
        for place in stride(from: cell, to: size, by: BankFerns.cellCount) {
          weights[size * output + place] = product.weight(own.map { $0.1[place] })
        }
      }
    }
    for cell in 0..<BankFerns.cellCount { base[variances + cell] = product(parts, cell).variance }
    // As what each class has seen of it.
    base[2] =
      LaneBuffer.average(parts.map { LaneBuffer([$0.ferns.base[2]]) }, shares: shares).base[0]
  }

  /// The rows of a class with its weights read over other columns; `nil` if it was not seen.
  private func rows(ofClass index: Int, over change: ColumnChange) -> [Float]? {
    guard let output = classes.output(of: Double(index)) else { return nil }
    var result = Array(
      UnsafeBufferPointer(start: outputs.base + output * outputSize, count: outputSize))
    for group in [filterMeans, descentWeights] {
      for lane in 0..<group.lanes {
        let own = change.weights(weights(group, of: outputs, output: output, lane: lane))
        for (input, weight) in own.enumerated() {
          result[group.start + input * group.stride + lane] = Float(weight)
        }
      }
    }
    return result
  }

  /// Σ shareᵢ·valuesᵢ / Σ shareᵢ over those that there are.
  static func weightedMean(_ values: [[Float]?], shares: [Double]) -> [Float] {
    var (sum, total) = ([Double](), 0.0)
    for case (let own?, let share) in zip(values, shares) {
      if sum.isEmpty { sum = Array(repeating: 0, count: own.count) }
      total += share
      for index in own.indices { sum[index] += share * Double(own[index]) }
    }
    return sum.map { Float(total > 0 ? $0 / total : $0) }
  }

  /// Puts the products of the parts' Gaussians into the lanes of a group. The wide group's functions
  /// of a column are not those of a shifted column: its Gaussians are multiplied as they are.
  ///
  /// - Parameters:
  ///   - parts: the group's covariances.
  ///   - changes: how their columns are read, where they are.
  ///   - means: where the means are in the rows of this bank's outputs, as each part has them.
  private mutating func multiply(
    _ lanes: FilterLanes, _ group: WritableKeyPath<SoftmaxBank, LaneBuffer>,
    _ parts: [LaneBuffer], changes: [ColumnChange]?, means: Weights, of outputs: [LaneBuffer]
  ) throws(MillraceError) {
    let base = self.outputs.mutableBase()
    for lane in 0..<(lanes.inputs > 0 ? lanes.lanes : 0) {
      var product = GaussianProduct(dimension: lanes.inputs, means: outputCount)
      for (index, part) in parts.enumerated() {
        let covariance = lanes.covariance(part, lane: lane)
        try product.multiply(
          means: (0..<outputCount).map {
            weights(means, of: outputs[index], output: $0, lane: lane)
          },
          covariance: changes?[index].covariance(covariance) ?? covariance)
      }
      let (merged, covariance) = try product.result()
      lanes.set(&self[keyPath: group], lane: lane, mean: [], covariance: covariance)
      for (output, mean) in merged.enumerated() {
        let rows = base + output * outputSize + means.start
        for (input, weight) in mean.enumerated() {
          rows[input * means.stride + lane] = Float(weight)
        }
      }
    }
  }
}
