import Glibc
import Millrace
import Testing

@Suite struct `Ferns` {
  private var settings: LearnerSettings {
    var settings = LearnerSettings()
    settings.learner = .auto
    return settings
  }

  private func settings(_ basis: LearnerSettings.Basis) -> LearnerSettings {
    var settings = settings
    settings.basis = basis
    return settings
  }

  private let stream = corneredRows(count: 20_000)
  private var rows: [Float] { stream.rows }
  private var scores: [Float] { stream.scores }
  /// The last half: what was learnt before it is enough.
  private let tail = 10_000..<20_000

  private func weights(_ count: Int) -> [Float] { Array(repeating: 1, count: count) }

  private func labels(_ scores: [Float]) -> [Double] {
    var uniform = SeededUniform(seed: 6)
    return scores.map { $0 + uniform.normal() > 0 ? 1 : 0 }
  }

  private func logLoss(_ predictions: [Double], _ labels: [Double]) -> Double {
    zip(predictions, labels).reduce(0) { $0 - log($1.1 == 1 ? $1.0 : 1 - $1.0) }
      / Double(labels.count)
  }

  @Test func `find steps and corners, which no smooth function does`() throws {
    let labels = labels(scores)
    func loss(_ basis: LearnerSettings.Basis) throws -> Double {
      var bank = try BinaryBank(settings: settings(basis), columns: 11)
      let predictions = bank.learn(
        rows, columns: 11, labels: labels, weights: weights(labels.count), width: 1)
      return logLoss(Array(predictions[tail]), Array(labels[tail]))
    }
    // The sum of twelve uniform numbers is normal enough for Φ.
    let truth = scores[tail].map { 0.5 * erfc(-Double($0) / 2.0.squareRoot()) }
    let best = logLoss(truth, Array(labels[tail]))
    let (auto, smooth) = try (loss(.auto), loss(.quadratic))
    #expect(auto - best < 0.9 * (smooth - best))
  }

  @Test func `find them in numbers`() throws {
    var uniform = SeededUniform(seed: 7)
    let noise = scores.map { _ in 0.3 * uniform.normal() }
    let labels = zip(scores, noise).map { Double($0 + $1) }
    func squares(_ basis: LearnerSettings.Basis) throws -> Double {
      var bank = try RegressionBank(settings: settings(basis), columns: 11)
      let predictions = bank.learn(
        rows, columns: 11, labels: labels, weights: weights(labels.count), width: 3)
      return tail.reduce(0) { $0 + pow(predictions[3 * $1] - labels[$1], 2) } / Double(tail.count)
    }
    let best = tail.reduce(0) { $0 + pow(Double(noise[$1]), 2) } / Double(tail.count)
    let (auto, smooth) = try (squares(.auto), squares(.quadratic))
    #expect(auto - best < 0.75 * (smooth - best))
  }

  @Test func `parts that are merged know what all of them saw`() throws {
    let labels = labels(scores)
    let scaler = StandardScaler(columnCount: 10, limit: 10)
    func bank(_ range: Range<Int>) throws -> BinaryBank {
      var bank = try BinaryBank(settings: settings, columns: 11)
      _ = bank.learn(
        Array(rows[11 * range.lowerBound..<11 * range.upperBound]), columns: 11,
        labels: Array(labels[range]), weights: weights(range.count), width: 1)
      return bank
    }
    let parts = try [bank(0..<5_000), bank(5_000..<10_000)]
    let merged = try BinaryBank.merging(parts.map { ($0, scaler) }, scaler: scaler)
    let test = Array(rows[(11 * 10_000)...])
    func loss(_ bank: BinaryBank) -> Double {
      logLoss(bank.predict(test, columns: 11, width: 1), Array(labels[tail]))
    }
    let whole = try loss(bank(0..<10_000))
    #expect(loss(merged) < 1.03 * whole)
    #expect(loss(merged) < parts.map(loss).min() ?? 0)
  }

  @Test func `numbers that are merged are in one unit, from one origin`() throws {
    let scaler = StandardScaler(columnCount: 10, limit: 10)
    var uniform = SeededUniform(seed: 7)
    let noise = scores.map { _ in uniform.normal() }
    // The second part's first target is another origin, and differs from its second by another unit.
    func bank(_ range: Range<Int>) throws -> RegressionBank {
      var bank = try RegressionBank(settings: settings, columns: 11)
      _ = bank.learn(
        Array(rows[11 * range.lowerBound..<11 * range.upperBound]), columns: 11,
        labels: range.map { 100 + 10 * Double(scores[$0] + noise[$0]) },
        weights: weights(range.count), width: 3)
      return bank
    }
    func squares(_ bank: RegressionBank) -> Double {
      let predictions = bank.predict(
        Array(rows[(11 * 10_000)...]), columns: 11, width: 3, horizon: .never)
      return zip(tail, predictions.indices.filter { $0.isMultiple(of: 3) }).reduce(0) {
        $0 + pow(predictions[$1.1] - 100 - 10 * Double(scores[$1.0]), 2)
      }
    }
    let parts = try [bank(0..<5_000), bank(5_001..<10_000)]
    let merged = try RegressionBank.merging(parts.map { ($0, scaler) }, scaler: scaler)
    let whole = try squares(bank(0..<10_000))
    #expect(squares(merged) < 1.1 * whole)
    #expect(squares(merged) < parts.map(squares).min() ?? 0)
  }

  @Test(
    arguments: [[0, 1, 2, 3, 4, 5, 6, 7, 8, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]] as [[Int64]])
  func `a stored order of columns that is none is refused`(order: [Int64]) throws {
    let bank = try BinaryBank(settings: settings, columns: 11)
    var archive = TensorArchive()
    bank.encode(into: &archive, prefix: "")
    archive.set(order, as: "fernOrder")
    #expect {
      try BinaryBank(settings: settings, decoding: archive, prefix: "")
    } throws: {
      "\($0)".contains("expected each of 0..<10 once")
    }
  }

  @Test func `their constants can be set`() throws {
    var settings = settings
    settings.bankConstants = ["fern-variances": [0.5, 0.25], "fern-forgetting": [0, 0.1]]
    let labels = labels(scores)
    func predictions(_ settings: LearnerSettings) throws -> [Double] {
      var learner = try settings.makeLearner(task: .binary, columnCount: 11)
      return learner.learn(
        Array(rows[..<(11 * 1_000)]), columns: 11, labels: Array(labels[..<1_000]),
        weights: weights(1_000), width: 1)
    }
    #expect(try predictions(settings) != predictions(self.settings))
  }
}
