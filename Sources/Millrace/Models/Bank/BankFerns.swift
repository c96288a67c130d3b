internal import CMillraceKernels

/// Random ferns over a bank's columns (Özuysal et al. 2010): what each compares with what. Only the
/// columns' order is stored with a bank, the rest follows from the seed: to draw otherwise is another
/// format of stored versions.
package struct BankFerns: Sendable {
  /// For 16 ferns each, the number of tests.
  private let testCounts: AlignedBuffer<Int32>
  /// For each test of 16 ferns, a row of thresholds.
  private let thresholds: LaneBuffer
  /// For each of these rows, the place in the order of the first fern's column, the others' following;
  /// and by how much the number of the cell grows above the threshold.
  private let starts: AlignedBuffer<Int32>
  private let steps: AlignedBuffer<Int32>
  /// The columns, all but the constant.
  private(set) var order: [Int32] {
    didSet { circle = Self.circle(order) }
  }
  /// The order as the kernel reads it.
  private var circle: AlignedBuffer<Int32>

  /// How many there are, and the cells of all their tables.
  package static let count = 64
  package static let cellCount = count * Int(MILLRACE_FERN_CELLS)
  private static let experts = expertNames.count
  private static let mostTests = 16

  /// The first sixteen ferns look at one column each, the others at any; with thresholds as
  /// standardised columns are spread, as many as a table has cells for: n of one column tell n + 1
  /// intervals.
  package init(columns: Int, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var (testCounts, starts, steps) = ([Int32](), [Int32](), [Int32]())
    for group in 0..<Self.count / 16 {
      var intervals: [(column: Int64, count: Int)] = []
      for _ in 0..<Self.mostTests {
        let column = group == 0 ? 0 : random.integer(below: UInt64(columns))
        let known = intervals.firstIndex { $0.column == column }
        var next = intervals
        if let known { next[known].count += 1 } else { next.append((column, 2)) }
        if next.reduce(1, { $0 * $1.count }) <= Int(MILLRACE_FERN_CELLS) { intervals = next }
      }
      testCounts.append(Int32(intervals.reduce(0) { $0 + $1.count - 1 }))
      var step = 1
      for (column, count) in intervals {
        starts += Array(repeating: Int32(column), count: count - 1)
        steps += Array(repeating: Int32(step), count: count - 1)
        step *= count
      }
    }
    self.testCounts = AlignedBuffer(testCounts)
    self.starts = AlignedBuffer(starts)
    self.steps = AlignedBuffer(steps)
    thresholds = LaneBuffer((0..<16 * starts.count).map { _ in Float(random.normals().0) })
    order = Array(0..<Int32(columns))
    circle = Self.circle(order)
  }

  /// What one fern compares: in each test a column with a threshold, and by how much the number of the
  /// cell grows above it.
  package func tests(ofFern fern: Int) -> [(column: Int, threshold: Float, step: Int)] {
    let group = fern / 16
    let first = (0..<group).reduce(0) { $0 + Int(testCounts.base[$1]) }
    return (first..<first + Int(testCounts.base[group])).map { row in
      let column = circle.base[Int(starts.base[row]) + fern % 16]
      return (Int(column), thresholds.base[16 * row + fern % 16], Int(steps.base[row]))
    }
  }

  /// Compares columns in the order of their names, so that in any order they have the same ferns.
  mutating func nameColumns(_ names: [String]) {
    order = names.indices.sorted { names[$0] < names[$1] }.map(Int32.init)
  }

  /// Compares columns in an order that was read.
  ///
  /// - Throws: `store` when it does not have each of the columns once.
  mutating func setOrder(_ order: [Int64]) throws(MillraceError) {
    guard order.sorted() == order.indices.map(Int64.init) else {
      throw MillraceError(
        .store, "ferns compare columns \(order); expected each of 0..<\(order.count) once")
    }
    self.order = order.map(Int32.init)
  }

  private static func circle(_ order: [Int32]) -> AlignedBuffer<Int32> {
    AlignedBuffer((0..<order.count + 15).map { order[$0 % order.count] })
  }

  /// What the kernel is told.
  var kernelFerns: millrace_ferns {
    millrace_ferns(
      count: Self.count, testCounts: testCounts.base, thresholds: thresholds.base,
      starts: starts.base, steps: steps.base, order: circle.base)
  }
}

// MARK: - Their state

extension BankFerns {
  /// The names of the experts that a bank of two classes or of numbers makes of its ferns.
  static let expertNames = ["ferns", nameAboveFilter]
  static let nameAboveFilter = "ferns above a wide filter"

  /// The filter of the wide group that an expert of it is or, of ferns, stands on; `nil` for ferns by
  /// themselves.
  static func filter(ofExpert expert: Int, filters: Int) -> Int? {
    expert < filters ? expert : expert == filters ? nil : Int(MILLRACE_FERN_FILTER)
  }

  /// The place of one expert's weight in a cell of such a bank, that of its variance being
  /// `experts` further.
  private static func place(_ expert: Int, cell: Int) -> Int { 2 * experts * (1 + cell) + expert }

  /// Puts the product of the parts' Gaussians into each cell.
  static func merge(_ parts: [LaneBuffer], into buffer: inout LaneBuffer) {
    guard buffer.count > 0 else { return }
    let base = buffer.mutableBase()
    for expert in 0..<experts {
      let prior = base[experts + expert]
      for cell in 0..<cellCount {
        let (weight, variance) = (place(expert, cell: cell), place(expert, cell: cell) + experts)
        let product = CellProduct(prior: prior, variances: parts.map { $0.base[variance] })
        base[variance] = product.variance
        base[weight] = product.weight(parts.map { $0.base[weight] })
      }
    }
  }

  /// Reads the weights of a bank of numbers in another unit of the target, from another origin. Each
  /// record has a cell in every fern, which take equal shares of the shift as far as they are known: what
  /// they began with is 0 in any unit. Above a filter the shift is the filter's.
  static func express(_ buffer: inout LaneBuffer, factor: Float, shift: Float) {
    guard buffer.count > 0 else { return }
    let base = buffer.mutableBase()
    let prior = base[experts]
    for cell in 0..<cellCount {
      let known = 1 - base[place(0, cell: cell) + experts] / prior
      base[place(0, cell: cell)] *= factor
      base[place(0, cell: cell)] += known * shift / Float(count)
      base[place(1, cell: cell)] *= factor
    }
  }

  /// Replaces the variances of all weights.
  static func setVariances(_ variances: [Double], in buffer: inout LaneBuffer) {
    let base = buffer.mutableBase()
    for (expert, variance) in variances.enumerated() {
      for cell in 0..<cellCount { base[place(expert, cell: cell) + experts] = Float(variance) }
    }
  }
}

/// The product of Gaussians of one weight which began with the same variance: 1/v = Σ(1/vᵢ), with
/// the beginning counted once, and w/v = Σ(wᵢ/vᵢ).
struct CellProduct {
  private let precisions: [Double]
  private let precision: Double

  init(prior: Float, variances: [Float]) {
    precisions = variances.map { 1 / Double($0) }
    precision = precisions.reduce(0, +) - Double(variances.count - 1) / Double(prior)
  }

  var variance: Float { Float(1 / precision) }

  func weight(_ weights: [Float]) -> Float {
    Float(zip(weights, precisions).reduce(0) { $0 + Double($1.0) * $1.1 } / precision)
  }
}
