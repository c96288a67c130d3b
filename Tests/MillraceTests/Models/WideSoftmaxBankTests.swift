import Glibc
import Millrace
import Testing

/// Standardised rows whose columns have something in common, the constant last; classes by the
/// greatest of noisy scores that stand still, turn half-way, or know two classes before the others.
private struct WideClasses {
  enum Truth: CaseIterable {
    case still, turning, late
  }

  let columns: Int
  let classCount: Int
  var rows: [Float] = []
  var labels: [Double] = []

  init(_ truth: Truth, count: Int, columns: Int, classCount: Int = 5) {
    self.columns = columns
    self.classCount = classCount
    var uniform = SeededUniform(seed: 7)
    let slopes = (0..<2 * classCount).map { _ in
      (1..<columns).map { _ in 2 * uniform.normal() / Float(columns).squareRoot() }
    }
    while labels.count < count {
      let common = uniform.normal()
      let row = (1..<columns).map { _ in 0.8 * uniform.normal() + 0.6 * common }
      let isSecond = truth == .turning && labels.count > count / 2
      let scores = (0..<classCount).map { k in
        zip(slopes[k + (isSecond ? classCount : 0)], row).reduce(uniform.normal()) {
          $0 + $1.0 * $1.1
        }
      }
      let label = scores.indices.max { scores[$0] < scores[$1] } ?? 0
      if truth == .late && labels.count < count / 2 && label > 1 { continue }
      rows += row + [1]
      labels.append(Double(label))
    }
  }

  /// Every column twice.
  func repeatingColumns() -> WideClasses {
    var result = WideClasses(.still, count: 0, columns: 2 * columns - 1, classCount: classCount)
    result.labels = labels
    for start in stride(from: 0, to: rows.count, by: columns) {
      let own = rows[start..<start + columns - 1]
      result.rows += own + own + [1]
    }
    return result
  }

  /// The mean log-loss of every row before it was learnt.
  func loss(_ learner: inout some Learner, _ range: Range<Int>? = nil) -> Double {
    let range = range ?? 0..<labels.count
    let predictions = learner.learn(
      Array(rows[range.lowerBound * columns..<range.upperBound * columns]), columns: columns,
      labels: Array(labels[range]), weights: Array(repeating: 1, count: range.count),
      width: classCount)
    return logLoss(predictions, Array(labels[range]))
  }

  func frozenLoss(_ learner: some Learner, _ range: Range<Int>) -> Double {
    let own = Array(rows[range.lowerBound * columns..<range.upperBound * columns])
    return logLoss(
      learner.predict(own, columns: columns, width: classCount, horizon: .never),
      Array(labels[range]))
  }

  private func logLoss(_ predictions: [Double], _ labels: [Double]) -> Double {
    let losses = labels.indices.map { -log(predictions[$0 * classCount + Int(labels[$0])]) }
    return losses.reduce(0, +) / Double(losses.count)
  }
}

@Suite struct `Bank of experts for several classes in wide records` {
  @Test func `keeps every learner's laws`() throws {
    try checkLearner(
      LearnerSettings(), task: .multiclass,
      other: OtherLearner(
        make: { WideSoftmaxBank(columns: $0) },
        decode: { try WideSoftmaxBank(settings: LearnerSettings(), decoding: $0, prefix: $1) }))
  }

  @Test(arguments: WideClasses.Truth.allCases)
  private func `predicts nearly as well as a covariance for each filter`(
    truth: WideClasses.Truth
  ) throws {
    let stream = WideClasses(truth, count: 6_000, columns: 50)
    var wide = WideSoftmaxBank(columns: 50)
    var bank = try SoftmaxBank(settings: LearnerSettings(), columns: 50)
    let (own, other) = (stream.loss(&wide), stream.loss(&bank))
    #expect(own < other * 1.03, "\(own) against \(other)")
  }

  @Test func `never starts worse than knowing nothing`() {
    let stream = WideClasses(.still, count: 200, columns: 400, classCount: 20)
    var bank = WideSoftmaxBank(columns: 400)
    // Every class's first record is known to be something new, but not what.
    #expect(stream.loss(&bank) < 1.15 * log(20))
  }

  @Test func `answers without labels by what frozen models have earned`() throws {
    let stream = WideClasses(.still, count: 12_000, columns: 64)
    var bank = WideSoftmaxBank(columns: 64)
    _ = stream.loss(&bank, 0..<10_000)
    let shares = bank.experts(horizon: .never)
    #expect(abs(shares.reduce(0) { $0 + $1.weight } - 1) < 1e-4)
    // The truth stands still: who remembers all is right.
    let best = try #require(shares.max { $0.weight < $1.weight })
    #expect(best.name == "Newton's step")
    let frozen = stream.frozenLoss(bank, 10_000..<12_000)
    #expect(frozen < 1.03 * stream.loss(&bank, 10_000..<12_000))
  }

  @Test func `coefficients of every class explain it`() {
    let stream = WideClasses(.still, count: 8_000, columns: 50)
    var bank = WideSoftmaxBank(columns: 50)
    _ = stream.loss(&bank)
    for horizon in [LabelHorizon.immediate, .never] {
      let coefficients = bank.standardizedCoefficients(horizon: horizon)
      #expect(coefficients.count == 5)
      let right = (7_000..<8_000).filter { row in
        let scores = coefficients.map { own in
          zip(own, stream.rows[50 * row..<50 * row + 50]).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
        return scores.indices.max { scores[$0] < scores[$1] } == Int(stream.labels[row])
      }
      // The truth's own scores are right in 72 % of them, for the noise.
      #expect(right.count > 650, "\(horizon)")
    }
  }

  @Test func `forty thousand rows of equal columns leave it finite and sharp`() {
    // The second half of the columns repeats the first.
    let stream = WideClasses(.still, count: 40_000, columns: 9, classCount: 3)
    let twice = stream.repeatingColumns()
    var (plain, bank) = (WideSoftmaxBank(columns: 9), WideSoftmaxBank(columns: 17))
    let (expected, own) = (stream.loss(&plain), twice.loss(&bank))
    #expect(bank.isFinite)
    #expect(own < 1.01 * expected, "\(own) against \(expected)")
  }

  @Test func `merges partitions to nearly what one would have learnt`() throws {
    let stream = WideClasses(.still, count: 12_000, columns: 50)
    var (first, second) = (WideSoftmaxBank(columns: 50), WideSoftmaxBank(columns: 50))
    var whole = first
    _ = (stream.loss(&first, 0..<5_000), stream.loss(&second, 5_000..<10_000))
    _ = stream.loss(&whole, 0..<10_000)
    var scaler = StandardScaler(columnCount: 49, limit: 10)
    var output = [Float](repeating: 0, count: 50)
    let row = [Float](repeating: 0, count: 49)
    scaler.transformAndUpdate(row, count: 1, into: &output, stride: 50)
    let merged = try WideSoftmaxBank.merging(
      [(learner: first, scaler: scaler), (learner: second, scaler: scaler)], scaler: scaler)
    let tail = 10_000..<12_000
    let losses = (
      merged: stream.frozenLoss(merged, tail), half: stream.frozenLoss(second, tail),
      whole: stream.frozenLoss(whole, tail)
    )
    #expect(losses.merged < losses.half && losses.merged < losses.whole * 1.02, "\(losses)")
  }

  @Test func `a class that one partition has not seen is the other's, over its own columns`() throws
  {
    let stream = LabelledRows.linear(.multiclass, count: 12_000, classCount: 4)
    func part(_ kept: [Int]) -> (learner: WideSoftmaxBank, scaler: StandardScaler) {
      var rows = stream
      rows.features = kept.flatMap { stream.features[$0 * 6..<$0 * 6 + 6] }
      rows.labels = kept.map { stream.labels[$0] }
      rows.weights = kept.map { stream.weights[$0] }
      let (standardized, scaler) = rows.standardized()
      var bank = WideSoftmaxBank(columns: 7)
      _ = bank.learn(
        standardized, columns: 7, labels: rows.labels, weights: rows.weights, width: 4)
      return (bank, scaler)
    }
    let test = LabelledRows.linear(.multiclass, count: 4_000, classCount: 4, seed: 9)
    func loss(_ bank: WideSoftmaxBank, _ scaler: StandardScaler) -> Double {
      var output = [Float](repeating: 0, count: test.count * 7)
      FrozenScaler(scaler).transform(test.features, count: test.count, into: &output, stride: 7)
      let predictions = bank.predict(output, columns: 7, width: 4)
      let losses = test.labels.indices.map { -log(predictions[4 * $0 + Int(test.labels[$0])]) }
      return losses.reduce(0, +) / Double(losses.count)
    }
    // Of the half whose fifth column is high, without class 0: its means and deviations differ.
    let some = part(
      (0..<6_000).filter { stream.features[6 * $0 + 4] > 100 && stream.labels[$0] > 0 })
    let other = part(Array(6_000..<12_000))
    let whole = part(Array(0..<12_000))
    let merged = try WideSoftmaxBank.merging([some, other], scaler: whole.scaler)
    #expect(loss(merged, whole.scaler) < 1.1 * loss(whole.learner, whole.scaler))
  }

  @Test func `is what auto is for wide records of several classes`() throws {
    var settings = LearnerSettings()
    settings.basis = .linear
    func learner(_ columnCount: Int) throws -> any Learner {
      try settings.makeLearner(task: .multiclass, columnCount: columnCount)
    }
    #expect(try learner(130) is WideSoftmaxBank)
    #expect(try learner(129) is SoftmaxBank)
    #expect(try learner(3_000) is LinearLearner)
  }
}
