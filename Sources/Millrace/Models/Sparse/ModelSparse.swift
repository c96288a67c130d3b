extension Model {
  /// Sparse rows that are learnt at once.
  private static let sparseBlockRows = 64

  /// `learn` of sparse rows.
  mutating func learnSparse(_ batch: Batch, rows: Range<Int>, predictions: PredictionRows) {
    batch.sparse.withRows(rows) { all in
      batch.labels.withUnsafeBufferPointer { labels in
        batch.weights.withUnsafeBufferPointer { weights in
          guard let labels = labels.baseAddress, let weights = weights.baseAddress else { return }
          for start in stride(from: 0, to: rows.count, by: Self.sparseBlockRows) {
            let count = min(Self.sparseBlockRows, rows.count - start)
            learner.learn(
              all.slice(from: start, count: count), labels: labels + rows.lowerBound + start,
              weights: weights + rows.lowerBound + start,
              predictions: predictions.slice(from: start, count: count))
          }
        }
      }
    }
    rowCount += rows.count
  }

  /// Predicts sparse rows of a batch as they are without fresh labels.
  func predictSparse(_ batch: Batch, rows: Range<Int>, into output: PredictionRows) {
    batch.sparse.withRows(rows) { predictSparse($0, into: output) }
  }

  /// Predicts sparse rows.
  private func predictSparse(_ rows: Rows, into output: PredictionRows) {
    for start in stride(from: 0, to: rows.count, by: Self.sparseBlockRows) {
      let count = min(Self.sparseBlockRows, rows.count - start)
      learner.predict(
        rows.slice(from: start, count: count), horizon: .never,
        into: output.slice(from: start, count: count))
    }
  }

  /// Predicts rows without any feature.
  func predictEmptyRows(into output: PredictionRows) {
    var rows = SparseRows()
    rows.width = schema.sparseWidth ?? 1
    rows.resize(rows: output.count, entries: 1)
    rows.withRows(0..<output.count) { predictSparse($0, into: output) }
  }

  /// Predicts one row of a model of sparse features.
  ///
  /// - Parameters:
  ///   - indices: the columns that are not 0; those from the schema's width on are folded back
  ///     below it, as in records.
  ///   - values: the number of each.
  ///   - horizon: `.never` where the model is used without fresh labels.
  /// - Returns: `outputWidth` numbers.
  /// - Throws: `input` when the two have not the same length, or features are not sparse.
  public func predict(
    indices: [UInt32], values: [Float], horizon: LabelHorizon = .never
  ) throws(MillraceError) -> [Double] {
    guard let width = schema.sparseWidth, indices.count == values.count else {
      throw MillraceError(
        .input,
        "\(indices.count) indices and \(values.count) values for a model of"
          + " \(schema.sparseWidth.map(String.init) ?? "no") sparse features")
    }
    var rows = SparseRows()
    rows.width = width
    rows.resize(rows: 1, entries: indices.count + 1)
    rows.indices.replaceSubrange(0..<indices.count, with: indices)
    rows.values.replaceSubrange(0..<values.count, with: values)
    rows.starts[1] = indices.count
    var result = [Double](repeating: 0, count: outputWidth)
    result.withUnsafeMutableBufferPointer { result in
      guard let base = result.baseAddress else { return }
      rows.withRows(0..<1) {
        learner.predict(
          $0, horizon: horizon, into: PredictionRows(base: base, count: 1, width: result.count))
      }
    }
    return result
  }
}
