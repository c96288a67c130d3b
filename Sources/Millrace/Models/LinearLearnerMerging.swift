extension LinearLearner {
  /// The average of the parts' functions over the merged columns: weighted by their curvature
  /// where the optimizer keeps it whole (H = ΣHₚ, w = H⁻¹ΣHₚwₚ), else by the records they have seen.
  ///
  /// Of a class, the parts that have seen it are averaged. What is merged is served; its optimizer
  /// is the first part's.
  package static func merging(
    _ parts: [(learner: LinearLearner, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> LinearLearner {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's learner")
    }
    if parts.count == 1, parts[0].scaler == scaler { return merged }
    for part in parts.dropFirst() {
      merged.target.merge(part.learner.target)
      merged.classes.run = min(merged.classes.run, part.learner.classes.run)
      for index in part.learner.classes.indices where !merged.classes.contains(Double(index)) {
        merged.classes.add(Double(index))
        merged.addOutput()
      }
    }
    for index in merged.outputs.indices {
      var average = LinearAverage(columnCount: merged.columnCount)
      for (learner, partScaler) in parts {
        let own =
          merged.task == .multiclass
          ? learner.classes.indices.firstIndex(of: merged.classes.indices[index]) : 0
        guard let own else { continue }
        average.add(
          learner.coefficients(of: own),
          records: Double(learner.recordCount), curvature: learner.outputs[own].optimizer.hessian,
          from: partScaler, to: scaler)
      }
      let weights = merged.target.weights(try average.weights())
      merged.weights.replaceSubrange(merged.range(index), with: weights)
      merged.outputs[index].gradient.removeAll()
    }
    if merged.settings.averaging { merged.averages = merged.weights }
    merged.recordCount = parts.reduce(0) { $0 + $1.learner.recordCount }
    merged.block = block(from: merged.recordCount, batchSize: merged.settings.batchSize)
    return merged
  }
}

/// A weighted average of coefficients that were learnt over the columns of different scalers.
private struct LinearAverage {
  private let columnCount: Int
  private var records = 0.0
  /// Σ records · w
  private var sum: [Double]
  /// Σ H and Σ Hw, of the parts whose curvature is known.
  private var curvature: Matrix<Double>
  private var pull: [Double]
  private var isCurved = false

  init(columnCount: Int) {
    self.columnCount = columnCount
    sum = Array(repeating: 0, count: columnCount)
    pull = sum
    curvature = Matrix(rows: columnCount, columns: columnCount)
  }

  mutating func add(
    _ coefficients: [Double], records added: Double, curvature h: Matrix<Double>?,
    from part: StandardScaler, to scaler: StandardScaler
  ) {
    let moved = ColumnChange(from: part, to: scaler).weights(coefficients)
    records += added
    for j in sum.indices { sum[j] += added * moved[j] }
    guard let h else { return }
    isCurved = true
    let own = ColumnChange(from: scaler, to: part).products(h.elements)
    for row in 0..<columnCount {
      for column in 0..<columnCount {
        curvature[row, column] += own[row * columnCount + column]
        pull[row] += own[row * columnCount + column] * moved[column]
      }
    }
  }

  func weights() throws(MillraceError) -> [Double] {
    if isCurved {
      var result = pull
      try Cholesky(curvature).solve(&result)
      return result
    }
    return records > 0 ? sum.map { $0 / records } : sum
  }
}
