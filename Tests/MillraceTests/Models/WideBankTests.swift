import Glibc
import Millrace
import Testing

/// Standardised rows, the constant last, and labels of a logistic truth.
private struct WideStream {
  let columns: Int
  var rows: [Float] = []
  var labels: [Double] = []

  /// - Parameter flips: the share of labels that are simply wrong.
  init(_ count: Int, columns: Int, flips: Float = 0, slope: Float = 1, turn: Bool = false) {
    self.columns = columns
    var uniform = SeededUniform(seed: 5)
    let slopes = (1..<columns).map { _ in uniform.normal() * slope / Float(columns).squareRoot() }
    for row in 0..<count {
      var score: Float = 0
      let common = uniform.normal()
      for slope in slopes {
        let z = 0.8 * uniform.normal() + 0.6 * common
        rows.append(z)
        score += (turn && row > count / 2 ? -1 : 1) * slope * z
      }
      rows.append(1)
      let isFlipped = uniform.next() < 2 * flips - 1
      labels.append((uniform.next() < tanhf(score / 2)) != isFlipped ? 1 : 0)
    }
  }

  func loss(_ learner: inout some Learner, _ range: Range<Int>? = nil) -> Double {
    let range = range ?? 0..<labels.count
    let predictions = learner.learn(
      Array(rows[range.lowerBound * columns..<range.upperBound * columns]), columns: columns,
      labels: Array(labels[range]), weights: Array(repeating: 1, count: range.count), width: 1)
    return zip(predictions, labels[range]).reduce(0) { $0 - log($1.1 == 1 ? $1.0 : 1 - $1.0) }
      / Double(range.count)
  }
}

@Suite struct `Wide bank` {
  @Test func `keeps the laws of learners`() throws {
    try checkLearner(
      LearnerSettings(), task: .binary,
      other: OtherLearner(
        make: { WideBank(columns: $0) },
        decode: { try WideBank(settings: LearnerSettings(), decoding: $0, prefix: $1) }))
  }

  @Test func `is what auto is for wide records of two classes`() throws {
    var settings = LearnerSettings()
    settings.basis = .linear
    #expect(try settings.makeLearner(task: .binary, columnCount: 48) is WideBank)
    #expect(try settings.makeLearner(task: .binary, columnCount: 47) is BinaryBank)
    var additive = settings
    additive.basis = .additive
    #expect(try additive.makeLearner(task: .binary, columnCount: 48) is BinaryBank)
  }

  @Test(arguments: [(1, 0, false), (1, 0, true), (3, 0.05, false)] as [(Float, Float, Bool)])
  func `predicts nearly as well as a covariance for each filter`(
    slope: Float, flips: Float, turn: Bool
  ) throws {
    let stream = WideStream(12_000, columns: 50, flips: flips, slope: slope, turn: turn)
    var wide = WideBank(columns: 50)
    var bank = try BinaryBank(settings: LearnerSettings(), columns: 50)
    let (own, other) = (stream.loss(&wide), stream.loss(&bank))
    #expect(own < other * 1.02, "\(own) against \(other)")
  }

  @Test func `answers without labels by what frozen models have earned`() throws {
    let stream = WideStream(20_000, columns: 50)
    var learner = WideBank(columns: 50)
    _ = stream.loss(&learner)
    let shares = learner.experts(horizon: .never)
    #expect(abs(shares.reduce(0) { $0 + $1.weight } - 1) < 1e-4)
    // The truth stands still: who remembers all, or as much as there is, is right.
    let best = try #require(shares.max { $0.weight < $1.weight })
    #expect(best.name.hasPrefix("Newton's step"))
    let ofLong = shares.filter {
      $0.name.hasPrefix("Newton's step")
        && (!$0.name.contains("memory") || $0.name.contains("memory 20000 "))
    }
    #expect(ofLong.reduce(0) { $0 + $1.weight } > 0.4, "\(shares)")
  }

  @Test func `merges partitions to nearly what one would have learnt`() throws {
    let stream = WideStream(12_000, columns: 50)
    var (first, second) = (WideBank(columns: 50), WideBank(columns: 50))
    var whole = first
    _ = (stream.loss(&first, 0..<5_000), stream.loss(&second, 5_000..<10_000))
    _ = stream.loss(&whole, 0..<10_000)
    var scaler = StandardScaler(columnCount: 49, limit: 10)
    var output = [Float](repeating: 0, count: 50)
    let row = [Float](repeating: 0, count: 49)
    scaler.transformAndUpdate(row, count: 1, into: &output, stride: 50)
    var merged = try WideBank.merging(
      [(learner: first, scaler: scaler), (learner: second, scaler: scaler)], scaler: scaler)
    let tail = 10_000..<12_000
    let losses = (
      merged: stream.loss(&merged, tail), half: stream.loss(&second, tail),
      whole: stream.loss(&whole, tail)
    )
    #expect(losses.merged < losses.half && losses.merged < losses.whole * 1.005, "\(losses)")
  }
}
