internal import Glibc
internal import Millrace

/// Records of a logistic model with normal columns, which are standardised already.
struct LogisticProblem {
  let rowCount: Int
  /// Without the constant.
  let columnCount: Int
  /// Row after row, the constant 1 last.
  let features: [Float]
  let labels: [Double]
  let weights: [Float]

  init(rowCount: Int, columnCount: Int, seed: UInt64 = 1) {
    var generator = SplitMix64(seed: seed)
    func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
    /// Box and Muller 1958.
    func normal() -> Double {
      (-2 * log(1 - uniform())).squareRoot() * cos(2 * Double.pi * uniform())
    }
    self.rowCount = rowCount
    self.columnCount = columnCount
    // Scores of deviation 2, whatever the width.
    let truth = (0..<columnCount).map { _ in normal() * 2 / Double(columnCount).squareRoot() }
    var (features, labels) = ([Float](), [Double]())
    features.reserveCapacity(rowCount * (columnCount + 1))
    labels.reserveCapacity(rowCount)
    for _ in 0..<rowCount {
      var score = 0.0
      for weight in truth {
        let value = normal()
        features.append(Float(value))
        score += weight * value
      }
      features.append(1)
      labels.append(uniform() < 1 / (1 + exp(-score)) ? 1 : 0)
    }
    (self.features, self.labels) = (features, labels)
    weights = Array(repeating: 1, count: rowCount)
  }

  /// Calls `body` with the rows, the labels and the importances.
  func withRows(
    _ body: (Rows, UnsafePointer<Double>, UnsafePointer<Float>) throws -> Void
  ) rethrows {
    let width = columnCount + 1
    try features.withUnsafeBufferPointer { features in
      try labels.withUnsafeBufferPointer { labels in
        try weights.withUnsafeBufferPointer { weights in
          guard let base = features.baseAddress, let labels = labels.baseAddress,
            let weights = weights.baseAddress
          else { return }
          try body(
            Rows(base: base, count: rowCount, columns: width, stride: width), labels, weights)
        }
      }
    }
  }

  /// The mean log-loss of a probability per record.
  func logLoss(_ probabilities: [Double]) -> Double {
    zip(probabilities, labels).reduce(0) { sum, pair in
      sum - log(max(pair.1 == 1 ? pair.0 : 1 - pair.0, 1e-15))
    } / Double(rowCount)
  }

  /// The mean log-loss of the best weights in hindsight.
  func bestLogLoss() throws -> Double {
    let columns = (1...columnCount).map { Schema.Column(name: "x\($0)", kind: .numeric) }
    let schema = Schema(task: .binary, columns: columns, label: "y", classes: ["0", "1"])
    var settings = LearnerSettings()
    settings.learner = .exact
    var exact = try ExactLearner(schema: schema, settings: settings)
    let wide = features.map { Double($0) }
    repeat {
      try wide.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        let rows = MatrixView(
          base, rows: rowCount, columns: columnCount, stride: columnCount + 1)
        try exact.add(rows, labels: labels, weights: weights)
      }
      try exact.finishPass()
    } while exact.wantsAnotherPass
    guard let best = exact.coefficients.first else { return .nan }
    var probabilities = [Double](repeating: 0, count: rowCount)
    for row in 0..<rowCount {
      var score = best.intercept
      for column in 0..<columnCount {
        score += best.columns[column] * wide[row * (columnCount + 1) + column]
      }
      probabilities[row] = 1 / (1 + exp(-score))
    }
    return logLoss(probabilities)
  }
}
