/// When linear models that share one curvature take Newton's steps: at the end of every block of 1,
/// 2, 4, … 64 records.
struct NewtonBlocks: Sendable {
  /// The curvature up to the unfinished block.
  var curvature: SharedCurvature
  /// Records learnt from.
  private(set) var recordCount: Int
  /// The records of the unfinished block.
  private(set) var block: Range<Int>
  /// (H + λI)⁻¹ times the gradients; kept for its memory.
  private var directions: LaneBuffer

  private static let blockRecords = 64
  private static let lanes = 16

  /// - Parameters:
  ///   - columns: the width of the rows, the constant included.
  ///   - recordCount: records learnt from, up to the end of a block.
  init(columns: Int, recordCount: Int = 0) {
    curvature = SharedCurvature(columns: columns, blockRecords: Self.blockRecords)
    directions = LaneBuffer(count: columns * Self.lanes)
    self.recordCount = recordCount
    block = Self.block(from: recordCount)
  }

  private static func block(from start: Int) -> Range<Int> {
    start..<start + min(blockRecords, start + 1)
  }

  /// Records that the unfinished block still takes.
  var room: Int { block.upperBound - recordCount }

  /// Whether a block's curvature is taken in: at first of every block, then of every fourth.
  private var isCurved: Bool {
    block.lowerBound < 160 * curvature.columns
      || block.lowerBound / Self.blockRecords % 4 == 0
  }

  /// Calls `body` with where √curvature·z of the next records goes; `nil` where it is not taken in.
  mutating func withScaledRows(_ body: (UnsafeMutablePointer<Float>?) -> Void) {
    guard isCurved else { return body(nil) }
    let offset = (recordCount - block.lowerBound) * curvature.columns
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
  mutating func finishBlock(_ gradients: UnsafePointer<Float>) -> UnsafePointer<Float> {
    if isCurved { curvature.take(block.count) }
    curvature.solve(gradients, lanes: Self.lanes, into: &directions)
    block = Self.block(from: recordCount)
    return UnsafePointer(directions.base)
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([recordCount, block.lowerBound], as: prefix + "records")
    let pending = isCurved ? recordCount - block.lowerBound : 0
    curvature.encode(into: &archive, prefix: prefix, pending: pending)
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let records = try archive.integers(prefix + "records", count: 2).map(Int.init)
    guard records[1] >= 0, records[1] < 1 << 60 else {
      throw MillraceError(.store, "tensor '\(prefix)records' is \(records); expected two counts")
    }
    block = Self.block(from: records[1])
    recordCount = records[0]
    guard block.contains(recordCount) else {
      throw MillraceError(
        .store, "tensor '\(prefix)records' is \(records); expected a count within its block")
    }
    try curvature.decode(from: archive, prefix: prefix)
  }
}
