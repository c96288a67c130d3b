/// Two datasets compared column by column: what `millrace drift` finds. Its JSON has the property
/// names as keys.
///
/// A column has drifted when a test of its values or of its missing ones is significant, corrected
/// over all tests (Benjamini and Hochberg), and the difference is large: D > δ + c(α)·√((n + m)/(nm))
/// with δ = 0.05, or a population stability index above the threshold.
public struct DatasetComparison: Encodable, Sendable {
  /// How datasets are compared.
  public struct Options: Sendable {
    /// The only columns to compare; all when `nil`.
    public var features: [String]? = nil
    /// The false discovery rate.
    public var alpha = 0.05
    /// The population stability index that matters whatever D is.
    public var psiThreshold = 0.1

    /// The defaults.
    public init() {}
  }

  /// The test of a column's values.
  public struct Test: Encodable, Sendable {
    /// D; of categories the total variation distance; `nil` when a dataset has no value.
    public let statistic: Double?
    /// The p-value.
    public let pValue: Double?
    /// How it was found: `KolmogorovSmirnovTest.Method`, or `chi-squared` for categories.
    public let method: String
  }

  /// One column.
  public struct Feature: Encodable, Sendable {
    /// Its name.
    public let name: String
    /// `numeric` or `categorical`.
    public let type: String
    /// The test of its values.
    public let ks: Test
    /// The population stability index, missing values included.
    public let psi: Double?
    /// The p-value of the index.
    public let psiPValue: Double?
    /// The share of missing values in the reference.
    public let missingReference: Double
    /// The share of missing values in the current dataset.
    public let missingCurrent: Double
    /// The p-value of their difference; `nil` where nothing is missing.
    public let missingPValue: Double?
    /// Whether it has drifted.
    public let drifted: Bool
  }

  /// The columns, in the order of the reference.
  public private(set) var features: [Feature] = []
  /// Whether any column has drifted.
  public private(set) var drifted = false
  /// The false discovery rate.
  public let alpha: Double
  /// How p-values are corrected for their number.
  public let correction = "benjamini-hochberg"
  /// Rows of the reference.
  public let rowsReference: Int
  /// Rows of the current dataset.
  public let rowsCurrent: Int
  /// Records of either that could not be read.
  public let badRecords: Int
  /// What a person should know: columns that were left out.
  public let warnings: [String]
  private let names: (reference: String, current: String)
  private var shown: [FeatureDrift] = []

  private enum CodingKeys: CodingKey {
    case features, drifted, alpha, correction, rowsReference, rowsCurrent, badRecords, warnings
  }

  private static let tolerance = 0.05

  /// Reads two logs to their ends and compares them.
  ///
  /// Keeps all numbers of both in memory (8 bytes each): the p-values are exact, ties included.
  ///
  /// - Throws: `input` when a log has no record, no such column, or no column in common.
  public init(
    reference: any LogSource, named referenceName: String = "reference",
    current: any LogSource, named currentName: String = "current", options: Options = Options()
  ) throws(MillraceError) {
    let (reference, current) = (SampledSource(reference), SampledSource(current))
    let inferred = try Self.columns(of: reference, name: referenceName, options)
    let others = try Self.columns(of: current, name: currentName, options)
    let compared = inferred.columns.united(with: others.columns)
    var first = DatasetColumns(
      of: compared,
      label: reference.format == .libsvm ? SchemaInference.indexedLabel : Schema.noLabel)
    var second = first
    try first.read(reference)
    try second.read(current)

    alpha = options.alpha
    names = (referenceName, currentName)
    warnings = inferred.warnings + others.warnings
    (rowsReference, rowsCurrent) = (first.rows, second.rows)
    badRecords = first.badRecords + second.badRecords
    let comparisons = zip(first.columns, second.columns).map { ColumnComparison($0, $1) }
    let isSignificant = benjaminiHochberg(
      comparisons.flatMap { [$0.pValue, $0.missingPValue] }, level: alpha)
    for (index, comparison) in comparisons.enumerated() {
      let hasDrifted =
        isSignificant[2 * index]
        && comparison.isLarge(
          alpha: alpha, tolerance: Self.tolerance, psiThreshold: options.psiThreshold)
        || isSignificant[2 * index + 1]
          && comparison.isMissingLarge(alpha: alpha, tolerance: Self.tolerance)
      append(comparison, of: compared[index], drifted: hasDrifted)
    }
    drifted = features.contains(where: \.drifted)
  }

  private mutating func append(
    _ comparison: ColumnComparison, of column: Schema.Column, drifted: Bool
  ) {
    let missing = comparison.missingShares
    features.append(
      Feature(
        name: column.name, type: column.kind == .numeric ? "numeric" : "categorical",
        ks: Test(
          statistic: comparison.statistic, pValue: comparison.pValue, method: comparison.method),
        psi: comparison.stabilityIndex.value, psiPValue: comparison.stabilityIndex.pValue,
        missingReference: missing.reference, missingCurrent: missing.current,
        missingPValue: comparison.missingPValue, drifted: drifted))
    var drift = FeatureDrift(name: column.name)
    (drift.statistic, drift.pValue) = (comparison.statistic, comparison.pValue)
    drift.method = comparison.method
    drift.stabilityIndex = comparison.stabilityIndex.value
    (drift.missingReference, drift.missingCurrent) = missing
    drift.drifted = drifted
    (drift.histogram, drift.distributions) = (comparison.histogram, comparison.distributions)
    shown.append(drift)
  }

  /// The comparison as a page can show it.
  public var page: DriftComparison {
    DriftComparison(
      reference: .init(name: names.reference, rows: rowsReference),
      current: .init(name: names.current, rows: rowsCurrent), alpha: alpha,
      correction: correction, features: shown)
  }

  /// The columns of a log by its first records.
  private static func columns(
    of source: SampledSource, name: String, _ options: Options
  ) throws(MillraceError) -> (columns: [Schema.Column], warnings: [String]) {
    var samples: [SchemaInference.Sample] = []
    for partition in source.partitions {
      let records = try source.sample(
        partition: partition, count: 1_000, silence: .seconds(1), shouldStop: { false })
      samples.append(.init(records: records, header: try source.header(partition: partition)))
    }
    return try SchemaInference.columns(
      from: samples, format: source.format, name: name, features: options.features)
  }
}

extension [Schema.Column] {
  /// The columns of either, so that the values of both can be read.
  fileprivate func united(with others: [Schema.Column]) -> [Schema.Column] {
    var united = self
    for other in others {
      if let index = firstIndex(where: { $0.name == other.name }) {
        united[index].kind = self[index].kind.united(with: other.kind)
      } else {
        united.append(other)
      }
    }
    return united
  }
}

extension Schema.ColumnKind {
  fileprivate func united(with other: Schema.ColumnKind) -> Schema.ColumnKind {
    if self == other { return self }
    if case (.categorical(let levels), .categorical(let others)) = (self, other) {
      let all = levels + others.filter { !levels.contains($0) }
      if all.count <= SchemaInference.levelLimit { return .categorical(levels: all) }
    }
    return .hashed(width: SchemaInference.levelLimit)
  }
}

/// A dataset read by columns.
private struct DatasetColumns {
  struct Column {
    var numbers: [Double] = []
    /// `nil` for a numeric column.
    var levels: LevelCounts?
  }

  let compared: [Schema.Column]
  let schema: Schema
  var columns: [Column]
  var rows = 0
  var badRecords = 0

  /// - Parameter label: the column that is read as a label, if there is such.
  init(of compared: [Schema.Column], label: String) {
    self.compared = compared
    schema = Schema(
      task: .regression, columns: compared.filter { $0.name != label }, label: label)
    columns = compared.map {
      let counts = LevelCounts(counts: Array(repeating: 0, count: $0.width + 1))
      return Column(levels: $0.kind == .numeric ? nil : counts)
    }
  }

  /// Reads a log to its end.
  mutating func read(_ source: SampledSource) throws(MillraceError) {
    for partition in source.partitions {
      var decoder = try RecordDecoder(
        schema: schema, format: source.format,
        header: source.format.fieldNames(header: source.header(partition: partition)),
        labels: .optional, wideFeatures: true)
      var records = RecordBatch()
      var batch = Batch(columnCount: schema.featureCount)
      var rejected: [RejectedRecord] = []
      while try source.poll(
        partition: partition, maxRecords: 8192, maxBytes: 4 << 20, linger: .milliseconds(100),
        into: &records)
      {
        try decoder.decode(records, into: &batch, rejected: &rejected)
        append(batch)
        rows += batch.count
        badRecords += rejected.count
      }
    }
  }

  private mutating func append(_ batch: Batch) {
    let values = batch.wideFeatures
    var first = 0
    for (index, column) in compared.enumerated() {
      guard column.name != schema.label else {
        columns[index].numbers += batch.labels.prefix(batch.count)
        continue
      }
      for place in stride(from: first, to: values.count, by: batch.columnCount) {
        if column.kind == .numeric {
          columns[index].numbers.append(values[place])
        } else if values[place].isNaN {
          columns[index].levels?.missing += 1
        } else {
          let level = (0..<column.width).first { values[place + $0] == 1 } ?? column.width
          columns[index].levels?.counts[level] += 1
        }
      }
      first += column.width
    }
  }
}

extension ColumnComparison {
  fileprivate init(_ reference: DatasetColumns.Column, _ current: DatasetColumns.Column) {
    if let levels = reference.levels, let others = current.levels {
      self.init(reference: levels, current: others)
    } else {
      self.init(reference: reference.numbers, current: current.numbers)
    }
  }
}
