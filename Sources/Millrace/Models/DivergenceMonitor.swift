/// How a learner's steps were too long, and what was made of it.
public struct Divergence: Equatable, Encodable, Sendable {
  /// How often the learner forgot what it had learnt and started again with shorter steps.
  public var restarts = 0
  /// What the learning rate has been multiplied by.
  public var learningRateFactor = 1.0
  /// The records it had learnt when it last started again.
  public var atRow = 0
  /// Whether the records since then show that the steps are still too long.
  var goesOn = false

  /// Takes in what happened in another partition: the worst of both.
  mutating func merge(_ other: Divergence) {
    restarts += other.restarts
    learningRateFactor = min(learningRateFactor, other.learningRateFactor)
    atRow = max(atRow, other.atRow)
    goesOn = goesOn || other.goesOn
  }

  private enum CodingKeys: CodingKey { case restarts, learningRateFactor, atRow }
}

/// Notices that a linear learner diverges: its loss rises far above that of weights 0.
///
/// By convexity Σ loss(w) − loss(0) ≤ wᵀ∇ over any block, ∇ the block's gradient: a bound that
/// costs one product. It is near 0 where w is good and below 0 while w has yet to grow; a step size
/// that is too large drives it up without end.
struct DivergenceMonitor: Sendable, Equatable {
  /// How often the learner has started again.
  private(set) var restartCount = 0
  /// The records learnt at the last start.
  private var restartedAt = 0
  /// Σ loss(0) of the records since the window's start.
  var zeroLoss = 0.0
  /// Σ wᵀ∇ of the blocks since the window's start.
  private var excess = 0.0
  /// The record at which the window started.
  private var windowStart = 0

  /// A window of so many records counts as divergence when the bound is so many times Σ loss(0):
  /// soon where there is no doubt, later where a sudden drift would look the same.
  private static let limits = [(records: 32, factor: 30.0), (records: 512, factor: 3.0)]

  /// What the learning rate is multiplied by: a half for each restart.
  var rateFactor: Double { power(0.5, restartCount) }

  /// Takes in a block.
  ///
  /// - Parameters:
  ///   - excess: wᵀ∇ of the block, summed over the outputs.
  ///   - recordCount: records learnt so far.
  ///   - isFinite: whether the weights still are.
  /// - Returns: whether the learner must start again.
  mutating func finishBlock(excess added: Double, recordCount: Int, isFinite: Bool) -> Bool {
    excess += added
    let length = recordCount - windowStart
    let diverges =
      !isFinite || !excess.isFinite
      || Self.limits.contains { length >= $0.records && excess > $0.factor * zeroLoss }
    if diverges { (restartCount, restartedAt) = (restartCount + 1, recordCount) }
    if diverges || length >= 512 { (excess, zeroLoss, windowStart) = (0, 0, recordCount) }
    return diverges
  }

  /// What has happened, for those who look.
  var summary: Divergence {
    // Of few records: beyond any doubt, or after it has happened before.
    let limit = Self.limits[restartCount > 0 ? 1 : 0].factor
    return Divergence(
      restarts: restartCount, learningRateFactor: rateFactor, atRow: restartedAt,
      goesOn: excess > limit * zeroLoss)
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([excess, zeroLoss], as: prefix + "excess")
    archive.set([restartCount, windowStart, restartedAt], as: prefix + "restarts")
  }

  init() {}

  init(decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    let sums = try archive.doubles(prefix + "excess", count: 2)
    (excess, zeroLoss) = (sums[0], sums[1])
    let counts = try archive.integers(prefix + "restarts", count: 3)
    (restartCount, windowStart) = (Int(counts[0]), Int(counts[1]))
    restartedAt = Int(counts[2])
  }
}
