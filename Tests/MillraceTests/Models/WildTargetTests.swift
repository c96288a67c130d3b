import Millrace
import Testing

/// Rows of four free columns and the constant; targets that are linear in them with a noise of 1.
private struct Stream {
  static let columns = 5
  static let count = 3_000
  private(set) var rows: [Float] = []
  private(set) var signals: [Double] = []
  var labels: [Double] = []

  init() {
    var uniform = SeededUniform(seed: 31)
    for _ in 0..<Self.count {
      let row = (1..<Self.columns).map { _ in uniform.normal() }
      rows += row + [1]
      signals.append(Double(3 * row[0] - 2 * row[1] + row[2] + 5))
      labels.append(signals[signals.count - 1] + Double(uniform.normal()))
    }
  }

  /// Marks a row's last column.
  mutating func set(_ row: Int, _ value: Float) { rows[row * Self.columns + 3] = value }

  /// Every row's mean before it was learnt.
  func predictions(isWide: Bool) throws -> [Double] {
    var bank = try RegressionBank(
      settings: LearnerSettings(), columns: Self.columns, isWide: isWide)
    let predictions = bank.learn(
      rows, columns: Self.columns, labels: labels,
      weights: Array(repeating: 1, count: labels.count), width: 3)
    #expect(bank.isFinite)
    return stride(from: 0, to: predictions.count, by: 3).map { predictions[$0] }
  }

  /// The error over some rows.
  func rmse(isWide: Bool, _ range: Range<Int>) throws -> Double {
    let predictions = try predictions(isWide: isWide)
    let squares = range.reduce(0) {
      $0 + (predictions[$1] - labels[$1]) * (predictions[$1] - labels[$1])
    }
    return (squares / Double(range.count)).squareRoot()
  }
}

@Suite struct `Wild targets of a bank for numbers` {
  /// The first, the second, an early one, a later one, three in a row, five here and there.
  static let places = [
    [0], [1], [40], [1_500], [1_500, 1_501, 1_502], [9, 80, 600, 1_500, 1_700],
  ]

  @Test(arguments: places, [false, true])
  func `leave what is said of later ones as it is`(places: [Int], isWide: Bool) throws {
    let plain = Stream()
    for size in [5e3, 1e6, 1e12, 1e30, .greatestFiniteMagnitude]
    where size > 1e9 || places.count != 3 {
      var wild = plain
      for (index, row) in places.enumerated() { wild.labels[row] = index % 2 == 0 ? size : -size }
      let start = (places.last ?? 0) + 1
      let (early, later) = (start + 20..<start + 200, start + 200..<Stream.count)
      #expect(
        try wild.rmse(isWide: isWide, early) < 1.1 * plain.rmse(isWide: isWide, early), "\(size)")
      #expect(
        try wild.rmse(isWide: isWide, later) < 1.01 * plain.rmse(isWide: isWide, later), "\(size)")
    }
  }

  @Test(arguments: [1e3, 1e6], [false, true])
  func `are believed when a level jumps for good`(jump: Double, isWide: Bool) throws {
    var stream = Stream()
    for row in 1_500..<Stream.count { stream.labels[row] += jump }
    #expect(try stream.rmse(isWide: isWide, 1_600..<1_800) < 0.05 * jump)
  }

  @Test(arguments: [1e3, 1e6], [false, true])
  func `are believed when the scale jumps for good`(factor: Double, isWide: Bool) throws {
    var stream = Stream()
    for row in 1_500..<Stream.count { stream.labels[row] *= factor }
    // The noise is `factor`, the signals' deviation 3.7 times as much.
    #expect(try stream.rmse(isWide: isWide, 1_900..<Stream.count) < 1.5 * factor)
  }

  @Test(arguments: [0, 1e-6], [false, true])
  func `are believed where targets were nothing or tiny at first`(
    factor: Double, isWide: Bool
  ) throws {
    var stream = Stream()
    let plain = stream
    for row in 0..<100 { stream.labels[row] *= factor }
    let later = 500..<Stream.count
    #expect(try stream.rmse(isWide: isWide, later) < 1.05 * plain.rmse(isWide: isWide, later))
  }

  @Test(arguments: [false, true])
  func `are learnt when they come again and again`(isWide: Bool) throws {
    var stream = Stream()
    for row in 0..<Stream.count {
      let isRare = row % 83 == 82
      stream.set(row, isRare ? 1 : 0)
      stream.labels[row] = stream.signals[row] + (isRare ? 5e3 : 0)
    }
    let predictions = try stream.predictions(isWide: isWide)
    let rare = stride(from: 82, to: Stream.count, by: 83).suffix(10)
    #expect(rare.allSatisfy { abs(predictions[$0] - stream.labels[$0]) < 2_500 })
  }
}
