/// Which columns a record has and what each is for. Stored with the model: data is decoded the
/// same way wherever the model is used.
public struct Schema: Codable, Equatable, Sendable {
  /// How a feature column becomes numbers.
  public enum ColumnKind: Codable, Equatable, Sendable {
    /// One number.
    case numeric
    /// One 0/1 column per level; a level that is not listed sets none of them.
    case categorical(levels: [String])
    /// `width` 0/1 columns, for more levels than one would list: a hash of the level says which.
    case hashed(width: Int)
    /// A 0/1 column for each word, by its hash, where features are sparse.
    case words
  }

  /// A feature column of the records.
  public struct Column: Codable, Equatable, Sendable {
    /// The field's name in the records.
    public var name: String
    /// How it becomes numbers.
    public var kind: ColumnKind
    /// What is taken from a number where features are sparse, as these are not centred as they
    /// come: nothing, or a mean that is known beforehand.
    public var center: Float?

    /// A column.
    public init(name: String, kind: ColumnKind, center: Float? = nil) {
      self.name = name
      self.kind = kind
      self.center = center
    }

    /// How many columns of the matrix it becomes.
    public var width: Int {
      switch kind {
      case .numeric: 1
      case .categorical(let levels): levels.count
      case .hashed(let width): width
      case .words: 0
      }
    }
  }

  /// What is learnt.
  public var task: Task
  /// The feature columns in the order of the matrix. Fields match by name.
  public var columns: [Column]
  /// The label's field.
  public var label: String
  /// The classes in the order of their indices; empty for regression.
  public var classes: [String]
  /// The field that holds the importance of a record.
  public var weight: String?
  /// The field that holds a record's key.
  public var key: String?
  /// The field that holds a record's time.
  public var timestamp: String?
  /// For records with many features, of which few are not 0: how many there are, a power of two.
  ///
  /// LibSVM records have no columns then, and indices from the width on are folded back below it.
  /// Columns of other records have no places of their own: a hash of the name, and of the level or
  /// word, says which of the features it is (Weinberger et al. 2009, "Feature hashing").
  public var sparseWidth: Int?
  /// Pairs of columns whose products are features too, with categorical columns for each of their
  /// levels. In a dense matrix they are columns like any other, behind those of `columns`:
  /// standardised, and watched for drift, as only they show that two columns vary together in
  /// another way.
  public var interactions: [[String]]?

  /// A schema of named columns.
  public init(
    task: Task, columns: [Column], label: String, classes: [String] = [], weight: String? = nil,
    key: String? = nil, timestamp: String? = nil
  ) {
    self.task = task
    self.columns = columns
    self.label = label
    self.classes = classes
    self.weight = weight
    self.key = key
    self.timestamp = timestamp
  }

  /// The label where nothing is learnt: no record has such a field.
  static let noLabel = "\0"

  /// A schema of sparse features, for LibSVM records.
  public init(task: Task, sparseWidth: Int, label: String, classes: [String] = []) {
    self.init(task: task, columns: [], label: label, classes: classes)
    self.sparseWidth = sparseWidth
  }

  /// The columns of the matrix, when it is dense.
  public var featureCount: Int { sparseWidth == nil ? numberCount : 0 }

  /// The numbers that a record is decoded to; where features are sparse, its numeric columns.
  var numberCount: Int {
    if sparseWidth != nil { return columns.count { $0.kind == .numeric } }
    let products = ProductColumns(self)
    return products.inputCount + products.count
  }

  /// The name of each column of the matrix: a numeric column's own, `name=level` for a level,
  /// `name#index` for a hash, and `first:second` of these for a product.
  public var featureNames: [String] {
    if sparseWidth != nil { return [] }
    let names = columns.flatMap { column -> [String] in
      switch column.kind {
      case .numeric: [column.name]
      case .categorical(let levels): levels.map { "\(column.name)=\($0)" }
      case .hashed(let width): (0..<width).map { "\(column.name)#\($0)" }
      case .words: []
      }
    }
    return names + ProductColumns(self).names(from: names)
  }

  /// Whether a class that is not known yet is added when it appears: always with several classes,
  /// and with two until both were seen.
  public var hasOpenClasses: Bool {
    switch task {
    case .regression: false
    case .binary: classes.count < 2
    case .multiclass: true
    }
  }

  /// Whether the rows of another schema are rows of this one.
  func hasColumns(of other: Schema) -> Bool {
    columns == other.columns && sparseWidth == other.sparseWidth
      && (interactions ?? []) == (other.interactions ?? [])
  }

  /// Whether rows, labels and class indices mean the same in another schema; either may know classes
  /// that came later.
  func isComparable(to other: Schema) -> Bool {
    task == other.task && hasColumns(of: other) && zip(classes, other.classes).allSatisfy(==)
  }

  /// Checks what a schema from outside must fulfil before anything is decoded by it.
  ///
  /// - Throws: `configuration` with the column and what is wrong with it.
  public func validate() throws(MillraceError) {
    func refuse(_ reason: String) -> MillraceError {
      MillraceError(.configuration, "the schema is not valid: \(reason)")
    }
    var names: Set<String> = []
    for column in columns {
      guard names.insert(column.name).inserted else {
        throw refuse("there are two columns '\(column.name)'")
      }
      switch column.kind {
      case .numeric: break
      case .categorical(let levels):
        guard !levels.isEmpty, Set(levels).count == levels.count else {
          throw refuse("the levels of '\(column.name)' are empty or not distinct")
        }
      case .words:
        guard sparseWidth != nil else {
          throw refuse("'\(column.name)' has words, which need sparse features")
        }
      case .hashed(let width):
        guard sparseWidth != nil || (1...1 << 20).contains(width) else {
          throw refuse("'\(column.name)' is hashed into \(width) columns; expected 1 to \(1 << 20)")
        }
      }
    }
    if let column = columns.first(where: { $0.center?.isFinite == false }) {
      throw refuse("the center of '\(column.name)' is not finite")
    }
    guard names.insert(label).inserted else {
      throw refuse("the label '\(label)' is a feature too")
    }
    if let weight, !names.insert(weight).inserted {
      throw refuse("the weight '\(weight)' is a feature or the label too")
    }
    if let sparseWidth {
      guard (1...1 << 32).contains(sparseWidth), sparseWidth.nonzeroBitCount == 1 else {
        throw refuse("it has \(sparseWidth) sparse features; expected a power of two up to 2³²")
      }
    }
    if interactions != nil {
      try checkInteractions()
      var features: Set<String> = []
      for feature in featureNames where !features.insert(feature).inserted {
        throw refuse("there are two columns '\(feature)'")
      }
    }
    guard Set(classes).count == classes.count else { throw refuse("two classes are the same") }
    if task == .regression && !classes.isEmpty {
      throw refuse("a regression has no classes, but \(classes.count) are listed")
    }
    if task == .binary && classes.count > 2 {
      throw refuse("\(classes.count) classes are listed for a binary task; expected at most 2")
    }
  }
}
