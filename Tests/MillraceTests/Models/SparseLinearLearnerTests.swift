import Glibc
import Millrace
import Testing

@Suite struct `Sparse linear learner` {
  private static let kinds: [LearnerSettings.Kind] = [.sgd, .adagrad, .ftrl]

  private func settings(
    _ kind: LearnerSettings.Kind, _ change: (inout LearnerSettings) -> Void = { _ in }
  ) -> LearnerSettings {
    var settings = LearnerSettings()
    settings.learner = kind
    change(&settings)
    return settings
  }

  @Test(arguments: kinds, Task.allCases)
  func `keeps the laws of learners`(kind: LearnerSettings.Kind, task: Task) throws {
    let settings = settings(kind) { ($0.l1, $0.l2) = (1e-4, 1e-4) }
    try checkLearner(
      settings, task: task, columnTolerance: 0.1,
      other: OtherLearner(
        make: { _ in try settings.makeSparseLearner(task: task, width: 16) },
        decode: { try settings.decodeSparseLearner(from: $0, prefix: $1) }))
  }

  /// Learns rows of one feature each, of value 1, and returns the weights per feature.
  private func weights(
    _ settings: LearnerSettings, _ columns: [UInt32], _ labels: [Double], width: Int = 8
  ) throws -> [UInt32: Double] {
    var learner = try settings.makeSparseLearner(task: .binary, width: width)
    var predictions = [Double](repeating: 0, count: labels.count)
    let ones = [Float](repeating: 1, count: labels.count)
    predictions.withUnsafeMutableBufferPointer { predictions in
      guard let base = predictions.baseAddress else { return }
      withSparseRows(
        starts: Array(0...labels.count), indices: columns, values: ones, width: width
      ) { rows in
        learner.learn(
          rows, labels: labels, weights: ones,
          predictions: PredictionRows(base: base, count: labels.count, width: 1))
      }
    }
    let found = learner.standardizedCoefficients(horizon: .never)[0]
    return Dictionary(uniqueKeysWithValues: zip(learner.columns, found))
  }

  @Test func `penalties are due while a feature is away`() throws {
    let plain = settings(.sgd) { ($0.schedule, $0.learningRate) = (.constant, 0.5) }
    let once = try #require(try weights(plain, [3], [1])[3])
    var penalized = plain
    (penalized.l1, penalized.l2) = (0.001, 0.01)
    // Feature 3 is learnt from the first record; then come ten without it.
    let later = try weights(penalized, [3] + Array(repeating: 5, count: 10), [1] + .zeros(10))
    let expected = (once - 10 * 0.5 * 0.001) / pow(1 + 0.5 * 0.01, 10)
    #expect(abs(try #require(later[3]) - expected) < 1e-6)
  }

  @Test func `FTRL leaves at 0 what the penalty says`() throws {
    // McMahan et al. 2013, algorithm 1, α = 0.5, β = 1, λ₁ = 1, of one feature by hand.
    let ftrl = settings(.ftrl) { ($0.learningRate, $0.l1) = (0.5, 1) }
    let columns = [UInt32](repeating: 2, count: 20)
    let found = try weights(ftrl, columns + [4], .ones(20) + [1])
    var (z, n, w, constant, zc, nc) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for _ in 0..<20 {
      let g = 1 / (1 + exp(-(w + constant))) - 1
      z += g - ((n + g * g).squareRoot() - n.squareRoot()) / 0.5 * w
      zc += g - ((nc + g * g).squareRoot() - nc.squareRoot()) / 0.5 * constant
      (n, nc) = (n + g * g, nc + g * g)
      w = abs(z) <= 1 ? 0 : -(z - (z > 0 ? 1 : -1)) / ((1 + n.squareRoot()) / 0.5)
      constant = -zc / ((1 + nc.squareRoot()) / 0.5)
    }
    #expect(abs(try #require(found[2]) - w) < 1e-5 && w > 0.1)
    // Once is not enough to leave 0.
    #expect(found[4] == 0)
  }

  @Test func `merges partitions of unequal columns`() throws {
    let settings = settings(.adagrad)
    var parts: [SparseLinearLearner] = []
    for column: UInt32 in [1, 2] {
      var learner = SparseLinearLearner(settings: settings, task: .binary, width: 8)
      var prediction = 0.0
      for _ in 0..<50 {
        withSparseRows(starts: [0, 1], indices: [column], values: [1], width: 8) { rows in
          learner.learn(
            rows, labels: [column == 1 ? 1 : 0], weights: [1],
            predictions: PredictionRows(base: &prediction, count: 1, width: 1))
        }
      }
      parts.append(learner)
    }
    let scaler = StandardScaler(columnCount: 0, limit: 10)
    let merged = try SparseLinearLearner.merging(
      parts.map { (learner: $0, scaler: scaler) }, scaler: scaler)
    let (own, found) = (
      parts.map { $0.standardizedCoefficients(horizon: .never)[0] },
      merged.standardizedCoefficients(horizon: .never)[0]
    )
    // Each feature is as the part that saw it has it; the constants, of opposite signs, meet.
    #expect(merged.columns == [1, 2])
    #expect(abs(found[0] - own[0][0]) < 1e-6 && abs(found[1] - own[1][0]) < 1e-6)
    #expect(abs(found[2] - (own[0][1] + own[1][1]) / 2) < 1e-6)
  }
}

extension [Double] {
  fileprivate static func zeros(_ count: Int) -> [Double] { Array(repeating: 0, count: count) }
  fileprivate static func ones(_ count: Int) -> [Double] { Array(repeating: 1, count: count) }
}
