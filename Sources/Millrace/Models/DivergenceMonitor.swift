/// Notices that a linear learner diverges: its loss rises above what weights of 0 would have.
///
/// By convexity Σ loss(w) − loss(0) ≤ wᵀ∇ over any block. That bound costs one product a block. It
/// is near 0 where w is good and below 0 while w still grows; a step size that is too large drives
/// it up without end.
struct DivergenceMonitor: Sendable, Equatable {
  /// How often the learner has started again.
  private(set) var restartCount = 0
  /// The sum of the bounds since the window's start.
  private(set) var excess = 0.0
  /// The record at which the window started.
  private(set) var windowStart = 0

  /// Records per window.
  static let windowLength = 512
  /// The mean excess of a window that counts as divergence; a loss at weights 0 is about 0.5 to 1.
  static let limit = 2.0
  /// What a restart makes of the learning rate.
  static let rateFactor = 0.25

  /// Takes in a block.
  ///
  /// - Parameters:
  ///   - excess: wᵀ∇ of the block, summed over the outputs.
  ///   - recordCount: records learnt so far.
  ///   - isFinite: whether the weights still are.
  /// - Returns: whether the learner must start again.
  mutating func observe(excess added: Double, recordCount: Int, isFinite: Bool) -> Bool {
    excess += added
    let length = recordCount - windowStart
    let diverges = length >= Self.windowLength && !(excess <= Self.limit * Double(length))
    guard isFinite, added.isFinite, !diverges else {
      restartCount += 1
      (excess, windowStart) = (0, recordCount)
      return true
    }
    if length >= Self.windowLength { (excess, windowStart) = (0, recordCount) }
    return false
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(excess, as: prefix + "excess")
    archive.set([restartCount, windowStart], as: prefix + "restarts")
  }

  init() {}

  init(decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    excess = try archive.double(prefix + "excess")
    let counts = try archive.integers(prefix + "restarts", count: 2)
    (restartCount, windowStart) = (Int(counts[0]), Int(counts[1]))
  }
}
