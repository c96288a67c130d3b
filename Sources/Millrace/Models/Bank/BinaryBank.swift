internal import CMillraceKernels

/// The bank of experts for two classes, `auto`: no learning rate to guess.
///
/// Eight Gaussian filters of several drift rates, four rates of stochastic gradient descent, two
/// tables of what follows each label and two running means of the label, mixed by how well they
/// predict (fixed share: Herbster & Warmuth 1998; dynamic model averaging: McCormick et al. 2012)
/// and combined by a last layer (logistic mixing, and filters over the mixtures). Four more filters
/// over a wider basis, and random ferns beside them, join where they earn their place. The experts
/// are the lanes of a vector unit, in single precision: O(d²) a record.
///
/// A row of weight 0 is predicted and otherwise ignored; one counts at most like a hundred.
public struct BinaryBank: Learner {
  /// The width of the rows, the constant included.
  package let columns: Int
  /// Rows of 8 lanes: what a filter is made with, means, the step that waits, covariances.
  var filters: LaneBuffer
  /// Rows of 8 lanes: what the cheap experts are made with, weights.
  var rates: LaneBuffer
  /// The mixtures and the last layer.
  var head: LaneBuffer
  /// What the wide group sees; `nil` where there is none.
  var basis: BankBasis?
  /// The wide group: rows of 4 lanes.
  var wide: LaneBuffer
  /// The ferns beside it: rows of 4.
  var ferns: LaneBuffer
  /// Weights for where no label comes: rows of 16.
  var horizons: LaneBuffer
  /// The experts' weights when each horizon's block started: rows of 16.
  var snapshots: LaneBuffer
  /// Rows seen.
  var rowCount = 0

  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  /// - Throws: `configuration` when the basis that is asked for would be too wide.
  public init(settings: LearnerSettings, columns: Int) throws(MillraceError) {
    self.columns = columns
    basis = try BankBasis(settings: settings, columns: columns)
    wide = LaneBuffer(count: basis.map { $0.size(columns: columns) } ?? 0)
    var kernelFerns = basis?.ferns?.kernelFerns ?? millrace_ferns()
    ferns = LaneBuffer(count: millrace_ferns_size(&kernelFerns))
    filters = LaneBuffer(count: millrace_bank_filters_size(columns))
    rates = LaneBuffer(count: millrace_bank_rates_size(columns))
    head = LaneBuffer(count: millrace_bank_head_size())
    horizons = LaneBuffer(count: millrace_bank_horizons_size())
    let width = basis?.width(columns: columns) ?? 0
    snapshots = LaneBuffer(
      count: MILLRACE_BANK_HORIZONS
        * millrace_bank_snapshot_size(columns, width, kernelFerns.count))
    var bank = mutableBank()
    millrace_bank_start(&bank)
  }

  /// Binary.
  public var task: Task { .binary }

  /// One probability.
  public func outputWidth(classCount: Int) -> Int { 1 }

  /// The probability of the second class for every row. Where no label comes, from weights that
  /// were earned without fresh labels.
  public func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      var bank = bank(
        filters.base, rates.base, head.base, wide.base, ferns.base, horizons.base, snapshots.base)
      millrace_bank_predict(
        &bank, rows.base, rows.count, rows.stride, horizon == .never, predictions.base)
    }
  }

  /// For each row: predicts it, then every expert, mixture and layer learns its label.
  public mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var bank = mutableBank()
    millrace_bank_learn(
      &bank, rows.base, rows.count, rows.stride, labels, weights, predictions.base)
    rowCount += rows.count
  }

  var filterLanes: FilterLanes { FilterLanes(lanes: MILLRACE_BANK_FILTERS, inputs: columns) }
  var wideLanes: FilterLanes {
    FilterLanes(wideInputs: basis?.width(columns: columns) ?? 0)
  }
  var lastFilters: FilterLanes {
    FilterLanes(lanes: 4, inputs: 5, start: MILLRACE_HEAD_FILTERS * 16)
  }

  private mutating func mutableBank() -> millrace_bank {
    // Before `bank` is called: a call's self is a second reference, for which all would be copied.
    let (filters, rates) = (self.filters.mutableBase(), self.rates.mutableBase())
    let (head, wide) = (self.head.mutableBase(), self.wide.mutableBase())
    let ferns = self.ferns.mutableBase()
    let (horizons, snapshots) = (self.horizons.mutableBase(), self.snapshots.mutableBase())
    return bank(filters, rates, head, wide, ferns, horizons, snapshots)
  }

  private func bank(
    _ filters: UnsafeMutablePointer<Float>, _ rates: UnsafeMutablePointer<Float>,
    _ head: UnsafeMutablePointer<Float>, _ wide: UnsafeMutablePointer<Float>,
    _ ferns: UnsafeMutablePointer<Float>, _ horizons: UnsafeMutablePointer<Float>,
    _ snapshots: UnsafeMutablePointer<Float>
  ) -> millrace_bank {
    millrace_bank(
      columns: columns, filters: filters, rates: rates, head: head,
      wide: basis == nil ? nil : wide, ferns: ferns,
      basis: basis?.kernelBasis(columns: columns) ?? millrace_bank_basis(), horizons: horizons,
      snapshots: snapshots, rowCount: UInt64(rowCount))
  }

  /// Whether every lane is finite.
  public var isFinite: Bool {
    [filters, rates, head, wide, ferns, horizons, snapshots].allSatisfy {
      $0.elements.allSatisfy(\.isFinite)
    }
  }
}

// MARK: Saving

extension BinaryBank {
  /// Writes the lanes of each part.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(rowCount, as: prefix + "rowCount")
    func set(_ lanes: LaneBuffer, _ width: Int, _ name: String) {
      archive.set(lanes.elements, shape: [lanes.count / width, width], as: prefix + name)
    }
    set(filters, MILLRACE_BANK_FILTERS, "filters")
    set(rates, MILLRACE_BANK_RATES, "rates")
    set(head, 16, "head")
    set(horizons, 16, "horizons")
    set(snapshots, 16, "snapshots")
    guard let basis else { return }
    set(wide, MILLRACE_BANK_WIDE_FILTERS, "wide")
    set(ferns, 2 * MILLRACE_FERN_EXPERTS, "ferns")
    basis.encode(into: &archive, prefix: prefix)
  }

  /// Reads what `encode` wrote.
  public init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let first = MILLRACE_RATES_WEIGHTS
    let rows = try archive.rows(
      prefix + "rates", in: first + 1...first + BankBasis.greatestWidth)
    try self.init(settings: settings, columns: rows - first)
    rowCount = try archive.count(prefix + "rowCount")
    func lanes(_ name: String, like lanes: LaneBuffer) throws(MillraceError) -> LaneBuffer {
      LaneBuffer(try archive.floats(prefix + name, count: lanes.count))
    }
    filters = try lanes("filters", like: filters)
    rates = try lanes("rates", like: rates)
    head = try lanes("head", like: head)
    horizons = try lanes("horizons", like: horizons)
    snapshots = try lanes("snapshots", like: snapshots)
    guard basis != nil else { return }
    wide = try lanes("wide", like: wide)
    ferns = try lanes("ferns", like: ferns)
    try basis?.decode(from: archive, prefix: prefix)
  }
}
