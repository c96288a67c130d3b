import Glibc
import Millrace
import Testing

/// Rows of two classes whose truth is linear, and from some row on is one of squares.
private struct SquaresStream {
  static let columns = 50
  var rows: [Float] = []
  var labels: [Double] = []

  init(_ count: Int, squaresFrom turn: Int) {
    var uniform = SeededUniform(seed: 8)
    let slopes = (1..<Self.columns).map { _ in uniform.normal() / 4 }
    for index in 0..<count {
      let row = slopes.map { _ in uniform.normal() }
      let score = zip(row, slopes).reduce(Float(0)) {
        $0 + $1.1 * (index < turn ? $1.0 : $1.0 * $1.0 - 1)
      }
      rows += row + [1]
      labels.append(Double(uniform.next() + 1) / 2 < 1 / (1 + exp(-Double(score))) ? 1 : 0)
    }
  }

  /// The mean log-loss of a learner that learns a range of the rows, or predicts it without labels.
  func loss(_ learner: inout some Learner, _ range: Range<Int>, isFrozen: Bool = false) -> Double {
    let own = Array(rows[range.lowerBound * Self.columns..<range.upperBound * Self.columns])
    let labels = Array(labels[range])
    let predictions =
      isFrozen
      ? learner.predict(own, columns: Self.columns, width: 1, horizon: .never)
      : learner.learn(
        own, columns: Self.columns, labels: labels,
        weights: Array(repeating: 1, count: range.count),
        width: 1)
    return zip(predictions, labels).reduce(0) { $0 - log($1.1 == 1 ? $1.0 : 1 - $1.0) }
      / Double(range.count)
  }
}

private typealias TwoBanks = BasisBank<WideBank, WideBank>

private func twoBanks() throws -> TwoBanks {
  try TwoBanks(settings: LearnerSettings(), columns: SquaresStream.columns)
}

@Suite struct `A bank beside one that sees functions of the columns` {
  private static let linear: LearnerSettings = {
    var settings = LearnerSettings()
    settings.basis = .linear
    return settings
  }()

  /// The laws, with a second bank that is awake from some row on of a stream that is curved, and one
  /// that sleeps all the time.
  private func checkLaws<Bank: DenseBank>(_: Bank.Type, _ task: Task) throws {
    for isCurved in [false, true] {
      try checkLearner(
        LearnerSettings(), task: task, isCurved: isCurved,
        other: OtherLearner(
          make: { try Bank(settings: Self.linear, columns: $0) },
          decode: { try Bank(settings: Self.linear, decoding: $0, prefix: $1) }))
    }
  }

  @Test func `keeps the laws of learners with two classes`() throws {
    try checkLaws(BasisBank<WideBank, WideBank>.self, .binary)
    try checkLaws(BasisBank<BinaryBank, WideBank>.self, .binary)
  }

  @Test func `keeps the laws of learners with several classes`() throws {
    try checkLaws(BasisBank<SoftmaxBank, WideSoftmaxBank>.self, .multiclass)
    try checkLaws(BasisBank<WideSoftmaxBank, WideSoftmaxBank>.self, .multiclass)
  }

  @Test func `keeps the laws of learners of numbers`() throws {
    try checkLaws(BasisBank<RegressionBank, RegressionBank>.self, .regression)
  }

  @Test(arguments: [
    (Task.binary, 16, false), (.binary, 17, true), (.binary, 30, true), (.binary, 31, false),
    (.binary, 47, false), (.binary, 48, true), (.binary, 256, true), (.binary, 257, false),
    (.multiclass, 30, true), (.multiclass, 54, false), (.multiclass, 55, true),
    (.multiclass, 130, true), (.regression, 30, true), (.regression, 47, false),
    (.regression, 48, true),
  ])
  func `is what auto is for wide records`(task: Task, columns: Int, isExpected: Bool) throws {
    func name(_ settings: LearnerSettings) throws -> String {
      "\(type(of: try settings.makeLearner(task: task, columnCount: columns)))"
    }
    #expect(try name(LearnerSettings()).hasPrefix("BasisBank") == isExpected)
    #expect(try !name(Self.linear).hasPrefix("BasisBank"))
  }

  @Test func `learns what is curved, and answers so without labels`() throws {
    let stream = SquaresStream(16_000, squaresFrom: 0)
    var (both, plain) = (try twoBanks(), WideBank(columns: SquaresStream.columns))
    let learnt = 0..<12_000
    #expect(stream.loss(&both, learnt) < 0.75 * stream.loss(&plain, learnt))
    let rest = 12_000..<16_000
    let frozen = (
      stream.loss(&both, rest, isFrozen: true), stream.loss(&plain, rest, isFrozen: true)
    )
    #expect(frozen.0 < 0.7 * frozen.1, "\(frozen)")
    // Squares are the sums of two kinks, and no column has an effect of its own.
    let kinks = both.basisTerms(horizon: .never).map { abs($0.coefficient) }
    #expect(kinks.count == 2 * (SquaresStream.columns - 1))
    #expect(kinks.reduce(0, +) > 5)
    let experts = both.experts(horizon: .immediate)
    #expect(abs(experts.reduce(0) { $0 + $1.weight } - 1) < 1e-4)
    let share = experts.filter { $0.name.hasPrefix("over the basis") }.reduce(0) { $0 + $1.weight }
    #expect(share > 0.9)
  }

  @Test func `sleeps where all is linear, and wakes when it is not any more`() throws {
    let stream = SquaresStream(30_000, squaresFrom: 12_000)
    var (both, plain) = (try twoBanks(), WideBank(columns: SquaresStream.columns))
    let linear = (stream.loss(&both, 0..<12_000), stream.loss(&plain, 0..<12_000))
    #expect(linear.0 < 1.002 * linear.1, "\(linear)")
    #expect(both.basisTerms(horizon: .immediate).isEmpty)
    #expect(both.encoded().count < 5 * plain.encoded().count)
    _ = (stream.loss(&both, 12_000..<24_000), stream.loss(&plain, 12_000..<24_000))
    let curved = (stream.loss(&both, 24_000..<30_000), stream.loss(&plain, 24_000..<30_000))
    #expect(curved.0 < 0.7 * curved.1, "\(curved)")
    #expect(!both.basisTerms(horizon: .immediate).isEmpty)
  }

  @Test(arguments: [
    ("basis-records-per-input", [64.0]), ("basis-test-rows", [64, 128]),
    ("basis-evidence", [500, 3_000, 2]),
  ])
  func `is tried when the settings say so`(constant: String, numbers: [Double]) throws {
    let stream = SquaresStream(24_000, squaresFrom: 6_000)
    func losses(_ constants: [String: [Double]]) throws -> [Double] {
      var settings = LearnerSettings()
      settings.bankConstants = constants
      var bank = try settings.makeLearner(task: .binary, columnCount: SquaresStream.columns)
      return (0..<24).map { stream.loss(&bank, $0 * 1_000..<($0 + 1) * 1_000) }
    }
    #expect(try losses([constant: numbers]) != losses([:]))
  }

  @Test func `goes on from its archive, asleep or awake`() throws {
    let stream = SquaresStream(24_000, squaresFrom: 10_000)
    for cut in [1_000, 9_000, 11_000, 21_000] {
      var bank = try twoBanks()
      _ = stream.loss(&bank, 0..<cut)
      var restored = try TwoBanks(
        settings: LearnerSettings(), decoding: TensorArchive(decoding: bank.encoded()),
        prefix: "learner.")
      #expect(restored.basisTerms(horizon: .never) == bank.basisTerms(horizon: .never))
      #expect(bank.basisTerms(horizon: .never).isEmpty == [9_000, 11_000].contains(cut))
      #expect(
        stream.loss(&bank, cut..<24_000) == stream.loss(&restored, cut..<24_000), "cut at \(cut)")
      #expect(bank.encoded() == restored.encoded())
    }
  }

  @Test func `says of numbers what the first bank says when the second one wakes`() throws {
    var uniform = SeededUniform(seed: 3)
    var bank = try BasisBank<RegressionBank, RegressionBank>(
      settings: LearnerSettings(), columns: 21)
    for index in 0..<9_000 {
      let row = (0..<20).map { _ in uniform.normal() } + [1]
      let product = index < 3_000 ? row[0] : 3 * row[0] * row[1]
      let label = 1_000 + Double(product + 0.3 * uniform.normal())
      let frozen = bank.predict(row, columns: 21, width: 3, horizon: .never)
      let said = bank.learn(row, columns: 21, labels: [label], weights: [1], width: 3)
      guard index > 100 else { continue }
      #expect(abs(said[0] - 1_000) < 40 && abs(frozen[0] - 1_000) < 40, "\(index)")
    }
    #expect(!bank.basisTerms(horizon: .never).isEmpty)
  }

  @Test func `merges partitions to nearly what one would have learnt`() throws {
    let stream = SquaresStream(18_000, squaresFrom: 0)
    var (first, second, whole) = (try twoBanks(), try twoBanks(), try twoBanks())
    _ = (stream.loss(&first, 0..<8_000), stream.loss(&second, 8_000..<16_000))
    _ = stream.loss(&whole, 0..<16_000)
    let scaler = StandardScaler(columnCount: SquaresStream.columns - 1, limit: 10)
    var other = scaler
    other.merge(scaler)
    var merged = try TwoBanks.merging(
      [(learner: first, scaler: scaler), (learner: second, scaler: other)], scaler: scaler)
    let tail = 16_000..<18_000
    let losses = (
      merged: stream.loss(&merged, tail), half: stream.loss(&second, tail),
      whole: stream.loss(&whole, tail)
    )
    #expect(losses.merged < losses.half && losses.merged < losses.whole * 1.01, "\(losses)")
  }
}
