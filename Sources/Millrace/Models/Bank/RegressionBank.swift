internal import CMillraceKernels

/// The bank of experts for numbers, `auto`: no learning rate to guess.
///
/// Kalman filters of several drift rates, some of them robust, some with a constant that drifts
/// faster, some that see the last two targets; four rates of normalised gradient descent and four
/// running means. Four more filters over a wider basis, and random ferns beside them, join where they
/// earn their place. They are mixed by predictive density (fixed share: Herbster & Warmuth 1998;
/// dynamic model averaging: Raftery et al. 2010), and a last layer corrects the mixture's error. Where
/// no label comes, the weights are those earned without fresh labels, and the last targets are not
/// known. The experts are the lanes of a vector unit, in single precision: O(d²) a record.
///
/// Wide records leave no room for a covariance per filter: there the filters are linear models that
/// take Newton's steps by one curvature once a block, each with a memory of its own (as in
/// `WideBank`), and those that see the last targets see what the models say instead of the columns.
///
/// A row of weight 0 is predicted and otherwise ignored; one counts at most like a hundred. A target
/// that is wild, hundreds of deviations from the recent ones, is ignored too, until those that follow
/// are as wild; where one of the first two is, the unit is learnt anew.
public struct RegressionBank: Learner {
  /// The width of the rows, the constant included.
  package let columns: Int
  /// Rows of 16 lanes: what a filter is made with, means, the step that waits, covariances, errors.
  var filters: LaneBuffer
  /// The same for those that see the last targets: rows of 8 lanes.
  var lagged: LaneBuffer
  /// What the wide group sees beside; `nil` where there is none.
  var basis: BankBasis?
  /// The wide group: rows of 4 lanes.
  var wide: LaneBuffer
  /// The ferns beside it: rows of 4.
  var ferns: LaneBuffer
  /// Rows of 16 lanes: what the cheap experts are made with, weights, errors.
  var rates: LaneBuffer
  /// The mixtures and the last layer.
  var head: LaneBuffer
  /// Weights for where no label comes: rows of 16.
  var horizons: LaneBuffer
  /// The experts' weights when each horizon's block started: rows of 16.
  var snapshots: LaneBuffer
  /// What is known of the target (`MILLRACE_TARGET_ORIGIN` and on).
  var target = [Double](repeating: 0, count: MILLRACE_TARGET_SIZE)
  /// The steps of filters without covariances; `nil` where they have them.
  var newton: NewtonBlocks?
  /// Rows seen.
  var rowCount = 0

  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  /// - Throws: `configuration` when the basis that is asked for would be too wide.
  public init(settings: LearnerSettings, columns: Int) throws(MillraceError) {
    let isLinear = settings.basis == .auto || settings.basis == .linear
    try self.init(
      settings: settings, columns: columns,
      isWide: columns >= NewtonBlocks.leastColumns && isLinear)
  }

  /// - Parameter isWide: whether the filters do without covariances, and with the columns alone.
  package init(settings: LearnerSettings, columns: Int, isWide: Bool) throws(MillraceError) {
    self.columns = columns
    newton = isWide ? NewtonBlocks(columns: columns) : nil
    basis = isWide ? nil : try BankBasis(settings: settings, columns: columns)
    var kernelBasis = basis?.kernelBasis(columns: columns) ?? millrace_bank_basis()
    filters = LaneBuffer(count: millrace_regression_filters_size(columns, isWide))
    lagged = LaneBuffer(count: millrace_regression_lagged_size(columns, isWide))
    wide = LaneBuffer(count: basis == nil ? 0 : millrace_regression_wide_size(&kernelBasis))
    ferns = LaneBuffer(count: millrace_regression_ferns_size(&kernelBasis.ferns))
    rates = LaneBuffer(count: millrace_regression_rates_size(columns))
    head = LaneBuffer(count: millrace_regression_head_size())
    horizons = LaneBuffer(count: millrace_regression_horizons_size())
    snapshots = LaneBuffer(
      count: millrace_regression_snapshots_size(columns, isWide, &kernelBasis))
    withMutableBank { bank, _ in millrace_regression_start(&bank) }
  }

  /// Regression.
  public var task: Task { .regression }

  /// Mean, lower and upper end of the 90 % interval.
  public func outputWidth(classCount: Int) -> Int { 3 }

  /// The mean and the interval for every row. Where no label comes, from weights that were earned
  /// without fresh labels.
  public func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      target.withUnsafeBufferPointer { target in
        var bank = bank(
          filters.base, lagged.base, wide.base, ferns.base, rates.base, head.base,
          horizons.base, snapshots.base, UnsafeMutablePointer(mutating: target.baseAddress))
        millrace_regression_predict(
          &bank, rows.base, rows.count, rows.stride, horizon == .never, predictions.base)
      }
    }
  }

  /// For each row: predicts it, then every expert, mixture and layer learns its label.
  public mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let count = min(rows.count - start, newton?.room ?? .max)
      withMutableBank { bank, newton in
        func learn(_ scaled: UnsafeMutablePointer<Float>?) {
          bank.scaled = scaled
          millrace_regression_learn(
            &bank, rows[start], count, rows.stride, labels + start, weights + start,
            predictions.base + 3 * start)
        }
        guard newton != nil else { return learn(nil) }
        newton?.withScaledRows(learn)
        bank.rowCount += UInt64(count)
        if newton?.take(count) == true,
          var step = newton?.finishBlock(millrace_regression_gradients(&bank)),
          let mass = newton?.curvature.mass
        {
          millrace_regression_step(&bank, &step, Float(mass))
        }
      }
      rowCount += count
      start += count
    }
  }

  private mutating func withMutableBank(
    _ body: (inout millrace_regression, inout NewtonBlocks?) -> Void
  ) {
    let (filters, lagged) = (self.filters.mutableBase(), self.lagged.mutableBase())
    let (wide, ferns) = (self.wide.mutableBase(), self.ferns.mutableBase())
    let rates = self.rates.mutableBase()
    let (head, horizons, snapshots) = (
      self.head.mutableBase(), self.horizons.mutableBase(), self.snapshots.mutableBase()
    )
    // Taken out for the time of the call: they may not be borrowed while the rest of self is.
    var target = exchange(&self.target, with: [])
    target.withUnsafeMutableBufferPointer { target in
      var bank = bank(
        filters, lagged, wide, ferns, rates, head, horizons, snapshots, target.baseAddress)
      body(&bank, &newton)
    }
    self.target = target
  }

  private func bank(
    _ filters: UnsafeMutablePointer<Float>, _ lagged: UnsafeMutablePointer<Float>,
    _ wide: UnsafeMutablePointer<Float>, _ ferns: UnsafeMutablePointer<Float>,
    _ rates: UnsafeMutablePointer<Float>, _ head: UnsafeMutablePointer<Float>,
    _ horizons: UnsafeMutablePointer<Float>, _ snapshots: UnsafeMutablePointer<Float>,
    _ target: UnsafeMutablePointer<Double>?
  ) -> millrace_regression {
    millrace_regression(
      columns: columns, filters: filters, isBlockwise: newton != nil, scaled: nil, lagged: lagged,
      wide: basis == nil ? nil : wide, ferns: ferns, basis: kernelBasis, rates: rates, head: head,
      horizons: horizons, snapshots: snapshots, target: target, rowCount: UInt64(rowCount))
  }

  /// Whether every lane and the target's moments are finite.
  public var isFinite: Bool {
    target.allSatisfy(\.isFinite)
      && (newton?.curvature.matrix.elements.allSatisfy(\.isFinite) ?? true)
      && [filters, lagged, wide, ferns, rates, head, horizons, snapshots].allSatisfy {
        $0.elements.allSatisfy(\.isFinite)
      }
  }

  var filterLanes: FilterLanes { FilterLanes(lanes: 16, inputs: columns) }
  var laggedLanes: FilterLanes {
    FilterLanes(lanes: 8, inputs: millrace_regression_lagged_width(columns, newton != nil))
  }
  var lastFilters: FilterLanes {
    FilterLanes(lanes: 8, inputs: 8, start: MILLRACE_REGRESSION_HEAD_FILTERS * 16)
  }
  var wideLanes: FilterLanes {
    var basis = kernelBasis
    return FilterLanes(wideInputs: millrace_regression_wide_width(&basis))
  }
  private var kernelBasis: millrace_bank_basis {
    basis?.kernelBasis(columns: columns) ?? millrace_bank_basis()
  }
}

// MARK: Saving

extension RegressionBank {
  /// Writes the lanes of each part.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(rowCount, as: prefix + "rowCount")
    archive.set(columns, as: prefix + "columns")
    archive.set(target, as: prefix + "target")
    func set(_ lanes: LaneBuffer, _ width: Int, _ name: String) {
      archive.set(lanes.elements, shape: [lanes.count / width, width], as: prefix + name)
    }
    set(filters, 16, "filters")
    set(lagged, laggedLanes.lanes, "lagged")
    set(rates, MILLRACE_REGRESSION_CHEAP, "rates")
    set(head, 16, "head")
    set(horizons, 16, "horizons")
    set(snapshots, 16, "snapshots")
    newton?.encode(into: &archive, prefix: prefix)
    guard let basis else { return }
    set(wide, wideLanes.lanes, "wide")
    set(ferns, 2 * MILLRACE_FERN_EXPERTS, "ferns")
    basis.encode(into: &archive, prefix: prefix)
  }

  /// Reads what `encode` wrote.
  public init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let limit = Int64(NewtonBlocks.columnLimit)
    let columns = Int(try archive.integer(prefix + "columns", in: 1...limit))
    try self.init(
      settings: settings, columns: columns, isWide: archive.contains(prefix + "curvature"))
    rowCount = try archive.count(prefix + "rowCount")
    target = try archive.doubles(prefix + "target", count: target.count)
    func lanes(_ name: String, like lanes: LaneBuffer) throws(MillraceError) -> LaneBuffer {
      LaneBuffer(try archive.floats(prefix + name, count: lanes.count))
    }
    filters = try lanes("filters", like: filters)
    lagged = try lanes("lagged", like: lagged)
    rates = try lanes("rates", like: rates)
    head = try lanes("head", like: head)
    horizons = try lanes("horizons", like: horizons)
    snapshots = try lanes("snapshots", like: snapshots)
    try newton?.decode(from: archive, prefix: prefix)
    guard basis != nil else { return }
    wide = try lanes("wide", like: wide)
    ferns = try lanes("ferns", like: ferns)
    try basis?.decode(from: archive, prefix: prefix)
  }
}
