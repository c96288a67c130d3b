internal import CMillraceKernels

/// When linear models that share one curvature take Newton's steps: at the end of every block of 1,
/// 2, 4, … records, up to some number.
struct NewtonBlocks: Sendable {
  /// From this width on, the constant included, banks that take such steps are quicker than those
  /// with a covariance for each filter, and predict as well.
  static let leastColumns = 48
  /// The curvature of wider rows than this takes more memory and time than it gains.
  static let columnLimit = 2_049

  /// The curvature up to the unfinished block.
  var curvature: SharedCurvature
  /// Records learnt from.
  private(set) var recordCount: Int
  /// The records of the unfinished block.
  private(set) var block: Range<Int>
  /// (H + λI)⁻¹ times the gradients or the rows, and products with the rows; kept for its memory.
  private var directions: LaneBuffer
  /// The records of a whole block.
  let blockRecords: Int

  private static let lanes = 16

  /// - Parameters:
  ///   - columns: the width of the rows, the constant included.
  ///   - recordCount: records learnt from, up to the end of a block.
  ///   - blockRecords: the records of a whole block. Small blocks learn soonest; where H⁻¹ outgrows
  ///     the cache, large ones read it less.
  ///   - ridgeShare: λ per column.
  init(
    columns: Int, recordCount: Int = 0, blockRecords: Int? = nil, ridgeShare: Float = 0.1
  ) {
    let blockRecords = blockRecords ?? min(64, max(16, columns / 16))
    curvature = SharedCurvature(
      columns: columns, blockRecords: blockRecords, ridgeShare: ridgeShare)
    directions = LaneBuffer(
      count: (columns + blockRecords) * max(Self.lanes, blockRecords))
    self.recordCount = recordCount
    self.blockRecords = blockRecords
    block = Self.block(from: recordCount, upTo: blockRecords)
  }

  private static func block(from start: Int, upTo limit: Int) -> Range<Int> {
    start..<start + min(limit, start + 1)
  }

  /// Whether a snapshot of the models is due at the end of the block: four times between a power of
  /// two and the next, and from four lengths on once in each.
  ///
  /// - Parameter length: in records, whatever was read.
  func endsSnapshot(every length: Float) -> Bool {
    let length = length > 64 ? Int(min(length, 1e9)) : 64
    func number(_ record: Int) -> Int {
      guard record >= 4 else { return record }
      let exponent = Int.bitWidth - 1 - record.leadingZeroBitCount
      return 4 * (exponent - 2) + record >> (exponent - 2)
    }
    guard recordCount > 4 * length else { return number(recordCount) > number(block.lowerBound) }
    return recordCount / length > block.lowerBound / length
  }

  /// The records that the unfinished block has taken.
  var pending: Int { recordCount - block.lowerBound }

  /// Records that the unfinished block still takes.
  var room: Int { block.upperBound - recordCount }

  /// Whether a block's curvature is taken in: at first of every block, then of every fourth.
  private var isCurved: Bool {
    block.lowerBound < 160 * curvature.columns
      || block.lowerBound / blockRecords % 4 == 0
  }

  /// Calls `body` with where √curvature·z of the next records goes.
  mutating func withScaledRows(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    let offset = pending * curvature.columns
    curvature.withScaledRows { body($0 + offset) }
  }

  /// Counts records; whether the block is complete.
  mutating func take(_ count: Int) -> Bool {
    recordCount += count
    return recordCount == block.upperBound
  }

  /// Takes in the complete block's curvature, and begins the next block.
  ///
  /// - Parameter gradients: of 16 models, rows of 16.
  /// - Returns: (H + λI)⁻¹ times these, for reading until the next call.
  mutating func finishBlock(_ gradients: UnsafePointer<Float>) -> millrace_newton_step {
    let base = directions.mutableBase()
    let count = block.count
    let products = base + curvature.columns * Self.lanes
    if isCurved { curvature.take(count, isFresh: false, room: base) }
    curvature.solve(gradients, lanes: Self.lanes, into: base)
    curvature.multiplyScaledRows(count, by: base, lanes: Self.lanes, into: products)
    block = Self.block(from: recordCount, upTo: blockRecords)
    return millrace_newton_step(directions: base, products: products, count: count)
  }

  /// The same for a block that may be incomplete, whose models share the rows but not the gradients.
  ///
  /// - Parameters:
  ///   - rows: those of the block.
  ///   - roots: √curvature of each.
  /// - Returns: (H + λI)⁻¹z for each, for reading until the next call.
  mutating func finishBlock(
    rows: UnsafePointer<Float>, roots: UnsafePointer<Float>
  ) -> UnsafePointer<Float> {
    let base = directions.mutableBase()
    if isCurved {
      let (columns, pending) = (curvature.columns, pending)
      curvature.withScaledRows { scaled in
        for i in 0..<pending {
          for j in 0..<columns { scaled[i * columns + j] = roots[i] * rows[i * columns + j] }
        }
      }
      curvature.take(pending, isFresh: true, room: base)
    }
    curvature.solve(rows: rows, count: pending, into: base)
    block = Self.block(from: recordCount, upTo: blockRecords)
    return UnsafePointer(base)
  }

  /// - Parameter hasScaledRows: whether rows are scaled as they come, or at the block's end.
  func encode(into archive: inout TensorArchive, prefix: String, hasScaledRows: Bool = true) {
    archive.set([recordCount, block.lowerBound], as: prefix + "records")
    curvature.encode(
      into: &archive, prefix: prefix, pending: hasScaledRows ? pending : 0)
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let records = try archive.integers(prefix + "records", count: 2).map(Int.init)
    guard records[1] >= 0, records[1] < 1 << 60 else {
      throw MillraceError(.store, "tensor '\(prefix)records' is \(records); expected two counts")
    }
    block = Self.block(from: records[1], upTo: blockRecords)
    recordCount = records[0]
    guard block.contains(recordCount) else {
      throw MillraceError(
        .store, "tensor '\(prefix)records' is \(records); expected a count within its block")
    }
    try curvature.decode(from: archive, prefix: prefix)
  }
}
