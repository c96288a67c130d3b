internal import CMillraceKernels

/// The functions of the columns that a bank's wide group of filters sees: the columns, two kinks of
/// each, the products of pairs, and where columns are few random Fourier features (Rahimi & Recht
/// 2007). Linear in the weights all the same.
struct BankBasis: Sendable {
  /// Whether the products of pairs are among them.
  let pairs: Bool
  /// Whether the group works where it does not earn its place, too.
  let mustStay: Bool
  /// Phases and frequencies of the Fourier features, in turns: see `millrace_bank_basis`.
  var waves: LaneBuffer
  /// Ferns beside the filters; `nil` where there are none.
  var ferns: BankFerns?
  private let seed: UInt64

  /// Filters with covariances take more inputs only when they are asked for: a pass is quadratic in
  /// them, some 3 µs a record at so many. Products of pairs fit up to 15 columns, kinks alone up to
  /// 53.
  private static let greatestAutoWidth = 160
  /// No bank with covariances has more inputs.
  static let greatestWidth = 512
  /// Inputs of a second bank, which has no covariances: with products of pairs, which fit up to 29
  /// columns, and with kinks alone, which fit up to 255.
  private static let greatestSecondWidth = (pairs: 512, kinks: 768)
  /// Where Fourier features still fit.
  private static let widthOfWaves = 67
  private static let mostWaves = 48

  /// The basis for rows of `columns`, the constant included; `nil` where the columns alone are
  /// used.
  ///
  /// - Throws: `configuration` when a basis is asked for that is wider than is sensible.
  init?(settings: LearnerSettings, columns: Int) throws(MillraceError) {
    func width(pairs: Bool) -> Int { Self.width(columns: columns, pairs: pairs) }
    guard columns > 1 else { return nil }
    switch settings.basis {
    case .linear: return nil
    case .auto:
      guard Self.suitsFilters(columns: columns, pairs: false) else { return nil }
      pairs = Self.suitsFilters(columns: columns, pairs: true)
    case .additive: pairs = false
    case .quadratic: pairs = true
    }
    mustStay = settings.basis != .auto
    guard width(pairs: pairs) <= Self.greatestWidth else {
      throw .setting(
        "basis", settings.basis.rawValue,
        expected: "auto or linear: \(columns - 1) columns would become \(width(pairs: pairs))")
    }
    let room = (Self.widthOfWaves - width(pairs: pairs)) / 16 * 16
    let count = settings.basis == .auto ? max(0, min(Self.mostWaves, room)) : 0
    seed = settings.seed
    ferns = settings.basis == .auto ? BankFerns(columns: columns - 1, seed: seed) : nil
    waves = Self.waves(count: count, of: (1..<columns).map(String.init), seed: seed)
  }

  /// The basis of a second bank beside one over so many columns; `nil` where they are too many.
  init?(ofSecondBank columns: Int) {
    let limit = Self.greatestSecondWidth
    guard columns > 1, Self.width(columns: columns, pairs: false) <= limit.kinks else { return nil }
    pairs = Self.width(columns: columns, pairs: true) <= limit.pairs
    (mustStay, waves, seed) = (false, LaneBuffer(count: 0), 0)
  }

  /// Draws the frequencies of each column by its name, so that in any order columns have the same
  /// functions. Before anything is learnt; without names, a column's place is its name.
  mutating func nameColumns(_ names: [String]) {
    waves = Self.waves(count: waves.count / (names.count + 1), of: names, seed: seed)
    ferns?.nameColumns(names)
  }

  /// Whether a second bank would see more functions of the columns than the first one's filters do.
  static func suitsSecondBank(columns: Int, besideCovariances: Bool) -> Bool {
    guard let basis = BankBasis(ofSecondBank: columns) else { return false }
    return !(besideCovariances && suitsFilters(columns: columns, pairs: basis.pairs))
  }

  /// Whether `auto` gives filters with covariances functions of so many columns.
  static func suitsFilters(columns: Int, pairs: Bool) -> Bool {
    width(columns: columns, pairs: pairs) <= greatestAutoWidth
  }

  private static func width(columns: Int, pairs: Bool) -> Int {
    var basis = millrace_bank_basis()
    basis.columns = columns
    basis.pairs = pairs
    return millrace_bank_basis_width(&basis)
  }

  /// √2·cos(wᵀz + b) with b uniform, and w of lengths from 1 to 3 in random directions, as many of
  /// them orthogonal as there are columns: that leaves less to chance (Yu et al. 2016).
  private static func waves(count: Int, of names: [String], seed: UInt64) -> LaneBuffer {
    let columns = names.count
    var directions = Array(repeating: Array(repeating: 0.0, count: columns), count: count)
    for (column, name) in names.enumerated() {
      var random = SplitMix64(seed: seed)
      for byte in name.utf8 { random = SplitMix64(seed: random.next() ^ UInt64(byte)) }
      for wave in 0..<count { directions[wave][column] = random.normals().0 }
    }
    var phases = SplitMix64(seed: seed)
    var result = LaneBuffer(count: count * (columns + 1))
    let base = result.mutableBase()
    for wave in 0..<count {
      for other in wave / columns * columns..<wave {
        let share = dot(directions[wave], directions[other])
        directions[wave] = zip(directions[wave], directions[other]).map { $0 - share * $1 }
      }
      let length = dot(directions[wave], directions[wave]).squareRoot()
      directions[wave] = directions[wave].map { $0 / length }
      let turns = (1 + 2 * Double(wave) / Double(count - 1)) / (2 * .pi)
      let first = 16 * (wave / 16 * (columns + 1)) + wave % 16
      base[first] = Float(phases.uniform())
      for column in 0..<columns {
        base[first + 16 * (column + 1)] = Float(turns * directions[wave][column])
      }
    }
    return result
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// What the kernel is told.
  func kernelBasis(columns: Int) -> millrace_bank_basis {
    millrace_bank_basis(
      columns: columns, pairs: pairs, waveCount: waves.count / columns, waves: waves.base,
      ferns: ferns?.kernelFerns ?? millrace_ferns(), mustStay: mustStay)
  }

  /// Inputs of the wide group, the constant included.
  func width(columns: Int) -> Int {
    var basis = kernelBasis(columns: columns)
    return millrace_bank_basis_width(&basis)
  }

  /// Calls `body` with the functions of the rows' columns.
  func withExpanded(_ rows: Rows, _ body: (Rows) -> Void) {
    var basis = kernelBasis(columns: rows.columns)
    let width = millrace_bank_basis_width(&basis)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * width) { buffer in
      guard let base = buffer.baseAddress else { return }
      millrace_bank_expand(&basis, rows.base, rows.count, rows.stride, base, width)
      body(Rows(base: base, count: rows.count, columns: width, stride: width))
    }
  }

  /// Floats of the wide group's state.
  func size(columns: Int) -> Int {
    var basis = kernelBasis(columns: columns)
    return millrace_bank_wide_size(&basis)
  }

  /// The wide group's inputs between the columns and the constant, in order.
  func functions(columns: Int) -> [BasisTerm.Function] {
    let inputs = 0..<columns - 1
    return inputs.map { .kink($0) } + inputs.map { .tails($0) }
      + (pairs ? inputs.flatMap { i in (0..<i).map { .product(i, $0) } } : [])
      + (0..<waves.count / columns).map { .wave($0) }
  }
}

// MARK: Saving

extension BankBasis {
  /// Writes what goes with the columns' names, which nobody tells when a bank is read.
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(waves, shape: [waves.count / 16, 16], as: prefix + "waves")
    guard let order = ferns?.order else { return }
    archive.set(order.map(Int64.init), shape: [order.count], as: prefix + "fernOrder")
  }

  /// Reads what `encode` wrote.
  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    waves = LaneBuffer(try archive.floats(prefix + "waves", count: waves.count))
    guard let columns = ferns?.order.count else { return }
    try ferns?.setOrder(archive.integers(prefix + "fernOrder", count: columns))
  }
}
