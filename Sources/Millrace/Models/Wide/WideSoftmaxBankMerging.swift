internal import CMillraceKernels

extension WideSoftmaxBank {
  /// Weighs the partitions' models by their curvature, each read in the merged scaler's columns:
  /// H = ΣHₚ, w = H⁻¹ΣHₚwₚ; everything else is averaged by the rows that a part saw. Of a class, the
  /// parts that have seen it decide.
  package static func merging(
    _ parts: [(learner: WideSoftmaxBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> WideSoftmaxBank {
    guard let first = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1, parts[0].scaler == scaler { return first }
    let banks = parts.map(\.learner)
    let total = banks.reduce(0) { $0 + $1.newton.recordCount }
    let shares = rowShares(banks.map(\.newton.recordCount))
    var merged = WideSoftmaxBank(columns: first.columns, recordCount: total)
    for index in banks.flatMap(\.classes.indices) where !merged.classes.contains(Double(index)) {
      merged.addOutput(Double(index))
    }
    merged.classes.run = banks.map(\.classes.run).min() ?? 0
    merged.head = .average(banks.map(\.head), shares: shares)

    var outputs = parts.map { _ in [Float]() }
    for index in merged.classes.indices {
      let own = parts.map { bank, own in
        bank.rows(ofClass: index, over: ColumnChange(from: own, to: scaler))
      }
      let average = SoftmaxBank.weightedMean(own, shares: shares)
      for part in parts.indices { outputs[part] += own[part] ?? average }
    }
    let buffers = outputs.map { LaneBuffer($0) }
    merged.outputs = .average(buffers, shares: shares)
    try merged.mergeModels(
      zip(parts, buffers).map { ($0.learner.newton.curvature, $1, $0.scaler) },
      scaler: scaler)
    merged.snapshot = merged.outputs
    return merged
  }

  /// The rows of a class with its models read over other columns; `nil` if it was not seen.
  private func rows(ofClass index: Int, over change: ColumnChange) -> [Float]? {
    guard let output = classes.output(of: Double(index)) else { return nil }
    var result = Array(
      UnsafeBufferPointer(start: outputs.base + output * outputSize, count: outputSize))
    for lane in 0..<MILLRACE_WIDE_SOFTMAX_LINEAR {
      let own = change.weights(weights(outputs, output: output, lane: lane))
      for (column, weight) in own.enumerated() {
        result[(MILLRACE_WIDE_SOFTMAX_WEIGHTS + column) * Self.lanes + lane] = Float(weight)
      }
    }
    return result
  }

  /// - Parameter parts: with the rows of this bank's outputs as each part has them, over the columns
  ///   of the merged scaler.
  private mutating func mergeModels(
    _ parts: [(curvature: SharedCurvature, outputs: LaneBuffer, scaler: StandardScaler)],
    scaler: StandardScaler
  ) throws(MillraceError) {
    let places = (0..<outputCount).flatMap { output in
      (0..<MILLRACE_WIDE_SOFTMAX_LINEAR).map { (output: output, lane: $0) }
    }
    let models = try newton.curvature.merge(
      parts.map { part in
        (
          curvature: part.curvature,
          models: places.map { weights(part.outputs, output: $0.output, lane: $0.lane) },
          scaler: part.scaler
        )
      }, scaler: scaler)
    let base = outputs.mutableBase()
    for (place, weights) in zip(places, models) {
      let rows = base + place.output * outputSize + MILLRACE_WIDE_SOFTMAX_WEIGHTS * Self.lanes
      for (column, weight) in weights.enumerated() {
        rows[column * Self.lanes + place.lane] = Float(weight)
      }
    }
  }
}
