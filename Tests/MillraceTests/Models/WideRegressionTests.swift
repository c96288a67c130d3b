import Glibc
import Millrace
import Testing

/// Standardised rows whose columns have something in common, the constant last; targets that are
/// linear in them, turn half-way, follow an unseen level, or have columns that are 0 in the first
/// half or mostly.
private struct WideTargets {
  enum Truth: CaseIterable {
    case still, turning, level, waking, rare
  }

  let columns: Int
  var rows: [Float] = []
  var labels: [Double] = []

  init(_ truth: Truth, count: Int, columns: Int) {
    self.columns = columns
    var uniform = SeededUniform(seed: 6)
    let slopes = (1..<columns).map { _ in 2 * uniform.normal() / Float(columns).squareRoot() }
    var level: Float = 0
    for row in 0..<count {
      level = 0.9 * level + uniform.normal()
      var target = uniform.normal() + (truth == .level ? 3 * level : 0)
      let common = uniform.normal()
      for (column, slope) in slopes.enumerated() {
        var z = 0.8 * uniform.normal() + 0.6 * common
        if column < 5, truth == .waking, row < count / 2 { z = 0 }
        if column < 5, truth == .rare { z = uniform.normal() > 2.8 ? 15 * z : 0 }
        rows.append(z)
        target += (truth == .turning && row > count / 2 ? -1 : 1) * slope * z
      }
      rows.append(1)
      labels.append(Double(500 + 20 * target))
    }
  }

  /// Every row's mean before it was learnt.
  func learn(_ learner: inout some Learner) -> [Double] {
    let predictions = learner.learn(
      rows, columns: columns, labels: labels, weights: Array(repeating: 1, count: labels.count),
      width: 3)
    return stride(from: 0, to: predictions.count, by: 3).map { predictions[$0] }
  }

  func rmse(_ predictions: [Double]) -> Double {
    let squares = zip(predictions, labels).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (squares / Double(labels.count)).squareRoot()
  }
}

@Suite struct `Bank of experts for numbers in wide records` {
  private func makeBank(columns: Int, isWide: Bool = true) throws -> RegressionBank {
    try RegressionBank(settings: LearnerSettings(), columns: columns, isWide: isWide)
  }

  @Test func `keeps every learner's laws`() throws {
    try checkLearner(
      LearnerSettings(), task: .regression,
      other: OtherLearner(
        make: { try makeBank(columns: $0) },
        decode: { try RegressionBank(settings: LearnerSettings(), decoding: $0, prefix: $1) }))
  }

  @Test(arguments: WideTargets.Truth.allCases)
  private func `predicts nearly as well as a covariance for each filter`(
    truth: WideTargets.Truth
  ) throws {
    let stream = WideTargets(truth, count: 8_000, columns: 50)
    let losses = try [true, false].map { isWide in
      var bank = try makeBank(columns: 50, isWide: isWide)
      return stream.rmse(stream.learn(&bank))
    }
    let isSteady = [.still, .turning, .level].contains(truth)
    #expect(losses[0] < losses[1] * (isSteady ? 1.05 : 1.25), "\(losses)")
  }

  @Test func `is what auto is for wide records, as far as their curvature has room`() throws {
    func learner(_ columnCount: Int, _ basis: LearnerSettings.Basis = .auto) throws -> any Learner {
      var settings = LearnerSettings()
      settings.basis = basis
      return try settings.makeLearner(task: .regression, columnCount: columnCount)
    }
    func firstExpert(_ learner: any Learner) -> String? {
      learner.experts(horizon: .never).first?.name
    }
    #expect(firstExpert(try learner(48)) == "Newton's step")
    #expect(firstExpert(try learner(47))?.hasPrefix("filter, drift") == true)
    #expect(firstExpert(try learner(48, .additive))?.hasPrefix("filter, drift") == true)
    #expect(try learner(3_000) is LinearLearner)
  }

  @Test func `its coefficients are the truth, in the target's units`() throws {
    let stream = WideTargets(.still, count: 20_000, columns: 50)
    var bank = try makeBank(columns: 50)
    _ = stream.learn(&bank)
    var plain = try makeBank(columns: 50, isWide: false)
    _ = stream.learn(&plain)
    for horizon in [LabelHorizon.immediate, .never] {
      let own = try #require(bank.standardizedCoefficients(horizon: horizon).first)
      let other = try #require(plain.standardizedCoefficients(horizon: horizon).first)
      let apart = zip(own, other).map { abs($0 - $1) }.max() ?? .infinity
      // The noise's deviation is 20, the records 20,000.
      #expect(apart < 1, "\(horizon)")
    }
  }
}
