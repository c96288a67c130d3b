internal import Millrace

/// What learning costs, rows in memory: each record is predicted and then learnt.
enum Learning {
  /// One epoch of the optimizers beside the best fixed model.
  static func epochs(_ problem: LogisticProblem) throws -> [Measurement] {
    var result = [
      try measure("epoch of SGD", problem, .sgd, repeats: 15),
      try measure("epoch of OnlineNewton", problem, .newton, repeats: 5),
      try measure("epoch of AdaGrad", problem, .adagrad, repeats: 3),
      try measure("epoch of FTRL-Proximal", problem, .ftrl, repeats: 3),
    ]
    var best = 0.0
    var exact = try Measurement(
      "best fixed model in hindsight", count: problem.rowCount, repeats: 1
    ) { best = try problem.bestLogLoss() }
    exact.logLoss = best
    result.append(exact)
    return result
  }

  /// The bank of `auto` on narrow and wide records.
  static func bank(_ problem: LogisticProblem) throws -> [Measurement] {
    let name = "bank, \(problem.columnCount) columns"
    var learner = try makeLearner(problem, .auto)
    var predictions = [Double](repeating: 0, count: problem.rowCount)
    learn(problem, by: &learner, into: &predictions)
    let predicting = Measurement("\(name): predict", count: problem.rowCount) {
      problem.withRows { rows, _, _ in
        withPredictions(&predictions) { learner.predict(rows, horizon: .never, into: $0) }
      }
    }
    return [
      try measure("\(name): predict and learn", problem, .auto, repeats: 3), predicting,
    ]
  }

  /// How time grows with the columns.
  static func growth(columnCount: Int) throws -> [Measurement] {
    let rowCount = max(4_000_000 / columnCount, 4_000)
    let problem = LogisticProblem(rowCount: rowCount, columnCount: columnCount)
    return [
      try measure("SGD, \(columnCount) columns", problem, .sgd, repeats: 3),
      try measure("OnlineNewton, \(columnCount) columns", problem, .newton, repeats: 2),
    ]
  }

  private static func makeLearner(
    _ problem: LogisticProblem, _ kind: LearnerSettings.Kind
  ) throws -> any Learner {
    var settings = LearnerSettings()
    settings.learner = kind
    return try settings.makeLearner(task: .binary, columnCount: problem.columnCount + 1)
  }

  private static func measure(
    _ name: String, _ problem: LogisticProblem, _ kind: LearnerSettings.Kind, repeats: Int
  ) throws -> Measurement {
    var predictions = [Double](repeating: 0, count: problem.rowCount)
    var measurement = try Measurement(name, count: problem.rowCount, repeats: repeats) {
      var learner = try makeLearner(problem, kind)
      learn(problem, by: &learner, into: &predictions)
    }
    measurement.logLoss = problem.logLoss(predictions)
    return measurement
  }

  private static func learn(
    _ problem: LogisticProblem, by learner: inout any Learner, into predictions: inout [Double]
  ) {
    problem.withRows { rows, labels, weights in
      withPredictions(&predictions) {
        learner.learn(rows, labels: labels, weights: weights, predictions: $0)
      }
    }
  }

  private static func withPredictions(
    _ predictions: inout [Double], _ body: (PredictionRows) -> Void
  ) {
    predictions.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      body(PredictionRows(base: base, count: buffer.count, width: 1))
    }
  }
}
