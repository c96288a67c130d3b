internal import CMillraceKernels

/// The bank of experts for several classes, `auto`: no learning rate to guess.
///
/// As for two classes (`BinaryBank`): eight Gaussian filters of several drift rates, each with one
/// covariance that its classes share; eight rates of stochastic gradient descent; the classes'
/// frequencies of late, with two memories, and which class follows which; four more filters over a
/// wider basis, and random ferns above one of them, which join where they earn their place. Mixed
/// by how well they predict (fixed share: Herbster & Warmuth 1998) and combined by a last layer
/// whose weights of the experts' logarithms are shared by the classes. O(d² + Kd) a record, the
/// experts being the lanes of a vector unit.
///
/// A class becomes an output when its first label comes, and learns from then on as fast as one that
/// was there from the start. A row of weight 0 is predicted and otherwise ignored; one counts at
/// most like a hundred.
public struct SoftmaxBank: Learner {
  /// The width of the rows, the constant included.
  package let columns: Int
  /// Rows of 8 lanes: what a filter is made with, the step that waits, covariances.
  var filters: LaneBuffer
  /// What the wide group sees; `nil` where there is none.
  var basis: BankBasis?
  /// The wide group: rows of 4 lanes.
  var wide: LaneBuffer
  /// What ferns share over the outputs.
  var ferns: LaneBuffer
  /// For each output the ferns' weights; none where outputs are too many.
  var fernWeights = LaneBuffer(count: 0)
  /// For each output its rows of 16 lanes: means, weights, counts, and those of the horizons'
  /// snapshots.
  var outputs = LaneBuffer(count: 0)
  /// Mixtures, the last layer, and the horizons' mixtures: rows of 16.
  var head: LaneBuffer
  var classes = SeenClasses()
  /// Rows seen.
  var rowCount = 0
  /// The output of the last row learnt.
  var lastOutput = 0

  /// Rows that are worked on between two looks at their labels.
  private static let chunkRows = 64

  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  /// - Throws: `configuration` when the basis that is asked for would be too wide.
  public init(settings: LearnerSettings, columns: Int) throws(MillraceError) {
    self.columns = columns
    basis = try BankBasis(settings: settings, columns: columns)
    var kernelBasis = basis?.kernelBasis(columns: columns) ?? millrace_bank_basis()
    wide = LaneBuffer(count: basis == nil ? 0 : millrace_softmax_wide_size(&kernelBasis))
    ferns = LaneBuffer(count: millrace_softmax_ferns_size(&kernelBasis.ferns))
    filters = LaneBuffer(count: millrace_softmax_filters_size(columns))
    head = LaneBuffer(count: millrace_softmax_head_size())
    var bank = mutableBank()
    millrace_softmax_start(&bank)
  }

  /// Multiclass.
  public var task: Task { .multiclass }

  /// A probability per class.
  public func outputWidth(classCount: Int) -> Int { classCount }

  var outputCount: Int { classes.indices.count }
  /// Inputs of the wide group, the constant included; 0 where there is none.
  var wideColumns: Int { basis?.width(columns: columns) ?? 0 }
  /// Floats of one output's rows.
  var outputSize: Int { millrace_softmax_class_size(columns, wideColumns) }
  var filterLanes: FilterLanes {
    FilterLanes(lanes: MILLRACE_BANK_FILTERS, inputs: columns, means: 0)
  }
  var wideLanes: FilterLanes {
    FilterLanes(wideInputs: wideColumns, means: 0)
  }

  /// A probability of every class for every row. Where no label comes, from weights that were
  /// earned without fresh labels.
  public func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      var bank = bank(
        filters.base, outputs.base, head.base, wide.base, ferns.base, fernWeights.base)
      withScratch(rowCount: rows.count) { scratch in
        for start in stride(from: 0, to: rows.count, by: Self.chunkRows) {
          let count = min(Self.chunkRows, rows.count - start)
          millrace_softmax_predict(
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

  /// For each row: predicts it, then every expert, mixture and layer learns its class.
  public mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let limit = min(Self.chunkRows, rows.count - start)
      let count = classes.knownCount(labels + start, weights + start, limit: limit)
      if count > 0 {
        learn(
          rows.slice(from: start, count: count), labels + start, weights + start,
          predictions.slice(from: start, count: count))
      } else {
        // A new class is predicted as one not yet seen, then learnt as an output.
        let row = rows.slice(from: start, count: 1)
        predict(
          row, horizon: .immediate, into: predictions.slice(from: start, count: 1))
        addOutput(labels[start])
        learn(row, labels + start, weights + start, nil)
      }
      start += max(count, 1)
    }
  }

  /// Learns at most `chunkRows` rows of classes that have an output.
  ///
  /// - Parameter predictions: `nil` where they were made before.
  private mutating func learn(
    _ rows: Rows, _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>,
    _ predictions: PredictionRows?
  ) {
    var bank = mutableBank()
    withScratch(rowCount: rows.count) { scratch in
      for row in 0..<rows.count {
        scratch.labels[row] = Int32(classes.output(of: labels[row]) ?? 0)
      }
      millrace_softmax_learn(
        &bank, scratch.room, rows.base, rows.count, rows.stride, scratch.labels, weights,
        scratch.probabilities)
      for row in 0..<rows.count {
        if let predictions {
          classes.write(
            scratch.probabilities + row * outputCount, to: predictions[row],
            width: predictions.width)
        }
        guard weights[row] > 0 else { continue }
        if predictions != nil { classes.run += 1 }
        lastOutput = Int(scratch.labels[row])
      }
    }
    rowCount += rows.count
  }

  /// Gives a label's class an output, of which nothing is learnt yet.
  mutating func addOutput(_ label: Double) {
    classes.add(label)
    outputs = outputs.grown(to: outputCount * outputSize)
    fernWeights =
      outputCount > MILLRACE_FERN_CLASSES
      ? LaneBuffer(count: 0) : fernWeights.grown(to: outputCount * fernWeightsSize)
  }

  /// Floats of the ferns' weights of one output; 0 where there are no ferns. For more outputs than
  /// `MILLRACE_FERN_CLASSES` they would be many times all others.
  var fernWeightsSize: Int {
    var ferns = basis?.ferns?.kernelFerns ?? millrace_ferns()
    return millrace_softmax_fern_weights_size(&ferns)
  }

  // MARK: - The kernel

  private mutating func mutableBank() -> millrace_softmax_bank {
    // Before `bank` is called: a call's self is a second reference, for which all would be copied.
    let (filters, outputs) = (self.filters.mutableBase(), self.outputs.mutableBase())
    let (head, wide) = (self.head.mutableBase(), self.wide.mutableBase())
    let (ferns, fernWeights) = (self.ferns.mutableBase(), self.fernWeights.mutableBase())
    return bank(filters, outputs, head, wide, ferns, fernWeights)
  }

  private func bank(
    _ filters: UnsafeMutablePointer<Float>, _ outputs: UnsafeMutablePointer<Float>,
    _ head: UnsafeMutablePointer<Float>, _ wide: UnsafeMutablePointer<Float>,
    _ ferns: UnsafeMutablePointer<Float>, _ fernWeights: UnsafeMutablePointer<Float>
  ) -> millrace_softmax_bank {
    millrace_softmax_bank(
      columns: columns, classCount: outputCount, filters: filters, classes: outputs, head: head,
      wide: basis == nil ? nil : wide, ferns: ferns,
      fernWeights: self.fernWeights.count > 0 ? fernWeights : nil,
      basis: basis?.kernelBasis(columns: columns) ?? millrace_bank_basis(),
      rowCount: UInt64(rowCount), lastClass: lastOutput)
  }

  private func withScratch(rowCount: Int, _ body: (ClassScratch) -> Void) {
    ClassScratch.with(
      room: millrace_softmax_room_size(
        columns, outputCount, wideColumns, basis?.ferns == nil ? 0 : BankFerns.count),
      rows: min(Self.chunkRows, rowCount),
      outputs: outputCount, body)
  }

  /// Whether every lane is finite.
  public var isFinite: Bool {
    [filters, outputs, head, wide, ferns, fernWeights].allSatisfy {
      $0.elements.allSatisfy(\.isFinite)
    }
  }
}

// MARK: - Weights

extension SoftmaxBank {
  /// Where an output keeps the weights of a group of experts: from `start` on `lanes` numbers for
  /// each input, which are `stride` apart from the next.
  struct Weights {
    let start: Int
    let stride: Int
    let lanes: Int
    let inputs: Int
  }

  var filterMeans: Weights {
    Weights(
      start: MILLRACE_CLASS_WEIGHTS * 16, stride: 16, lanes: MILLRACE_BANK_FILTERS, inputs: columns)
  }
  var descentWeights: Weights {
    Weights(
      start: MILLRACE_CLASS_WEIGHTS * 16 + MILLRACE_BANK_FILTERS, stride: 16,
      lanes: MILLRACE_BANK_RATES, inputs: columns)
  }
  var wideMeans: Weights {
    Weights(
      start: millrace_softmax_wide_start(columns, wideColumns), stride: MILLRACE_BANK_WIDE_FILTERS,
      lanes: MILLRACE_BANK_WIDE_FILTERS, inputs: wideColumns)
  }

  /// One expert's weights of one output of these or of other outputs.
  func weights(_ group: Weights, of outputs: LaneBuffer, output: Int, lane: Int) -> [Double] {
    let base = outputs.base + output * outputSize + group.start
    return (0..<group.inputs).map { Double(base[$0 * group.stride + lane]) }
  }
}

// MARK: - Saving

extension SoftmaxBank {
  /// Writes the lanes of each part.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([columns, rowCount, lastOutput], as: prefix + "counts")
    classes.encode(into: &archive, prefix: prefix)
    archive.set(
      filters.elements, shape: [filters.count / MILLRACE_BANK_FILTERS, MILLRACE_BANK_FILTERS],
      as: prefix + "filters")
    archive.set(head.elements, shape: [head.count / 16, 16], as: prefix + "head")
    archive.set(
      outputs.elements, shape: [outputCount, outputSize / 16, 16], as: prefix + "outputs")
    guard let basis else { return }
    let lanes = MILLRACE_BANK_WIDE_FILTERS
    archive.set(wide.elements, shape: [wide.count / lanes, lanes], as: prefix + "wide")
    archive.set(ferns, shape: [ferns.count], as: prefix + "ferns")
    archive.set(fernWeights, shape: [fernWeights.count], as: prefix + "fernWeights")
    basis.encode(into: &archive, prefix: prefix)
  }

  /// Reads what `encode` wrote.
  public init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let counts = try archive.integers(prefix + "counts", count: 3)
    let seen = try SeenClasses(decoding: archive, prefix: prefix)
    guard (1...Int64(BankBasis.greatestWidth)).contains(counts[0]),
      (0...TensorArchive.greatestCount).contains(counts[1]),
      (0..<Int64(max(seen.indices.count, 1))).contains(counts[2])
    else {
      throw MillraceError(
        .store, "tensor '\(prefix)counts' is \(counts) for \(seen.indices.count) classes")
    }
    try self.init(settings: settings, columns: Int(counts[0]))
    (rowCount, lastOutput) = (Int(counts[1]), Int(counts[2]))
    classes = seen
    filters = LaneBuffer(try archive.floats(prefix + "filters", count: filters.count))
    head = LaneBuffer(try archive.floats(prefix + "head", count: head.count))
    outputs = LaneBuffer(
      try archive.floats(prefix + "outputs", count: outputCount * outputSize))
    guard basis != nil else { return }
    wide = LaneBuffer(try archive.floats(prefix + "wide", count: wide.count))
    ferns = LaneBuffer(try archive.floats(prefix + "ferns", count: ferns.count))
    let hasWeights = outputCount <= MILLRACE_FERN_CLASSES
    fernWeights = LaneBuffer(
      try archive.floats(
        prefix + "fernWeights", count: hasWeights ? outputCount * fernWeightsSize : 0))
    try basis?.decode(from: archive, prefix: prefix)
  }
}
