internal import CMillraceKernels

/// When the second bank of a `BasisBank` works.
///
/// While it sleeps, the first bank's residuals are tested for what they have in common with functions
/// of the columns (Rao's score test): where that is significant, and more than what they have in
/// common with the columns themselves, which tells of drift, it wakes. It begins anew, works until
/// it has seen some records for each of its inputs, then while its weight is not negligible; waking
/// for nothing makes the next sleep twice as long.
struct BasisTrial: Sendable {
  /// What happens to the bank.
  enum Change { case wake, sleep }

  /// The running mean of its weight, block by block.
  private var averageWeight = 1.0
  /// The row up to which it works at least, and the one before which it is not woken.
  private var end = 0
  private var earliest = 0
  /// Rows from falling asleep to waking, at least.
  private var pause: Int
  /// How many tests came to their end, and the rows of the one in work.
  private(set) var testNumber = 0
  private var testedRows = 0
  /// Sums over these: of residuals times functions, and of the squares of that.
  private var scores: LaneBuffer
  private var squares: LaneBuffer
  /// The rows of the block in work, and their residuals.
  private var rows: LaneBuffer
  private var residuals: LaneBuffer
  /// What can be set by hand before anything is learnt.
  var constants = Constants() {
    didSet {
      pause = leastRows
      if end > 0 { work(from: 0) }
    }
  }

  struct Constants: Sendable {
    /// Below this weight the bank falls asleep.
    var leastWeight = 0.05
    /// For so many records an input it works at least, and sleeps.
    var recordsPerInput = 16.0
    /// The rows of the first test and of the longest; each has twice as many as the one before.
    var testRows = [256.0, 4_096]
    /// The bank wakes when many functions together have so many deviations in common with the
    /// residuals, or one alone such a statistic, and so many times as much as the columns.
    var evidence = [5.0, 32, 2]
  }

  private let columns: Int
  private let basis: BankBasis

  static let blockRows = 64
  /// Of a long test every so many rows are looked at.
  private static let lookRows = 1_024
  /// Blocks of which all are tested; later one in four.
  private static let testedBlocks = 128

  /// - Parameter columns: the width of the rows, the constant included.
  init(columns: Int, basis: BankBasis) {
    self.columns = columns
    self.basis = basis
    let width = basis.width(columns: columns)
    pause = Int(constants.recordsPerInput * Double(width))
    scores = LaneBuffer(count: width)
    squares = scores
    rows = LaneBuffer(count: Self.blockRows * columns)
    residuals = LaneBuffer(count: Self.blockRows)
  }

  private var leastRows: Int { Int(constants.recordsPerInput * Double(scores.count)) }

  /// Whether a row is tested while the bank sleeps.
  func watches(_ row: Int) -> Bool {
    let block = row / Self.blockRows
    return block < Self.testedBlocks || block % 4 == 0
  }

  /// Takes in a row, and what the first bank leaves of its label.
  mutating func watch(_ row: UnsafePointer<Float>, residual: Float, at index: Int) {
    let place = index % Self.blockRows
    (rows.mutableBase() + place * columns).update(from: row, count: columns)
    residuals.mutableBase()[place] = residual
  }

  /// - Parameters:
  ///   - rowCount: rows so far, whole blocks.
  ///   - weight: the bank's; `nil` while it sleeps.
  mutating func finishBlock(_ rowCount: Int, weight: Double?) -> Change? {
    if let weight {
      averageWeight += (weight - averageWeight) / 16
      guard rowCount >= end else { return nil }
      if averageWeight >= 0.5 { pause = leastRows }
      guard averageWeight < constants.leastWeight else { return nil }
      earliest = rowCount + pause
      pause = min(2 * pause, 1 << 40)
      return .sleep
    }
    guard watches(rowCount - 1) else { return nil }
    addScores()
    testedRows += Self.blockRows
    let length = constants.testRows[0] * Double(1 << min(testNumber, 16))
    let isLast = Double(testedRows) >= min(length, constants.testRows[1])
    guard isLast || testedRows % Self.lookRows == 0 else { return nil }
    let wakes = rowCount >= earliest && isCurved
    guard isLast || wakes else { return nil }
    testNumber += 1
    testedRows = 0
    scores = LaneBuffer(count: scores.count)
    squares = scores
    return wakes ? .wake : nil
  }

  /// Lets the bank work for as long as it needs to prove itself: half as long where the first bank
  /// has learnt nothing before.
  mutating func work(from rowCount: Int) {
    averageWeight = 0.5
    end = rowCount + (rowCount == 0 ? leastRows / 2 : leastRows)
  }

  /// The block's residuals around their mean: what they have in common with a constant tells nothing.
  private mutating func addScores() {
    let (own, count) = (residuals.mutableBase(), Self.blockRows)
    // Those of weight 0 have none.
    let counted = (0..<count).filter { own[$0] != 0 }
    let mean = counted.reduce(Float(0)) { $0 + own[$1] } / Float(max(counted.count, 1))
    for row in counted { own[row] -= mean }
    let (scores, squares) = (scores.mutableBase(), squares.mutableBase())
    let block = Rows(base: rows.base, count: count, columns: columns, stride: columns)
    basis.withExpanded(block) { functions in
      millrace_bank_score(
        functions.base, count, functions.columns, functions.stride, own, scores, squares)
    }
  }

  /// Whether residuals tell of functions: of many together, or of one alone.
  private var isCurved: Bool {
    let d = columns - 1
    let functions = max(evidence(d..<3 * d), evidence(3 * d..<scores.count - 1))
    return functions > 1 && functions > constants.evidence[2] * evidence(0..<d)
  }

  private func evidence(_ functions: Range<Int>) -> Double {
    guard !functions.isEmpty else { return 0 }
    var (total, greatest) = (0.0, 0.0)
    for index in functions where squares.base[index] > 0 {
      // One of the chi-squared distribution where there is nothing.
      let score = Double(scores.base[index])
      let statistic = score * score / Double(squares.base[index])
      total += statistic
      greatest = max(greatest, statistic)
    }
    let count = Double(functions.count)
    return max(
      (total - count) / (constants.evidence[0] * count.squareRoot()),
      greatest / constants.evidence[1])
  }
}

// MARK: - Saving

extension BasisTrial {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([end, earliest, pause, testNumber, testedRows], as: prefix + "schedule")
    archive.set([averageWeight], as: prefix + "weight")
    archive.set(scores.elements, as: prefix + "scores")
    archive.set(squares.elements, as: prefix + "squares")
    archive.set(rows.elements, as: prefix + "rows")
    archive.set(residuals.elements, as: prefix + "residuals")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let schedule = try archive.integers(prefix + "schedule", count: 5)
    guard schedule.allSatisfy((0...TensorArchive.greatestCount).contains),
      schedule[4] % Int64(Self.blockRows) == 0
    else {
      throw MillraceError(.store, "tensor '\(prefix)schedule' is \(schedule); expected counts")
    }
    (end, earliest, pause) = (Int(schedule[0]), Int(schedule[1]), Int(schedule[2]))
    (testNumber, testedRows) = (Int(schedule[3]), Int(schedule[4]))
    averageWeight = try archive.shares(prefix + "weight", count: 1)[0]
    func lanes(_ name: String, like lanes: LaneBuffer) throws(MillraceError) -> LaneBuffer {
      let floats = try archive.floats(prefix + name, count: lanes.count)
      guard floats.allSatisfy(\.isFinite) else {
        throw MillraceError(.store, "tensor '\(prefix)\(name)' has a number that is not finite")
      }
      return LaneBuffer(floats)
    }
    scores = try lanes("scores", like: scores)
    squares = try lanes("squares", like: squares)
    rows = try lanes("rows", like: rows)
    residuals = try lanes("residuals", like: residuals)
  }
}

extension TensorArchive {
  /// Numbers from 0 to 1.
  func shares(_ name: String, count: Int) throws(MillraceError) -> [Double] {
    let shares = try doubles(name, count: count)
    guard shares.allSatisfy((0...1).contains) else {
      throw MillraceError(.store, "tensor '\(name)' is \(shares); expected numbers from 0 to 1")
    }
    return shares
  }
}
