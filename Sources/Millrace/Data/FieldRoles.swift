internal import CMillraceKernels

/// What each field of a record is for, by a schema: what the decoding kernel is told.
struct FieldRoles {
  struct Role {
    var kind: millrace_role
    /// The first of its columns in the matrix.
    var slot = 0
    /// How many columns it has.
    var width = 0
    /// Its levels, or the classes.
    var levels: [String] = []
  }

  /// A field that is neither feature nor label nor weight.
  static let unused = Role(kind: millrace_role_none)

  private var roles: [String: Role] = [:]
  /// The fields that are used, in the schema's order.
  private(set) var names: [String] = []

  init(_ schema: Schema) {
    var slot = 0
    for (source, column) in schema.columns.enumerated() {
      if schema.sparseWidth != nil, column.kind != .numeric {
        let kind = column.kind == .words ? millrace_role_words : millrace_role_word
        add(column.name, Role(kind: kind, slot: source))
        continue
      }
      let width = column.width
      switch column.kind {
      case .numeric: add(column.name, Role(kind: millrace_role_number, slot: slot, width: width))
      case .categorical(let levels):
        add(
          column.name,
          Role(kind: millrace_role_level, slot: slot, width: width, levels: levels))
      case .hashed: add(column.name, Role(kind: millrace_role_hash, slot: slot, width: width))
      case .words: add(column.name, Self.unused)
      }
      slot += width
    }
    let isNumber = schema.task == .regression
    add(
      schema.label,
      Role(kind: isNumber ? millrace_role_target : millrace_role_class, levels: schema.classes))
    if let weight = schema.weight { add(weight, Role(kind: millrace_role_weight)) }
    for name in [schema.key, schema.timestamp].compactMap(\.self) where roles[name] == nil {
      add(name, Self.unused)
    }
  }

  private mutating func add(_ name: String, _ role: Role) {
    roles[name] = role
    names.append(name)
  }

  /// The role of a field.
  subscript(name: String) -> Role { roles[name] ?? Self.unused }
}
