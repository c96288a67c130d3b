internal import CMillraceKernels

/// The bank of experts for two classes and wide records, where a covariance for each filter would
/// cost too much: O(d²) a record at the speed of matrix products.
///
/// Nine linear models move by Newton's step once a block, with one curvature for all of them,
/// H ← γᵇH + ZᵀDZ: w ← w + (mass/min(n, mᵢ))·(H + λI)⁻¹Zᵀ(y − p). Each remembers a number of
/// records mᵢ of its own: all of them, or as few as four per column, so that one of them fits how
/// fast the data moves; three allow for labels that are simply wrong. Four models descend the
/// gradient at several rates: while records are fewer than columns, and where classes lie far apart,
/// they are hard to beat. With three running label means they are mixed by how well they predict,
/// and combined by a last layer, as in `BinaryBank`.
///
/// Blocks hold 1, 2, 4, … 16 records, more where a row is wider. A row of weight 0 teaches
/// nothing, but counts as a record that has passed; one counts at most like a hundred.
package struct WideBank: Learner {
  /// The width of the rows, the constant included.
  package let columns: Int
  /// Rows of 16 lanes, one per column: the weights, what they were at the last snapshot, and the
  /// gradients of the unfinished block.
  var weights: LaneBuffer
  var snapshot: LaneBuffer
  var gradients: LaneBuffer
  var head: LaneBuffer
  var newton: NewtonBlocks

  static let lanes = MILLRACE_WIDE_LANES

  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  package init(columns: Int) { self.init(columns: columns, recordCount: 0) }

  init(columns: Int, recordCount: Int) {
    self.columns = columns
    weights = LaneBuffer(count: columns * Self.lanes)
    (snapshot, gradients) = (weights, weights)
    head = LaneBuffer(count: MILLRACE_WIDE_HEAD_ROWS * Self.lanes)
    newton = NewtonBlocks(columns: columns, recordCount: recordCount)
    withKernel { millrace_wide_start(&$0) }
  }

  /// Binary.
  package var task: Task { .binary }

  /// One probability.
  package func outputWidth(classCount: Int) -> Int { 1 }

  /// The probability of the second class for every row. Where no label comes, from weights that
  /// were earned by frozen models.
  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      var bank = millrace_wide_bank(
        columns: columns, weights: weights.base, snapshot: snapshot.base,
        gradients: gradients.base, head: head.base, scaled: nil, rowCount: 0)
      millrace_wide_predict(
        &bank, rows.base, rows.count, rows.stride, horizon == .never ? 1 : 0, predictions.base)
    }
  }

  /// For each row: predicts it, then the mixtures learn its label; the models at the block's end.
  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let count = min(rows.count - start, newton.room)
      withKernel {
        millrace_wide_learn(
          &$0, rows[start], count, rows.stride, labels + start, weights + start,
          predictions.base + start)
      }
      start += count
      if newton.take(count) { finishBlock() }
    }
  }

  private mutating func finishBlock() {
    let recordCount = newton.recordCount
    let length = head.base[MILLRACE_WIDE_TOP * Self.lanes + MILLRACE_WIDE_LENGTH]
    let isSnapshot = newton.endsSnapshot(every: length)
    var step = newton.finishBlock(gradients.base)
    let memories = head.base + MILLRACE_WIDE_MEMORY * Self.lanes
    let mass = Float(newton.curvature.mass)
    let steps = (0..<Self.lanes).map { lane in
      lane < MILLRACE_WIDE_NEWTON ? mass / min(Float(recordCount), memories[lane]) : 0
    }
    withKernel { millrace_wide_step(&$0, &step, steps) }
    if isSnapshot { snapshot = weights }
  }

  /// Calls `body` with the kernel's view of the bank.
  private mutating func withKernel(_ body: (inout millrace_wide_bank) -> Void) {
    let (columns, snapshot) = (columns, snapshot.base)
    let (weights, gradients) = (weights.mutableBase(), gradients.mutableBase())
    let (head, rowCount) = (head.mutableBase(), UInt64(newton.recordCount))
    newton.withScaledRows { scaled in
      var bank = millrace_wide_bank(
        columns: columns, weights: weights, snapshot: snapshot, gradients: gradients, head: head,
        scaled: scaled, rowCount: rowCount)
      body(&bank)
    }
  }

  package var isFinite: Bool {
    [weights, snapshot, head].allSatisfy { $0.elements.allSatisfy(\.isFinite) }
      && newton.curvature.matrix.elements.allSatisfy(\.isFinite)
  }
}

// MARK: - Explaining

extension WideBank {
  /// Each expert's share: over all mixtures, or of the weights that frozen models have earned.
  private func shares(_ horizon: LabelHorizon) -> [Double] {
    (0..<Self.lanes).map { lane in
      func value(_ row: Int, _ lane: Int) -> Double { Double(head.base[row * Self.lanes + lane]) }
      guard horizon == .immediate else { return value(MILLRACE_WIDE_FROZEN, lane) }
      return (0..<4).reduce(0) {
        $0 + value(MILLRACE_WIDE_TOP, $1) * value(MILLRACE_WIDE_MIXTURES + $1, lane)
      }
    }
  }

  package func experts(horizon: LabelHorizon) -> [Expert] {
    zip(0..<Self.lanes, shares(horizon)).map { lane, share in
      Expert(name: name(lane), weight: share)
    }
  }

  private func name(_ lane: Int) -> String {
    func value(_ row: Int) -> Float { head.base[row * Self.lanes + lane] }
    return switch lane {
    case ..<MILLRACE_WIDE_NEWTON:
      Expert.newtonName(memory: value(MILLRACE_WIDE_MEMORY), noise: value(MILLRACE_WIDE_NOISE))
    case ..<MILLRACE_WIDE_LINEAR: "gradient descent, rate \(value(MILLRACE_WIDE_RATE))"
    default: "running mean, memory \(value(MILLRACE_WIDE_MEMORY))"
    }
  }

  /// The weighted mean of the linear models.
  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let shares = shares(horizon).prefix(MILLRACE_WIDE_LINEAR)
    return [
      (0..<columns).map { column in
        zip(shares, 0...).reduce(0) {
          $0 + $1.0 * Double(weights.base[column * Self.lanes + $1.1])
        }
      }
    ]
  }
}

// MARK: - Saving

extension WideBank {
  package func encode(into archive: inout TensorArchive, prefix: String) {
    func set(_ lanes: LaneBuffer, _ name: String) {
      archive.set(
        lanes.elements, shape: [lanes.count / Self.lanes, Self.lanes], as: prefix + name)
    }
    set(weights, "weights")
    set(snapshot, "snapshot")
    set(gradients, "gradients")
    set(head, "head")
    newton.encode(into: &archive, prefix: prefix)
  }

  package init(settings: LearnerSettings, decoding archive: TensorArchive, prefix: String)
    throws(MillraceError)
  {
    self.init(columns: try archive.rows(prefix + "weights", in: 1...NewtonBlocks.columnLimit))
    func lanes(_ name: String, like lanes: LaneBuffer) throws(MillraceError) -> LaneBuffer {
      LaneBuffer(try archive.floats(prefix + name, count: lanes.count))
    }
    weights = try lanes("weights", like: weights)
    snapshot = try lanes("snapshot", like: snapshot)
    gradients = try lanes("gradients", like: gradients)
    head = try lanes("head", like: head)
    try newton.decode(from: archive, prefix: prefix)
  }
}
