internal import CMillraceKernels

/// The bank of experts for several classes and wide records, where a covariance for each filter
/// would cost too much: O(d² + Kd) a record.
///
/// As in `WideBank`, nine linear models with memories of their own, three of which allow for labels
/// that are simply wrong, take Newton's steps with one curvature for all of them and for all
/// classes: the mean over the classes, c = (1 − Σp²)/(K − 1), makes H ← γᵇH + Σczzᵀ, and
/// wₖ ← wₖ + (mass/min(n, mᵢ))·aₖ·(H + λI)⁻¹Σ([y = k] − pₖ)z, where aₖ lets a class move further
/// that has seen less than the others. Four models descend the gradient at several rates, three
/// experts know how frequent the classes are. They are mixed by how well they predict (fixed share:
/// Herbster & Warmuth 1998), and combined by a last layer as in `SoftmaxBank`; no probability falls
/// below a small share of the uniform one.
///
/// Blocks hold 1, 2, 4, 8 records, more where a row is wider; a class that comes for the first time
/// ends its block and is an output from then on. A row of weight 0 teaches nothing, but
/// counts as a record that has passed; one counts at most like a hundred.
package struct WideSoftmaxBank: Learner {
  /// The width of the rows, the constant included.
  package let columns: Int
  /// For each output rows of 16 lanes: counts, curvature, weights; and what they were at the last
  /// snapshot.
  var outputs = LaneBuffer(count: 0)
  var snapshot = LaneBuffer(count: 0)
  /// Mixtures and the last layer: rows of 16.
  var head: LaneBuffer
  var newton: NewtonBlocks
  var classes = SeenClasses()
  /// Of the unfinished block: its rows, what each pulls every lane of every output by, √curvature.
  private var rows: LaneBuffer
  private var pulls = LaneBuffer(count: 0)
  private var roots: LaneBuffer

  /// From this width on, the constant included, a covariance for each filter of `SoftmaxBank` would
  /// cost too much.
  static let leastColumns = 130
  static let lanes = 16
  /// Rows that are predicted between two looks at the answers.
  private static let chunkRows = 32

  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  package init(columns: Int) { self.init(columns: columns, recordCount: 0) }

  init(columns: Int, recordCount: Int) {
    self.columns = columns
    let blockRecords = max(8, columns / 64)
    newton = NewtonBlocks(
      columns: columns, recordCount: recordCount, blockRecords: blockRecords, ridgeShare: 0.25)
    head = LaneBuffer(count: MILLRACE_WIDE_SOFTMAX_HEAD_ROWS * Self.lanes)
    rows = LaneBuffer(count: blockRecords * columns)
    roots = LaneBuffer(count: blockRecords)
    withKernel { millrace_wide_softmax_start(&$0) }
  }

  /// Multiclass.
  package var task: Task { .multiclass }

  /// A probability per class.
  package func outputWidth(classCount: Int) -> Int { classCount }

  var outputCount: Int { classes.indices.count }
  /// Floats of one output's rows.
  var outputSize: Int { millrace_wide_softmax_class_size(columns) }

  /// A probability of every class for every row. Where no label comes, from weights that were
  /// earned by frozen models.
  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      var bank = millrace_wide_softmax(
        columns: columns, classCount: outputCount, classes: outputs.base, snapshot: snapshot.base,
        head: head.base, rows: nil, pulls: nil, roots: nil, rowCount: 0, pending: 0)
      withScratch(rowCount: rows.count) { scratch in
        for start in stride(from: 0, to: rows.count, by: Self.chunkRows) {
          let count = min(Self.chunkRows, rows.count - start)
          millrace_wide_softmax_predict(
            &bank, scratch.room, rows[start], count, rows.stride, horizon == .never,
            scratch.probabilities)
          for row in 0..<count {
            classes.write(
              scratch.probabilities + row * outputCount, to: predictions[start + row],
              width: predictions.width)
          }
        }
      }
    }
  }

  /// For each row: predicts it, then mixtures and frequencies learn its label; the models at the
  /// block's end.
  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let limit = min(Self.chunkRows, newton.room, rows.count - start)
      let count = classes.knownCount(labels + start, weights + start, limit: limit)
      if count > 0 {
        learnKnown(
          rows.slice(from: start, count: count), labels + start, weights + start,
          predictions.slice(from: start, count: count))
      } else {
        // A new class is predicted as one not yet seen, then learnt as an output.
        let row = rows.slice(from: start, count: 1)
        predict(row, horizon: .immediate, into: predictions.slice(from: start, count: 1))
        if newton.pending > 0 { finishBlock() }
        addOutput(labels[start])
        learnKnown(row, labels + start, weights + start, nil)
      }
      start += max(count, 1)
    }
  }

  /// Learns rows of one block and of classes that have an output.
  ///
  /// - Parameter predictions: `nil` where they were made before.
  private mutating func learnKnown(
    _ rows: Rows, _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>,
    _ predictions: PredictionRows?
  ) {
    var bank = kernelBank()
    withScratch(rowCount: rows.count) { scratch in
      for row in 0..<rows.count {
        scratch.labels[row] = Int32(classes.output(of: labels[row]) ?? 0)
      }
      millrace_wide_softmax_learn(
        &bank, scratch.room, rows.base, rows.count, rows.stride, scratch.labels, weights,
        scratch.probabilities)
      guard let predictions else { return }
      for row in 0..<rows.count {
        classes.write(
          scratch.probabilities + row * outputCount, to: predictions[row],
          width: predictions.width)
        if weights[row] > 0 { classes.run += 1 }
      }
    }
    if newton.take(rows.count) { finishBlock() }
  }

  private mutating func finishBlock() {
    let length = head.base[MILLRACE_WIDE_SOFTMAX_TOP * Self.lanes + MILLRACE_WIDE_LENGTH]
    let isSnapshot = newton.endsSnapshot(every: length)
    var bank = kernelBank()
    let directions = newton.finishBlock(rows: rows.base, roots: roots.base)
    let curvature = newton.curvature
    millrace_wide_softmax_step(
      &bank, directions, Float(curvature.mass), Float(curvature.memory), curvature.ridge)
    if isSnapshot { snapshot = outputs }
  }

  /// Gives a label's class an output, of which nothing is learnt yet. No block is unfinished.
  mutating func addOutput(_ label: Double) {
    classes.add(label)
    outputs = outputs.grown(to: outputCount * outputSize)
    snapshot = snapshot.grown(to: outputCount * outputSize)
    pulls = LaneBuffer(count: newton.blockRecords * outputCount * Self.lanes)
  }

  // MARK: The kernel

  private mutating func withKernel(_ body: (inout millrace_wide_softmax) -> Void) {
    var bank = kernelBank()
    body(&bank)
  }

  private mutating func kernelBank() -> millrace_wide_softmax {
    millrace_wide_softmax(
      columns: columns, classCount: outputCount, classes: outputs.mutableBase(),
      snapshot: snapshot.base, head: head.mutableBase(), rows: rows.mutableBase(),
      pulls: pulls.mutableBase(), roots: roots.mutableBase(),
      rowCount: UInt64(newton.recordCount), pending: newton.pending)
  }

  private func withScratch(rowCount: Int, _ body: (ClassScratch) -> Void) {
    ClassScratch.with(
      room: millrace_wide_softmax_room_size(outputCount), rows: min(Self.chunkRows, rowCount),
      outputs: outputCount, body)
  }

  package var isFinite: Bool {
    [outputs, snapshot, head].allSatisfy { $0.elements.allSatisfy(\.isFinite) }
      && newton.curvature.matrix.elements.allSatisfy(\.isFinite)
  }
}

// MARK: - Explaining

extension WideSoftmaxBank {
  /// Each expert's share: over all mixtures, or of the weights that frozen experts have earned.
  private func shares(_ horizon: LabelHorizon) -> [Double] {
    func value(_ row: Int, _ lane: Int) -> Double { Double(head.base[row * Self.lanes + lane]) }
    return (0..<Self.lanes).map { lane in
      guard horizon == .immediate else { return value(MILLRACE_WIDE_SOFTMAX_FROZEN, lane) }
      return (0..<4).reduce(0) {
        $0 + value(MILLRACE_WIDE_SOFTMAX_TOP, $1)
          * value(MILLRACE_WIDE_SOFTMAX_MIXTURES + $1, lane)
      }
    }
  }

  private func name(_ lane: Int) -> String {
    func value(_ row: Int) -> Float { head.base[row * Self.lanes + lane] }
    switch lane {
    case ..<MILLRACE_WIDE_SOFTMAX_NEWTON:
      return Expert.newtonName(
        memory: value(MILLRACE_WIDE_SOFTMAX_MEMORY), noise: value(MILLRACE_WIDE_SOFTMAX_NOISE))
    case ..<MILLRACE_WIDE_SOFTMAX_LINEAR:
      return "gradient descent, rate \(value(MILLRACE_WIDE_SOFTMAX_RATE))"
    default: return "frequencies, memory \(value(MILLRACE_WIDE_SOFTMAX_KEPT))"
    }
  }

  package func experts(horizon: LabelHorizon) -> [Expert] {
    zip(0..<Self.lanes, shares(horizon)).map { Expert(name: name($0), weight: $1) }
  }

  /// The weighted mean of the linear models, per class.
  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let shares = shares(horizon).prefix(MILLRACE_WIDE_SOFTMAX_LINEAR)
    let unseen = [Double](repeating: 0, count: columns)
    var result = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (output, index) in classes.indices.enumerated() {
      for (lane, share) in shares.enumerated() {
        let weights = weights(outputs, output: output, lane: lane)
        for column in 0..<columns { result[index][column] += share * weights[column] }
      }
    }
    return result
  }

  func weights(_ outputs: LaneBuffer, output: Int, lane: Int) -> [Double] {
    let rows = outputs.base + output * outputSize + MILLRACE_WIDE_SOFTMAX_WEIGHTS * Self.lanes
    return (0..<columns).map { Double(rows[$0 * Self.lanes + lane]) }
  }
}

// MARK: - Saving

extension WideSoftmaxBank {
  package func encode(into archive: inout TensorArchive, prefix: String) {
    func set(_ buffer: LaneBuffer, _ shape: [Int], _ name: String) {
      archive.set(
        Array(buffer.elements.prefix(shape.reduce(1, *))), shape: shape, as: prefix + name)
    }
    archive.set(columns, as: prefix + "columns")
    classes.encode(into: &archive, prefix: prefix)
    let outputShape = [outputCount, outputSize / Self.lanes, Self.lanes]
    set(outputs, outputShape, "outputs")
    set(snapshot, outputShape, "snapshot")
    set(head, [MILLRACE_WIDE_SOFTMAX_HEAD_ROWS, Self.lanes], "head")
    set(rows, [newton.pending, columns], "blockRows")
    set(pulls, [newton.pending, outputCount, Self.lanes], "blockPulls")
    set(roots, [newton.pending], "blockRoots")
    newton.encode(into: &archive, prefix: prefix, hasScaledRows: false)
  }

  package init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let limit = Int64(NewtonBlocks.columnLimit)
    self.init(columns: Int(try archive.integer(prefix + "columns", in: 1...limit)))
    classes = try SeenClasses(decoding: archive, prefix: prefix)
    try newton.decode(from: archive, prefix: prefix)
    func buffer(_ name: String, count: Int, room: Int? = nil) throws(MillraceError) -> LaneBuffer {
      LaneBuffer(try archive.floats(prefix + name, count: count)).grown(to: room ?? count)
    }
    outputs = try buffer("outputs", count: outputCount * outputSize)
    snapshot = try buffer("snapshot", count: outputCount * outputSize)
    head = try buffer("head", count: head.count)
    let (pending, blockRecords) = (newton.pending, newton.blockRecords)
    rows = try buffer("blockRows", count: pending * columns, room: rows.count)
    roots = try buffer("blockRoots", count: pending, room: roots.count)
    let rowPulls = outputCount * Self.lanes
    pulls = try buffer("blockPulls", count: pending * rowPulls, room: blockRecords * rowPulls)
  }
}
