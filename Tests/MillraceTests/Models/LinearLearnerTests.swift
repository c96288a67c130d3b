import Millrace
import Testing

@Suite struct `Linear learners` {
  static let kinds: [LearnerSettings.Kind] = [.sgd, .adagrad, .adam, .ftrl, .newton]

  @Test(arguments: kinds, Task.allCases)
  func `obey the laws`(kind: LearnerSettings.Kind, task: Task) throws {
    var settings = LearnerSettings()
    settings.learner = kind
    // Adam's default steps all move by their full length, and are shorter the more columns there are.
    try checkLearner(settings, task: task, columnTolerance: kind == .adam ? 0.03 : 0.02)
  }

  /// Columns for whole registers and for what is left of one; missing and infinite values.
  @Test(arguments: Task.allCases, [1, 8, 23, 64])
  func `predict raw rows bit for bit like standardised ones`(task: Task, columnCount: Int) throws {
    var uniform = SeededUniform()
    let stream = LabelledRows.linear(task, count: 200, classCount: 4).mapColumns { columns, row in
      (0..<columnCount).map { j in
        (row + j) % 17 == 3
          ? [Float.nan, .infinity, -.infinity][row % 3]
          : columns[j % 6] + 1e5 * Float(j) + uniform.next()
      }
    }
    var settings = LearnerSettings()
    settings.learner = .sgd
    var learner = LinearLearner(settings: settings, task: task, columnCount: columnCount + 1)
    let (rows, scaler) = stream.standardized()
    let width = learner.outputWidth(classCount: 4)
    _ = learner.learn(
      rows, columns: columnCount + 1, labels: stream.labels, weights: stream.weights, width: width)
    let frozen = FrozenScaler(scaler)
    var standardized = rows
    frozen.transform(
      stream.features, count: stream.count, into: &standardized, stride: columnCount + 1)
    let expected = learner.predict(standardized, columns: columnCount + 1, width: width)
    var raw = [Double](repeating: .nan, count: expected.count)
    try raw.withUnsafeMutableBufferPointer { raw in
      let target = PredictionRows(
        base: try #require(raw.baseAddress), count: stream.count, width: width)
      learner.predict(stream.features, scaler: frozen, horizon: .immediate, into: target)
    }
    #expect(raw == expected && Set(raw).count > 100)
  }

  @Test func `name the setting that is wrong, its value and what is allowed`() {
    func message(_ task: Task = .binary, _ change: (inout LearnerSettings) -> Void) -> String? {
      var settings = LearnerSettings()
      settings.learner = .sgd
      change(&settings)
      do throws(MillraceError) {
        _ = try settings.makeLearner(task: task, columnCount: 3)
        return nil
      } catch {
        return error.message
      }
    }
    #expect(message { $0.learningRate = 0.1 } == nil)
    #expect(
      message { $0.learningRate = -1 }
        == "learningRate is \"-1.0\"; expected a positive number")
    #expect(message { $0.l1 = .nan } == "l1 is \"nan\"; expected 0 or a positive number")
    #expect(message { $0.batchSize = 0 } == "batchSize is \"0\"; expected 1 to 1000000")
    #expect(
      message { $0.schedule = .optimal }
        == "l2 is \"0\"; expected a positive number, which the schedule optimal needs")
    #expect(
      message(.regression) { $0.loss = .logistic }
        == "loss is \"logistic\"; expected squared, huber, quantile, poisson for the task regression"
    )
  }

  /// One learner per half of a stream, each behind a scaler of its own.
  private func parts(
    _ settings: LearnerSettings, task: Task
  ) -> (parts: [(learner: LinearLearner, scaler: StandardScaler)], scaler: StandardScaler) {
    var parts: [(learner: LinearLearner, scaler: StandardScaler)] = []
    var merged = StandardScaler(columnCount: 6, limit: 10)
    for seed in 1...2 as ClosedRange<UInt64> {
      let stream = LabelledRows.linear(task, count: 1_500, classCount: 4, seed: seed)
        .mapColumns { columns, _ in columns.map { $0 + Float(seed) } }
      let (rows, scaler) = stream.standardized()
      var learner = LinearLearner(settings: settings, task: task, columnCount: 7)
      _ = learner.learn(
        rows, columns: 7, labels: stream.labels, weights: stream.weights,
        width: learner.outputWidth(classCount: 4))
      parts.append((learner, scaler))
      merged.merge(scaler)
    }
    return (parts, merged)
  }

  /// Coefficients over raw columns: w·(x − μ)/σ.
  private func rawCoefficients(_ learner: some Learner, _ scaler: StandardScaler) -> [[Double]] {
    learner.standardizedCoefficients(horizon: .never).map { weights in
      var raw = weights
      for j in 0..<scaler.columnCount {
        raw[j] = weights[j] / scaler.standardDeviation(j)
        raw[scaler.columnCount] -= raw[j] * scaler.means[j]
      }
      return raw
    }
  }

  @Test(arguments: Task.allCases)
  func `merge as the average of their functions`(task: Task) throws {
    var settings = LearnerSettings()
    settings.learner = .sgd
    let (parts, scaler) = parts(settings, task: task)
    let merged = rawCoefficients(
      try LinearLearner.merging(parts, scaler: scaler), scaler)
    let own = parts.map { rawCoefficients($0.learner, $0.scaler) }
    for (output, coefficients) in merged.enumerated() {
      for (j, value) in coefficients.enumerated() {
        let mean = (own[0][output][j] + own[1][output][j]) / 2
        #expect(abs(value - mean) < 1e-4 * (1 + abs(mean)))
      }
    }
  }
}
