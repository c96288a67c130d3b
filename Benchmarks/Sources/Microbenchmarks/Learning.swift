internal import Millrace

/// What learning costs, rows in memory: each record is predicted and then learnt.
enum Learning {
  /// One epoch of the optimizers beside the best fixed model.
  static func epochs(_ problem: Problem) throws -> [Measurement] {
    var result = [
      try learning("epoch of SGD", problem, .init(.sgd), repeats: 15),
      try learning("epoch of OnlineNewton", problem, .init(.newton)),
      try learning("epoch of AdaGrad", problem, .init(.adagrad), repeats: 3),
      try learning("epoch of FTRL-Proximal", problem, .init(.ftrl), repeats: 3),
    ]
    var best = 0.0
    var exact = try Measurement(
      "best fixed model in hindsight", count: problem.rowCount, repeats: 1
    ) { best = try problem.bestLogLoss() }
    exact.logLoss = best
    result.append(exact)
    return result
  }

  /// The bank with the basis that it chooses beside the bank of the columns alone.
  static func bases(columnCount: Int, isCurved: Bool) throws -> [Measurement] {
    let problem = Problem(rowCount: 200_000, columnCount: columnCount, isCurved: isCurved)
    let cell = Measurement.Cell(
      table: "columns and truth", row: "\(columnCount), \(isCurved ? "curved" : "linear")")
    var linear = LearnerSettings(.auto)
    linear.basis = .linear
    return [
      try learning("auto", problem, .init(.auto), in: cell),
      try learning("--basis linear", problem, linear, in: cell),
    ]
  }

  /// How time grows with the columns, for two classes and for numbers.
  static func growth(columnCount: Int) throws -> [Measurement] {
    let cell = Measurement.Cell(table: "columns", row: "\(columnCount)")
    // Some rows a column, so that what a learner does now and then counts as it does in long runs.
    let rowCount = max(min(2_000_000 / columnCount, 50_000), 16 * columnCount)
    let problem = Problem(rowCount: rowCount, columnCount: columnCount)
    let numbers = Problem(.regression, rowCount: rowCount, columnCount: columnCount)
    return [
      try learning("SGD", problem, .init(.sgd), in: cell, repeats: 3),
      try learning("OnlineNewton", problem, .init(.newton), in: cell, repeats: 2),
    ] + (try bank("auto, two classes", problem, in: cell))
      + (try bank("auto, numbers", numbers, in: cell))
  }

  /// How time grows with the classes.
  static func growth(classCount: Int) throws -> [Measurement] {
    let problem = Problem(
      .multiclass, rowCount: 200_000 / classCount, columnCount: 16, classCount: classCount)
    return try bank(
      "auto", problem, in: .init(table: "classes, of 16 columns", row: "\(classCount)"))
  }

  private static func bank(
    _ name: String, _ problem: Problem, in cell: Measurement.Cell
  ) throws -> [Measurement] {
    let settings = LearnerSettings(.auto)
    var learner = try problem.makeLearner(settings)
    var predictions = problem.predictions(of: learner)
    problem.learn(by: &learner, into: &predictions)
    return [
      try learning("\(name): learn", problem, settings, in: cell, repeats: 2),
      Measurement("\(name): predict", in: cell, count: problem.rowCount, repeats: 3) {
        problem.predict(by: learner, into: &predictions)
      },
    ]
  }

  private static func learning(
    _ name: String, _ problem: Problem, _ settings: LearnerSettings,
    in cell: Measurement.Cell? = nil, repeats: Int = 5
  ) throws -> Measurement {
    var predictions = [Double]()
    var measurement = try Measurement(name, in: cell, count: problem.rowCount, repeats: repeats) {
      var learner = try problem.makeLearner(settings)
      predictions = problem.predictions(of: learner)
      problem.learn(by: &learner, into: &predictions)
    }
    if problem.task == .binary { measurement.logLoss = problem.logLoss(predictions) }
    return measurement
  }
}

extension LearnerSettings {
  /// The defaults of a learner.
  init(_ kind: Kind) {
    self.init()
    learner = kind
  }
}
