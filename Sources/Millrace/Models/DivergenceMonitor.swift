/// Notices that a linear learner diverges: its loss rises far above that of weights 0.
///
/// By convexity Σ loss(w) − loss(0) ≤ wᵀ∇ over any block, ∇ the block's gradient: a bound that
/// costs one product. It is near 0 where w is good and below 0 while w has yet to grow; a step size
/// that is too large drives it up without end.
struct DivergenceMonitor: Sendable, Equatable {
  /// How often the learner has started again.
  private(set) var restartCount = 0
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
    if diverges { restartCount += 1 }
    if diverges || length >= 512 { (excess, zeroLoss, windowStart) = (0, 0, recordCount) }
    return diverges
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([excess, zeroLoss], as: prefix + "excess")
    archive.set([restartCount, windowStart], as: prefix + "restarts")
  }

  init() {}

  init(decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    let sums = try archive.doubles(prefix + "excess", count: 2)
    (excess, zeroLoss) = (sums[0], sums[1])
    let counts = try archive.integers(prefix + "restarts", count: 2)
    (restartCount, windowStart) = (Int(counts[0]), Int(counts[1]))
  }
}
