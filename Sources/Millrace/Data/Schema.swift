/// Which columns a record has and what each is for. Stored with the model: data is decoded the
/// same way wherever the model is used.
public struct Schema: Codable, Equatable, Sendable {
  /// How a feature column becomes numbers.
  public enum ColumnKind: Codable, Equatable, Sendable {
    /// One number.
    case numeric
    /// One 0/1 column per level; a level that is not listed sets none of them.
    case categorical(levels: [String])
  }

  /// A feature column of the records.
  public struct Column: Codable, Equatable, Sendable {
    /// The field's name in the records.
    public var name: String
    /// How it becomes numbers.
    public var kind: ColumnKind

    /// A column.
    public init(name: String, kind: ColumnKind) {
      self.name = name
      self.kind = kind
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

  /// A schema.
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

  /// The name of each column of the matrix: a numeric column's own, `name=level` for a level.
  public var featureNames: [String] {
    columns.flatMap { column in
      switch column.kind {
      case .numeric: [column.name]
      case .categorical(let levels): levels.map { "\(column.name)=\($0)" }
      }
    }
  }
}
