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
    let shares = parts.map {
      total > 0 ? Float($0.learner.rowCount) / Float(total) : 1 / Float(parts.count)
    }
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
    try merged.multiplyFilters(
      zip(parts, changes).map { ($0.learner.filters, $1) }, means: buffers)
    return merged
  }

  /// The rows of a class with its weights read over other columns; `nil` if it was not seen.
  private func rows(ofClass index: Int, over change: ColumnChange) -> [Float]? {
    guard let output = classes.output(of: Double(index)) else { return nil }
    var result = Array(
      UnsafeBufferPointer(start: outputs.base + output * outputSize, count: outputSize))
    for row in [MILLRACE_CLASS_WEIGHTS, MILLRACE_CLASS_WEIGHTS + columns] {
      for lane in 0..<16 {
        let changed = change.weights(weights(outputs, output: output, row: row, lane: lane))
        for column in 0..<columns { result[(row + column) * 16 + lane] = Float(changed[column]) }
      }
    }
    return result
  }

  /// Σ shareᵢ·valuesᵢ / Σ shareᵢ over those that there are.
  static func weightedMean(_ values: [[Float]?], shares: [Float]) -> [Float] {
    var (sum, total) = ([Float](), Float(0))
    for case (let own?, let share) in zip(values, shares) {
      if sum.isEmpty { sum = Array(repeating: 0, count: own.count) }
      total += share
      for index in own.indices { sum[index] += share * own[index] }
    }
    return total > 0 ? sum.map { $0 / total } : sum
  }

  /// Puts the products of the parts' Gaussians into the lanes.
  ///
  /// - Parameters:
  ///   - parts: covariances, and how their columns are read.
  ///   - means: the rows of this bank's outputs as each part has them, over the merged columns.
  private mutating func multiplyFilters(
    _ parts: [(filters: LaneBuffer, change: ColumnChange)], means: [LaneBuffer]
  ) throws(MillraceError) {
    let base = outputs.mutableBase()
    for lane in 0..<16 {
      var product = GaussianProduct(dimension: columns, means: outputCount)
      for (part, own) in zip(parts, means) {
        try product.multiply(
          means: (0..<outputCount).map {
            weights(own, output: $0, row: MILLRACE_CLASS_WEIGHTS, lane: lane)
          },
          covariance: part.change.covariance(filterLanes.covariance(part.filters, lane: lane)))
      }
      let (means, covariance) = try product.result()
      filterLanes.set(&filters, lane: lane, mean: [], covariance: covariance)
      for (output, mean) in means.enumerated() {
        let rows = base + output * outputSize + MILLRACE_CLASS_WEIGHTS * 16
        for column in 0..<columns { rows[column * 16 + lane] = Float(mean[column]) }
      }
    }
  }

  /// The weights of one output that start at a row.
  func weights(_ outputs: LaneBuffer, output: Int, row: Int, lane: Int) -> [Double] {
    let rows = outputs.base + output * outputSize + row * 16
    return (0..<columns).map { Double(rows[$0 * 16 + lane]) }
  }
}
