/// Decides from the first records which columns there are and what is learnt.
///
/// - A field whose values are numbers (at least nine in ten) is a numeric column.
/// - A text with few levels is one 0/1 column per level; one that differs in most records (a name, a
///   time) is left out, as are objects and arrays. Few are up to 256, if more than 64 are not so
///   unequal that more than 2 % of all values would be ones which the sample lacks. Where a text has
///   more, or all columns together are more than 1,024, features are sparse, if they may be, and
///   otherwise the text is hashed into 256 columns.
/// - The task: a label of text or with two distinct values has classes; so has one of at most 20
///   distinct whole numbers, each ten times in the sample on average; any other is a regression.
/// - With `hashBits` texts are hashed instead: as a whole, or where they are sentences by words.
/// - LibSVM records have a column per index; where an index is
///   beyond 1,024, they are sparse, with a power of two of columns and 2¹⁸ at least.
/// - Classes are in order, numbers by value: of two, the second is the larger. Others may appear
///   later (`Schema.hasOpenClasses`); where one of 0 and 1 was seen, the other is known.
public enum SchemaInference {
  /// What is given; the rest is inferred.
  public struct Options: Sendable {
    /// The label's field; LibSVM records, where it has no name, need none.
    public var label: String?
    /// How many records to look at.
    public var sampleRecords = 1000
    /// What is learnt.
    public var task: Task?
    /// The feature columns; every field otherwise.
    public var features: [String]?
    /// Fields that are no features.
    public var exclude: [String] = []
    /// Where features are to be sparse: the bits of a hash of names, levels and words that says
    /// which of 2^bits features each is. There are no columns per level then, and texts are words.
    public var hashBits: Int?
    /// Whether features may become sparse where texts have many levels: what learns must be able to
    /// (`LearnerSettings.learnsSparse`).
    public var mayBeSparse = false
    /// Pairs of fields whose products are features too (`Schema.interactions`).
    public var interactions: [[String]] = []
    /// The field that holds the importance of a record.
    public var weight: String?
    /// The field that holds a record's key.
    public var key: String?
    /// The field that holds a record's time.
    public var timestamp: String?

    /// The label, and nothing else given.
    public init(label: String?) { self.label = label }
  }

  /// The first records of one partition.
  public struct Sample: Sendable {
    /// The records.
    public var records: [RecordBatch]
    /// The partition's header line, for CSV and TSV.
    public var header: [UInt8]?

    /// A sample.
    public init(records: [RecordBatch], header: [UInt8]?) {
      self.records = records
      self.header = header
    }
  }

  /// What the label of LibSVM records is called where it is not given a name.
  static let indexedLabel = "label"
  /// LibSVM records with larger indices are sparse, and texts of more levels.
  public static let denseLimit = 1024
  /// The least width of sparse features: room for those that the sample lacks.
  public static let sparseWidth = 1 << 18
  /// Indices of LibSVM records beyond so many bits are folded.
  static let greatestIndexBits = 32

  /// The most levels that get a column each; more are hashed into as many.
  public static let levelLimit = 256

  /// Infers the schema.
  ///
  /// - Parameters:
  ///   - samples: the first records, by partition.
  ///   - format: how they are written.
  ///   - name: the source's name, for messages.
  ///   - options: what is given.
  /// - Returns: the schema, and what a person should know about how it came about.
  /// - Throws: `input` when there is no record, or a label that the task cannot learn;
  ///   `configuration` when the options name a field that is not there, or contradict each other.
  public static func infer(
    from samples: [Sample], format: DataFormat, name: String, options: Options
  ) throws(MillraceError) -> (schema: Schema, warnings: [String]) {
    let fields = try FieldSummaries(of: samples, format: format, indexedLabel: options.label)
    var inference = Inference(name: name, format: format, options: options, fields: fields)
    let schema = try inference.schema()
    return (schema, inference.warnings)
  }

  /// Infers the columns alone, where nothing is to be learnt.
  ///
  /// - Parameter features: the columns; every field when `nil`.
  /// - Throws: `input` when there is no record; `configuration` when there is no such field.
  static func columns(
    from samples: [Sample], format: DataFormat, name: String, features: [String]?
  ) throws(MillraceError) -> (columns: [Schema.Column], warnings: [String]) {
    var options = Options(label: Schema.noLabel)
    options.features = features
    var inference = Inference(
      name: name, format: format, options: options,
      fields: try FieldSummaries(of: samples, format: format))
    try inference.checkRecords()
    guard format == .libsvm else { return (try inference.columns(), inference.warnings) }
    if let last = inference.fields.indices?.upperBound, last > denseLimit {
      throw MillraceError(
        .input, "\(name): an index is \(last); columns are compared up to index \(denseLimit)")
    }
    let isNumeric = inference.fields.columns.allSatisfy { $0.name != indexedLabel || $0.isNumeric }
    if !isNumeric { inference.warnings.append("\(name): the label is text and is left out") }
    return (
      try inference.indexedColumns(after: isNumeric ? [indexedLabel] : []), inference.warnings
    )
  }
}

/// One inference, from the summaries to the schema.
private struct Inference {
  let name: String
  let format: DataFormat
  let options: SchemaInference.Options
  let fields: FieldSummaries
  var warnings: [String] = []
  /// Whether there are too many levels for a column each.
  var isSparse = false

  mutating func schema() throws(MillraceError) -> Schema {
    try checkRecords()
    for repeated in fields.repeatedNames.sorted() {
      warnings.append("\(name): two fields are called '\(repeated)'; the first one counts")
    }
    let isIndexed = format == .libsvm
    guard let labelName = options.label ?? (isIndexed ? SchemaInference.indexedLabel : nil) else {
      throw .setting("label", nil, expected: "the field to predict")
    }
    let label = try field(labelName, as: "label")
    for (use, field) in [
      ("weight", options.weight), ("key", options.key), ("timestamp", options.timestamp),
    ] {
      if let field { _ = try self.field(field, as: use) }
    }
    let task = try task(of: label)
    let classes = classes(of: label, task: task)
    let last = fields.indices?.upperBound ?? 1
    if isIndexed && last > SchemaInference.denseLimit {
      for (key, names) in [
        ("features", options.features ?? []), ("exclude", options.exclude),
        ("interactions", options.interactions.map { $0.joined(separator: ":") }),
      ] {
        guard let first = names.first else { continue }
        throw .setting(key, first, expected: "none where features are sparse")
      }
      let bits = min(Int.bitWidth - last.leadingZeroBitCount, SchemaInference.greatestIndexBits)
      let width = max(SchemaInference.sparseWidth, 1 << bits)
      return Schema(task: task, sparseWidth: width, label: label.name, classes: classes)
    }
    let columns = try isIndexed ? indexedColumns() : columnsOrSparse()
    if columns.isEmpty {
      throw MillraceError(
        .input, "\(name): no field is left as a feature; its fields are \(fieldNames)")
    }
    var schema = Schema(
      task: task, columns: columns, label: label.name, classes: classes,
      weight: options.weight, key: options.key, timestamp: options.timestamp)
    let bits = options.hashBits.map { 1 << $0 }
    schema.sparseWidth = isIndexed ? nil : bits ?? (isSparse ? SchemaInference.sparseWidth : nil)
    if !options.interactions.isEmpty { schema.interactions = options.interactions }
    if !isIndexed {
      for factor in options.interactions.joined() { _ = try field(factor, as: "interactions") }
    }
    try schema.validate()
    return schema
  }

  func checkRecords() throws(MillraceError) {
    if fields.recordCount > 0 { return }
    let reason =
      if fields.unreadableCount > 0 {
        "none of its first \(fields.unreadableCount) records can be read"
      } else if fields.columns.isEmpty {
        "it is empty"
      } else {
        "it has a header and no records; its fields are \(fieldNames)"
      }
    throw MillraceError(.input, "\(name): \(reason)")
  }

  private func field(_ field: String, as use: String) throws(MillraceError) -> ColumnSummary {
    if let summary = fields[field] { return summary }
    throw absent(field, as: use, among: fields.columns.map(\.name))
  }

  /// - Parameter key: the setting that names it.
  private func absent(_ field: String, as key: String, among names: [String]) -> MillraceError {
    .setting(
      key, field,
      expected:
        "one of the fields of \(name): \(fieldList(names))\(suggestion(field, among: names))")
  }

  private var fieldNames: String { fieldList(fields.columns.map(\.name)) }

  // MARK: - The label

  private mutating func task(of label: ColumnSummary) throws(MillraceError) -> Task {
    func refuse(_ reason: String) -> MillraceError {
      MillraceError(.input, "\(name): the label '\(label.name)' \(reason)")
    }
    guard label.valueCount > 0 else {
      throw refuse("has no value in the first \(fields.recordCount) records")
    }
    if label.nestedCount > 0 { throw refuse("is an object or an array; expected one value") }
    let levels = label.occurrences.count
    let task = options.task ?? inferredTask(of: label)
    if task == .regression {
      if let text = label.firstText, !label.isNumeric {
        throw refuse("is \(text.debugDescription); a regression needs numbers")
      }
      return task
    }
    let some = label.levels.prefix(3).map(\.debugDescription).joined(separator: ", ")
    if task == .binary && levels > 2 {
      throw refuse("has \(levels) distinct values (\(some), …); a binary task needs two")
    }
    if levels > RecordDecoder.classLimit || (!label.isNumeric && label.isNearlyUnique) {
      throw refuse(
        "has \(levels) distinct values (\(some), …) in \(label.valueCount) records; classes repeat")
    }
    if levels == 1 {
      warnings.append(
        "\(name): the label '\(label.name)' is always \(some) in the first"
          + " \(fields.recordCount) records")
    }
    if task == .multiclass && options.task == nil && label.isNumeric {
      warnings.append(
        "\(name): the label '\(label.name)' has \(levels) distinct values"
          + " (\(some)\(levels > 3 ? ", …" : "")), taken for classes; --task regression says that"
          + " they are amounts")
    }
    return task
  }

  private func inferredTask(of label: ColumnSummary) -> Task {
    let levels = label.occurrences.count
    guard label.isNumeric else { return levels <= 2 ? .binary : .multiclass }
    if levels == 2 || (levels == 1 && label.isWhole) { return .binary }
    return label.isWhole && levels <= 20 && label.valueCount >= 10 * levels
      ? .multiclass : .regression
  }

  private func classes(of label: ColumnSummary, task: Task) -> [String] {
    if task == .regression { return [] }
    // Where one of 0 and 1 was seen, the other is known.
    let isFlag = task == .binary && Set(label.occurrences.keys).isSubset(of: ["0", "1"])
    return isFlag ? ["0", "1"] : label.levels
  }

  // MARK: - The features

  /// One column per index of LibSVM records, and those before.
  func indexedColumns(after first: [String] = []) throws(MillraceError) -> [Schema.Column] {
    let names = first + (fields.indices ?? 1...1).map(String.init)
    for (key, wanted) in [("features", options.features ?? []), ("exclude", options.exclude)] {
      for index in wanted where !names.contains(index) {
        throw absent(index, as: key, among: names)
      }
    }
    let wanted = options.features ?? names
    return names.filter { wanted.contains($0) && !options.exclude.contains($0) }
      .map { Schema.Column(name: $0, kind: .numeric) }
  }

  /// The columns; sparse ones where there would be too many.
  private mutating func columnsOrSparse() throws(MillraceError) -> [Schema.Column] {
    let before = warnings
    let columns = try columns()
    guard options.hashBits == nil, options.mayBeSparse else { return columns }
    let many = columns.first { if case .hashed = $0.kind { true } else { false } }
    let width = columns.reduce(0) { $0 + $1.width }
    let hasLevels = columns.contains { $0.kind != .numeric }
    guard many != nil || hasLevels && width > SchemaInference.denseLimit else { return columns }
    (isSparse, warnings) = (true, before)
    let reason =
      many.map { "'\($0.name)' has many levels" }
      ?? "there would be \(width) columns"
    warnings.append("\(name): \(reason): features are sparse, as with --hash-bits 18")
    return try self.columns()
  }

  private func column(_ summary: ColumnSummary, _ kind: Schema.ColumnKind) -> Schema.Column {
    let isCentered = kind == .numeric && (isSparse || options.hashBits != nil)
    return Schema.Column(
      name: summary.name, kind: kind, center: isCentered ? summary.center : nil)
  }

  mutating func columns() throws(MillraceError) -> [Schema.Column] {
    var columns: [Schema.Column] = []
    for name in options.exclude { _ = try field(name, as: "exclude") }
    if let features = options.features {
      for feature in features {
        let summary = try field(feature, as: "features")
        guard let kind = kind(of: summary, isWanted: true) else {
          throw MillraceError(
            .input, "\(name): the feature '\(feature)' is an object or an array; expected one value"
          )
        }
        columns.append(column(summary, kind))
      }
      return columns
    }
    let roles = [options.label, options.weight, options.key, options.timestamp]
    let others = Set(roles.compactMap(\.self) + options.exclude)
    for summary in fields.columns where !others.contains(summary.name) {
      if let kind = kind(of: summary, isWanted: false) { columns.append(column(summary, kind)) }
    }
    return columns
  }

  private func hasManyLevels(_ column: ColumnSummary) -> Bool {
    let levels = column.occurrences.count
    return levels > SchemaInference.levelLimit || levels > 64 && column.unseenShare > 0.02
  }

  /// How a field becomes numbers; `nil` when it is left out.
  private mutating func kind(of column: ColumnSummary, isWanted: Bool) -> Schema.ColumnKind? {
    func warn(_ reason: String) { self.warnings.append("\(name): '\(column.name)' \(reason)") }
    if column.valueCount == 0 {
      warn("has no value in the first \(fields.recordCount) records")
      return .numeric
    }
    if column.nestedCount > 0 {
      if !isWanted { warn("is an object or an array and left out") }
      return nil
    }
    if column.isNumeric {
      if let text = column.firstText {
        warn(
          "is \(text.debugDescription) in a record; it is read as a number, and what is none is"
            + " rejected")
      }
      return .numeric
    }
    let levels = column.occurrences.count
    if let bits = options.hashBits {
      return column.hasManyWords ? .words : .hashed(width: 1 << bits)
    }
    if column.isNearlyUnique && !isWanted {
      warn("has \(levels) distinct texts in \(column.valueCount) records and is left out")
      return nil
    }
    if isSparse { return .hashed(width: SchemaInference.sparseWidth) }
    if hasManyLevels(column) {
      warn("has \(levels) levels, which are hashed into \(SchemaInference.levelLimit) columns")
      return .hashed(width: SchemaInference.levelLimit)
    }
    return .categorical(levels: column.levels)
  }
}
