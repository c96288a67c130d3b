internal import Glibc
internal import Millrace

/// Records with normal columns, which are standardised already, and a truth that is linear in them
/// or, if it is curved, in a product and a square too.
struct Problem {
  let task: Task
  let rowCount: Int
  /// Without the constant.
  let columnCount: Int
  let classCount: Int
  /// Row after row, the constant 1 last.
  let features: [Float]
  let labels: [Double]
  let weights: [Float]

  init(
    _ task: Task = .binary, rowCount: Int, columnCount: Int, classCount: Int = 2,
    isCurved: Bool = false
  ) {
    var generator = SplitMix64(seed: 1)
    func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
    /// Box and Muller 1958.
    func normal() -> Double {
      (-2 * log(1 - uniform())).squareRoot() * cos(2 * Double.pi * uniform())
    }
    // Scores of deviation 2, whatever the width.
    let truths = (0..<(task == .multiclass ? classCount : 1)).map { _ in
      (0..<columnCount).map { _ in normal() * 2 / Double(columnCount).squareRoot() }
    }
    var row = [Double](repeating: 0, count: columnCount)
    var (features, labels) = ([Float](), [Double]())
    features.reserveCapacity(rowCount * (columnCount + 1))
    labels.reserveCapacity(rowCount)
    for _ in 0..<rowCount {
      for column in 0..<columnCount { row[column] = normal() }
      features += row.map { Float($0) }
      features.append(1)
      let scores = truths.map { truth in
        zip(truth, row).reduce(isCurved ? 1.5 * (row[0] * row[1] + row[2] * row[2] - 1) : 0) {
          $0 + $1.0 * $1.1
        }
      }
      switch task {
      case .binary: labels.append(uniform() < 1 / (1 + exp(-scores[0])) ? 1 : 0)
      case .regression: labels.append(scores[0] + normal())
      case .multiclass:
        // The greatest of scores with Gumbel's noise is a draw from their softmax.
        let noisy = scores.map { $0 - log(-log(1 - uniform())) }
        labels.append(Double(noisy.indices.max { noisy[$0] < noisy[$1] } ?? 0))
      }
    }
    (self.task, self.rowCount, self.columnCount) = (task, rowCount, columnCount)
    (self.classCount, self.features, self.labels) = (classCount, features, labels)
    weights = Array(repeating: 1, count: rowCount)
  }

  /// A learner that has learnt nothing.
  func makeLearner(_ settings: LearnerSettings) throws -> any Learner {
    try settings.makeLearner(task: task, columnCount: columnCount + 1)
  }

  /// Room for a learner's predictions of all rows.
  func predictions(of learner: any Learner) -> [Double] {
    Array(repeating: 0, count: rowCount * learner.outputWidth(classCount: classCount))
  }

  /// Predicts each row, then learns from it.
  func learn(by learner: inout any Learner, into predictions: inout [Double]) {
    withRows { rows, labels, weights in
      withPredictions(&predictions) {
        learner.learn(rows, labels: labels, weights: weights, predictions: $0)
      }
    }
  }

  /// Predicts all rows as where no labels come.
  func predict(by learner: any Learner, into predictions: inout [Double]) {
    withRows { rows, _, _ in
      withPredictions(&predictions) { learner.predict(rows, horizon: .never, into: $0) }
    }
  }

  private func withPredictions(
    _ predictions: inout [Double], _ body: (PredictionRows) -> Void
  ) {
    predictions.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      body(PredictionRows(base: base, count: rowCount, width: buffer.count / rowCount))
    }
  }

  /// Calls `body` with the rows, the labels and the importances.
  private func withRows(
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
