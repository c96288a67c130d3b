internal import CMillraceKernels

// What can be set by hand, bank by bank. The numbers are parts of the states, whose rows the
// kernels' headers describe.

extension BinaryBank: DenseBank {
  package var constants: [BankConstant<Self>] {
    let rateRow = MILLRACE_RATES_RATE * MILLRACE_BANK_RATES
    let memoryRow = MILLRACE_RATES_MEMORY * MILLRACE_BANK_RATES
    return BankConstant.filters("filter", filterLanes, of: \.filters)
      + BankConstant.filters("wide", wideLanes, of: \.wide, spread: (\.head, MILLRACE_HEAD_PLACE))
      + BankConstant.ferns(
        BankFerns.expertNames.count, of: \.ferns, where: basis?.ferns != nil,
        setVariances: BankFerns.setVariances)
      + [
        .lanes("learning-rates", 4, of: \.rates, at: [rateRow], in: 0...10),
        .lanes(
          "table-memories", 2, of: \.rates, at: [memoryRow + MILLRACE_BANK_TABLE],
          in: BankConstant<Self>.memories),
        .lanes(
          "mean-memories", 2, of: \.rates,
          at: [memoryRow + MILLRACE_BANK_TABLE + MILLRACE_BANK_TABLES],
          in: BankConstant<Self>.memories),
      ]
      + BankConstant.mixtures(of: \.head, at: [MILLRACE_HEAD_MIXTURES], rows: 1)
      + BankConstant.lastLayer(of: \.head, row: MILLRACE_HEAD_LAST)
      + BankConstant.filters("last", lastFilters, of: \.head)
      + BankConstant.mixtures(
        "horizon-", of: \.horizons,
        at: (0..<MILLRACE_BANK_HORIZONS).map { $0 * MILLRACE_HORIZON_ROWS }, rows: 1)
      + [
        .lanes(
          "horizon-calibration-drifts", 1, of: \.horizons,
          at: (0..<MILLRACE_BANK_HORIZONS).map {
            16 * ($0 * MILLRACE_HORIZON_ROWS + MILLRACE_HORIZON_CALIBRATION)
              + MILLRACE_FILTERS_DRIFT
          }, in: 0...10)
      ]
      + BankConstant.place(of: \.head, row: MILLRACE_HEAD_PLACE, isWide: wideLanes.inputs > 0)
  }

  package mutating func nameColumns(_ names: [String]) { basis?.nameColumns(names) }
}

extension SoftmaxBank: DenseBank {
  package var constants: [BankConstant<Self>] {
    BankConstant.filters("filter", filterLanes, of: \.filters)
      + BankConstant.filters(
        "wide", wideLanes, of: \.wide, spread: (\.head, MILLRACE_SOFTMAX_PLACE))
      + BankConstant.ferns(1, of: \.ferns, where: basis?.ferns != nil) { variances, ferns in
        let cells = ferns.mutableBase() + 16
        for cell in 0..<BankFerns.cellCount { cells[cell] = Float(variances[0]) }
      }
      + [
        .lanes("learning-rates", 8, of: \.head, at: [16 * MILLRACE_SOFTMAX_RATES], in: 0...10),
        .lanes(
          "table-memories", 3, of: \.head, at: [16 * MILLRACE_SOFTMAX_MEMORIES + 1],
          in: BankConstant<Self>.memories),
      ]
      + BankConstant.mixtures(of: \.head, at: [MILLRACE_SOFTMAX_MIXTURES], rows: 1)
      + BankConstant.lastLayer(of: \.head, row: MILLRACE_SOFTMAX_LAST)
      + BankConstant.mixtures(
        "horizon-", of: \.head,
        at: (0..<MILLRACE_BANK_HORIZONS).map {
          MILLRACE_SOFTMAX_HORIZON_MIXTURES + $0 * millrace_mixtures_rows(1)
        }, rows: 1)
      + BankConstant.place(of: \.head, row: MILLRACE_SOFTMAX_PLACE, isWide: wideLanes.inputs > 0)
  }

  package mutating func nameColumns(_ names: [String]) { basis?.nameColumns(names) }
}

extension RegressionBank: DenseBank {
  package var constants: [BankConstant<Self>] {
    let cheap = MILLRACE_REGRESSION_CHEAP
    let filters =
      newton == nil
      ? BankConstant<Self>.filters("filter", filterLanes, of: \.filters, noise: "robust")
        + BankConstant.filters(
          "wide", wideLanes, of: \.wide, noise: "robust",
          spread: (\.head, MILLRACE_REGRESSION_HEAD_PLACE))
        + BankConstant.ferns(
          BankFerns.expertNames.count, of: \.ferns, where: basis?.ferns != nil,
          setVariances: BankFerns.setVariances)
      : [
        // A block of 64 records may not forget more than itself.
        .lanes(
          "filter-forgetting", 16, of: \.filters, at: [16 * MILLRACE_FILTERS_DRIFT],
          in: 0...1.0 / 128),
        .lanes("filter-robust", 16, of: \.filters, at: [16 * MILLRACE_FILTERS_NOISE], in: 0...1),
      ]
    return filters
      + BankConstant.filters("lagged", laggedLanes, of: \.lagged, noise: "robust")
      + [
        .lanes("learning-rates", 4, of: \.rates, at: [cheap * MILLRACE_RATES_RATE], in: 0...10),
        .lanes(
          "mean-memories", 4, of: \.rates, at: [cheap * MILLRACE_RATES_MEMORY + 4],
          in: BankConstant<Self>.memories),
      ]
      + BankConstant.mixtures(of: \.head, at: [0], rows: 2)
      + [
        .lanes(
          "last-share", 1, of: \.head, at: [16 * MILLRACE_REGRESSION_HEAD_LAST + 9],
          in: BankConstant<Self>.shares)
      ]
      + BankConstant.filters("last", lastFilters, of: \.head, noise: "robust")
      + BankConstant.mixtures(
        "horizon-", of: \.horizons,
        at: (0..<MILLRACE_BANK_HORIZONS).map { $0 * MILLRACE_REGRESSION_HORIZON_ROWS }, rows: 2)
      + BankConstant.place(
        of: \.head, row: MILLRACE_REGRESSION_HEAD_PLACE, isWide: wideLanes.inputs > 0)
  }

  package mutating func nameColumns(_ names: [String]) { basis?.nameColumns(names) }
}

extension WideBank: DenseBank {
  package init(settings: LearnerSettings, columns: Int) { self.init(columns: columns) }

  package var constants: [BankConstant<Self>] {
    BankConstant.newton(of: \.head, memories: MILLRACE_WIDE_MEMORY, noises: MILLRACE_WIDE_NOISE)
      + [
        .lanes("learning-rates", 4, of: \.head, at: [16 * MILLRACE_WIDE_RATE + 9], in: 0...100),
        .lanes(
          "mean-memories", 3, of: \.head, at: [16 * MILLRACE_WIDE_MEMORY + 13],
          in: BankConstant<Self>.memories),
      ]
      + BankConstant.wideShares(of: \.head, at: 16 * MILLRACE_WIDE_TOP)
      + [
        .lanes(
          "horizon-interval", 1, of: \.head, at: [16 * MILLRACE_WIDE_TOP + MILLRACE_WIDE_INTERVAL],
          in: BankConstant<Self>.intervals)
      ]
      + BankConstant.lastLayer(of: \.head, row: MILLRACE_WIDE_LAST)
  }
}

extension WideSoftmaxBank: DenseBank {
  package init(settings: LearnerSettings, columns: Int) { self.init(columns: columns) }

  package var constants: [BankConstant<Self>] {
    BankConstant.newton(
      of: \.head, memories: MILLRACE_WIDE_SOFTMAX_MEMORY, noises: MILLRACE_WIDE_SOFTMAX_NOISE)
      + [
        .lanes(
          "learning-rates", 4, of: \.head, at: [16 * MILLRACE_WIDE_SOFTMAX_RATE + 9], in: 0...100),
        .lanes(
          "class-memories", 3, of: \.head, at: [16 * MILLRACE_WIDE_SOFTMAX_KEPT + 13], in: 0...1),
      ]
      + BankConstant.wideShares(
        of: \.head, at: 16 * MILLRACE_WIDE_SOFTMAX_TOP)
      + BankConstant.lastLayer(of: \.head, row: MILLRACE_WIDE_SOFTMAX_LAST)
  }
}

extension BasisBank: DenseBank {
  /// Those of the bank over the columns, of the other one, and of what is between them.
  package var constants: [BankConstant<Self>] {
    plain.constants.map { $0.of(\Self.plain) }
      + fresh.constants.map { $0.of(\Self.beginning, prefix: Self.constantPrefix) }
      + [
        .number("basis-share", \.share, in: BankConstant<Self>.shares),
        .number("basis-least-weight", \.trial.constants.leastWeight, in: 0...1),
        .number("basis-records-per-input", \.trial.constants.recordsPerInput, in: 1...1e4),
        .numbers("basis-test-rows", 2, \.trial.constants.testRows, in: 64...1e6, ascending: true),
        .numbers("basis-evidence", 3, \.trial.constants.evidence, in: 1e-3...1e6),
      ]
  }

  package mutating func nameColumns(_ names: [String]) { plain.nameColumns(names) }
}

extension SparseBank: ConstantsBank {
  package var constants: [BankConstant<Self>] {
    func lanes(
      _ name: String, _ count: Int, row: Int, lane: Int = 0, in allowed: ClosedRange<Double>
    ) -> BankConstant<Self> {
      .lanes(name, count, of: \.head, at: [8 * row + lane], in: allowed)
    }
    let shared = [
      lanes("prior-precisions", Self.lanes, row: MILLRACE_SPARSE_PRIOR, in: 1e-3...1e9),
      lanes("precision-limits", Self.lanes, row: MILLRACE_SPARSE_LIMIT, in: 0...1e9),
      lanes("mixture-share", 1, row: MILLRACE_SPARSE_STEPS, in: BankConstant<Self>.shares),
    ]
    guard task == .binary else { return shared }
    return shared + [
      lanes("last-share", 1, row: MILLRACE_SPARSE_STEPS, lane: 1, in: BankConstant<Self>.shares),
      lanes(
        "mixing-rates", 2, row: MILLRACE_SPARSE_STEPS, lane: 2, in: BankConstant<Self>.mixingRates),
    ]
  }
}

// MARK: What banks have in common

extension BankConstant {
  /// The same constant of a bank that is part of another.
  fileprivate func of<Whole>(
    _ part: WritableKeyPath<Whole, Bank>, prefix: String = ""
  ) -> BankConstant<Whole> {
    BankConstant<Whole>(
      name: prefix + name, count: count, allowed: allowed, isAscending: isAscending,
      read: { read($0[keyPath: part]) }, write: { write(&$0[keyPath: part], $1) })
  }

  /// A constant that is a number of the bank's own, and one that is several.
  fileprivate static func number(
    _ name: String, _ number: WritableKeyPath<Bank, Double>, in allowed: ClosedRange<Double>
  ) -> Self {
    Self(
      name: name, count: 1, allowed: allowed, read: { [$0[keyPath: number]] },
      write: { $0[keyPath: number] = $1[0] })
  }

  fileprivate static func numbers(
    _ name: String, _ count: Int, _ numbers: WritableKeyPath<Bank, [Double]>,
    in allowed: ClosedRange<Double>, ascending: Bool = false
  ) -> Self {
    Self(
      name: name, count: count, allowed: allowed, isAscending: ascending,
      read: { $0[keyPath: numbers] }, write: { $0[keyPath: numbers] = $1 })
  }
}

extension BankConstant where Bank: ConstantsBank {
  fileprivate typealias Part = WritableKeyPath<Bank, LaneBuffer>

  /// How much of a running mean stays at each record.
  fileprivate static var memories: ClosedRange<Double> { 0...0.999999 }
  fileprivate static var shares: ClosedRange<Double> { 0...0.5 }
  fileprivate static var mixingRates: ClosedRange<Double> { 0...0.1 }
  /// Records from one snapshot of a horizon to the next.
  fileprivate static var lengths: ClosedRange<Double> { 64...1e6 }
  /// Records from one that a horizon scores to the next.
  fileprivate static var intervals: ClosedRange<Double> { 1...1e6 }

  /// The drifts and variances of a group of filters, and the share of labels that each takes to be
  /// simply wrong, or whether it is robust; none where there is no such group.
  ///
  /// - Parameter spread: the row of a part that follows the variances, if there is one.
  fileprivate static func filters(
    _ group: String, _ filters: FilterLanes, of part: Part, noise: String = "noises",
    spread: (part: Part, row: Int)? = nil
  ) -> [Self] {
    guard filters.inputs > 0 else { return [] }
    func row(_ name: String, _ row: Int, in allowed: ClosedRange<Double>) -> Self {
      .lanes(
        "\(group)-\(name)", filters.lanes, of: part, at: [filters.start + row * filters.lanes],
        in: allowed)
    }
    func covariance(_ bank: Bank, _ lane: Int) -> [Double] {
      filters.covariance(bank[keyPath: part], lane: lane)
    }
    let variances = Self(
      name: "\(group)-variances", count: filters.lanes, allowed: 1e-6...1e3
    ) { bank in
      (0..<filters.lanes).map { covariance(bank, $0)[0] }
    } write: { bank, variances in
      for (lane, variance) in variances.enumerated() {
        let old = covariance(bank, lane)
        let mean = filters.means > 0 ? filters.mean(bank[keyPath: part], lane: lane) : []
        filters.set(
          &bank[keyPath: part], lane: lane, mean: mean,
          covariance: old.map { $0 / old[0] * variance })
        guard let spread else { continue }
        bank[keyPath: spread.part].mutableBase()[16 * spread.row + 4 + lane] = Float(variance)
      }
    }
    return [
      row("drifts", MILLRACE_FILTERS_DRIFT, in: 0...10),
      row("constant-drifts", MILLRACE_FILTERS_CONSTANT_DRIFT, in: 0...1e3),
      row(noise, MILLRACE_FILTERS_NOISE, in: noise == "robust" ? 0...1 : 0...0.49), variances,
    ]
  }

  /// How fast so many experts of ferns forget, and the variance that a cell's weight begins with; none
  /// where there are no ferns.
  fileprivate static func ferns(
    _ experts: Int, of part: Part, where hasFerns: Bool,
    setVariances: @escaping ([Double], inout LaneBuffer) -> Void
  ) -> [Self] {
    guard hasFerns else { return [] }
    let variances: Self = .lanes("fern-variances", experts, of: part, at: [experts], in: 1e-6...1e3)
    return [
      .lanes("fern-forgetting", experts, of: part, at: [0], in: 0...0.5),
      Self(
        name: variances.name, count: experts, allowed: variances.allowed, read: variances.read
      ) {
        variances.write(&$0, $1)
        setVariances($1, &$0[keyPath: part])
      },
    ]
  }

  /// The shares of mixtures that start at some rows.
  fileprivate static func mixtures(
    _ prefix: String = "", of part: Part, at starts: [Int], rows: Int
  ) -> [Self] {
    let tops = starts.map { 16 * ($0 + millrace_mixtures_rows(rows) - 1) + MILLRACE_SHARES }
    return [
      .lanes("\(prefix)mixture-shares", MILLRACE_MIXTURES, of: part, at: tops, in: shares),
      .lanes(
        "\(prefix)top-share", 1, of: part, at: tops.map { $0 + MILLRACE_MIXTURES }, in: shares),
    ]
  }

  /// - Parameter top: where the row of the mixtures' own weights starts.
  fileprivate static func wideShares(of part: Part, at top: Int) -> [Self] {
    let start = top + MILLRACE_WIDE_SHARES
    return [
      .lanes("mixture-shares", 4, of: part, at: [start], in: shares),
      .lanes("top-share", 1, of: part, at: [start + 4], in: shares),
      .lanes("horizon-share", 1, of: part, at: [start + 5], in: shares),
      .lanes("horizon-length", 1, of: part, at: [top + MILLRACE_WIDE_LENGTH], in: lengths),
    ]
  }

  /// What is decided by record number: the lengths of horizons, how often they score a record when
  /// there were many, how many in a row tell them as much as one, and of a bank with a wide group
  /// the weight below which it falls asleep, and the least and the most blocks of 64 records from
  /// one trial to the next.
  ///
  /// - Parameter row: of the part, that it stands in.
  fileprivate static func place(of part: Part, row: Int, isWide: Bool) -> [Self] {
    let start = 16 * row
    let horizons: [Self] = [
      .lanes(
        "horizon-lengths", MILLRACE_BANK_HORIZONS, of: part,
        at: [start + MILLRACE_PLACE_LENGTHS], in: lengths),
      .lanes(
        "horizon-intervals", MILLRACE_BANK_HORIZONS, of: part,
        at: [start + MILLRACE_PLACE_INTERVALS], in: intervals),
      .lanes("horizon-likeness", 1, of: part, at: [start + MILLRACE_PLACE_LIKENESS], in: intervals),
    ]
    guard isWide else { return horizons }
    let pauses: Self = .lanes(
      "wide-pauses", 2, of: part, at: [start + MILLRACE_PLACE_PAUSES], in: 1...1e6)
    return horizons + [
      .lanes(
        "wide-least-weight", 1, of: part, at: [start + MILLRACE_PLACE_LEAST_WEIGHT], in: 0...1),
      Self(
        name: pauses.name, count: 2, allowed: pauses.allowed, isAscending: true, read: pauses.read
      ) {
        pauses.write(&$0, $1)
        // The first pause is the least.
        $0[keyPath: part].mutableBase()[start + MILLRACE_PLACE_PAUSE] = Float($1[0])
      },
    ]
  }

  fileprivate static func lastLayer(of part: Part, row: Int) -> [Self] {
    let start = 16 * row + MILLRACE_LAST_STEPS
    return [
      .lanes("last-share", 1, of: part, at: [start], in: shares),
      .lanes("mixing-rates", 3, of: part, at: [start + 1], in: mixingRates),
    ]
  }

  /// How many records models that take Newton's steps remember, and the share of labels that each
  /// takes to be simply wrong.
  fileprivate static func newton(of part: Part, memories: Int, noises: Int) -> [Self] {
    [
      .lanes("newton-memories", 9, of: part, at: [16 * memories], in: 128...1e15),
      .lanes("newton-noises", 9, of: part, at: [16 * noises], in: 0...0.49),
    ]
  }
}
