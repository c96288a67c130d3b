internal import CMillraceKernels
internal import Glibc

/// The bank of experts for two classes, `auto`: no learning rate to guess.
///
/// Sixteen Gaussian filters of several drift rates, twelve rates of stochastic gradient descent and
/// four running means of the label, mixed by how well they predict (fixed share: Herbster &
/// Warmuth 1998; dynamic model averaging: McCormick et al. 2012) and combined by a last layer
/// (logistic mixing, and filters over the mixtures). Eight more filters over a wider basis join
/// where they earn their place. The experts are the lanes of a vector unit, in single precision:
/// O(d²) a record.
///
/// A row of weight 0 is predicted and otherwise ignored; one counts at most like a hundred.
public struct BinaryBank: Learner {
  /// The width of the rows, the constant included.
  let columns: Int
  /// Rows of 16 lanes: what a filter is made with, means, the step that waits, covariances.
  var filters: LaneBuffer
  /// Rows of 16 lanes: what the cheap experts are made with, weights.
  var rates: LaneBuffer
  /// The mixtures and the last layer.
  var head: LaneBuffer
  /// What the wide group sees; `nil` where there is none.
  var basis: BankBasis?
  /// The wide group: rows of 8 lanes.
  var wide: LaneBuffer
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
    filters = LaneBuffer(count: millrace_bank_filters_size(columns))
    rates = LaneBuffer(count: millrace_bank_rates_size(columns))
    head = LaneBuffer(count: millrace_bank_head_size())
    var bank = mutableBank()
    millrace_bank_start(&bank)
  }

  /// Binary.
  public var task: Task { .binary }

  /// One probability.
  public func outputWidth(classCount: Int) -> Int { 1 }

  /// The probability of the second class for every row.
  public func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withExtendedLifetime(self) {
      var bank = bank(filters.base, rates.base, head.base, wide.base)
      millrace_bank_predict(&bank, rows.base, rows.count, rows.stride, predictions.base)
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

  var filterLanes: FilterLanes { FilterLanes(lanes: 16, inputs: columns) }
  var wideLanes: FilterLanes {
    FilterLanes(lanes: 8, inputs: basis?.width(columns: columns) ?? 0)
  }
  var lastFilters: FilterLanes {
    FilterLanes(lanes: 4, inputs: 5, start: MILLRACE_HEAD_FILTERS * 16)
  }

  private mutating func mutableBank() -> millrace_bank {
    bank(filters.mutableBase(), rates.mutableBase(), head.mutableBase(), wide.mutableBase())
  }

  private func bank(
    _ filters: UnsafeMutablePointer<Float>, _ rates: UnsafeMutablePointer<Float>,
    _ head: UnsafeMutablePointer<Float>, _ wide: UnsafeMutablePointer<Float>
  ) -> millrace_bank {
    millrace_bank(
      columns: columns, filters: filters, rates: rates, head: head,
      wide: basis == nil ? nil : wide,
      basis: basis?.kernelBasis(columns: columns) ?? millrace_bank_basis(),
      rowCount: UInt64(rowCount))
  }

  /// Whether every lane is finite.
  public var isFinite: Bool {
    [filters, rates, head, wide].allSatisfy { $0.elements.allSatisfy(\.isFinite) }
  }
}

// MARK: Saving

extension BinaryBank {
  /// Writes the lanes of each part.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(rowCount, as: prefix + "rowCount")
    archive.set(filters.elements, shape: [filters.count / 16, 16], as: prefix + "filters")
    archive.set(rates.elements, shape: [rates.count / 16, 16], as: prefix + "rates")
    archive.set(head.elements, shape: [head.count / 16, 16], as: prefix + "head")
    guard let basis else { return }
    archive.set(wide.elements, shape: [wide.count / 8, 8], as: prefix + "wide")
    archive.set(
      basis.waves.elements, shape: [basis.waves.count / 16, 16], as: prefix + "waves")
  }

  /// Reads what `encode` wrote.
  public init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let rows = try archive.shape(prefix + "rates")[0]
    let first = MILLRACE_RATES_WEIGHTS
    guard rows > first else {
      throw MillraceError(
        .store, "tensor '\(prefix)rates' has \(rows) rows; expected more than \(first)")
    }
    try self.init(settings: settings, columns: rows - first)
    rowCount = Int(try archive.integer(prefix + "rowCount", in: 0 ... .max))
    filters = LaneBuffer(try archive.floats(prefix + "filters", count: filters.count))
    rates = LaneBuffer(try archive.floats(prefix + "rates", count: rates.count))
    head = LaneBuffer(try archive.floats(prefix + "head", count: head.count))
    guard let count = basis?.waves.count else { return }
    wide = LaneBuffer(try archive.floats(prefix + "wide", count: wide.count))
    basis?.waves = LaneBuffer(try archive.floats(prefix + "waves", count: count))
  }
}

// MARK: Explaining

extension BinaryBank {
  /// Each expert's weight in the mixtures, lane by lane: filters, then cheap experts.
  var mixtureWeights: [Double] {
    let top = head.base + MILLRACE_HEAD_SMALL * 16
    return (0..<32).map { expert in
      (0..<4).reduce(0) { sum, mixture in
        let row = MILLRACE_HEAD_MIXTURE + 3 * mixture + expert / 16
        return sum + Double(top[mixture] * head.base[row * 16 + expert % 16])
      }
    }
  }

  /// The weighted mean of the experts' weights: what the mixtures' margin is made of.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    var result = [Double](repeating: 0, count: columns)
    for (expert, weight) in mixtureWeights.enumerated() {
      for (column, coefficient) in coefficients(expert: expert).enumerated() {
        result[column] += weight * coefficient
      }
    }
    return [result]
  }

  /// An expert's weights over the standardised columns, the constant last.
  private func coefficients(expert: Int) -> [Double] {
    if expert < 16 { return filterLanes.mean(filters, lane: expert) }
    func rate(_ row: Int) -> Double { Double(rates.base[row * 16 + expert - 16]) }
    guard rate(MILLRACE_RATES_MEMORY) < 1 else {
      return (0..<columns).map { rate(MILLRACE_RATES_WEIGHTS + $0) }
    }
    let mean = min(max(rate(MILLRACE_RATES_AVERAGE), 1e-4), 1 - 1e-4)
    return Array(repeating: 0, count: columns - 1) + [log(mean / (1 - mean))]
  }
}
