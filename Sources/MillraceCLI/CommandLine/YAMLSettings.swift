internal import CYAML
package import Millrace

/// The keys of a YAML file in order: a mapping to scalars and to lists of scalars.
package struct YAMLSettings {
  /// What stands after a key.
  package enum Value: Equatable, Sendable {
    /// One text.
    case scalar(String)
    /// A list of texts.
    case sequence([String])
  }

  /// A key, its value, and where it stands.
  package struct Entry: Equatable, Sendable {
    /// The key.
    package var key: String
    /// The value.
    package var value: Value
    /// The key's line, from 1.
    package var line: Int
  }

  /// The keys in the file's order.
  package private(set) var entries: [Entry] = []

  /// Reads a file.
  ///
  /// - Throws: `configuration` when it cannot be read or is not such a file.
  package init(contentsOf path: String) throws(MillraceError) {
    let text: [UInt8]
    do {
      text = try DurableFile.read(path)
    } catch {
      throw MillraceError(.configuration, error.message)
    }
    try self.init(parsing: text, path: path)
  }

  /// Reads text; an empty one has no keys.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `configuration` with the line and what is wrong there.
  package init(parsing text: [UInt8], path: String) throws(MillraceError) {
    func malformed(_ line: Int, _ reason: String) -> MillraceError {
      MillraceError(.configuration, "\(path):\(line): \(reason)")
    }
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      throw MillraceError(.system, "libyaml cannot start")
    }
    defer { yaml_parser_delete(&parser) }
    var document = yaml_document_t()
    let loaded = text.withUnsafeBufferPointer { text in
      yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
      return yaml_parser_load(&parser, &document)
    }
    guard loaded == 1 else {
      let problem = parser.problem.map { String(cString: $0) } ?? "it is not YAML"
      throw malformed(Int(parser.problem_mark.line) + 1, problem)
    }
    defer { yaml_document_delete(&document) }
    guard let root = yaml_document_get_root_node(&document) else { return }
    guard root.pointee.type == YAML_MAPPING_NODE else {
      throw malformed(1, "expected settings, each 'key: value'")
    }

    let pairs = root.pointee.data.mapping.pairs
    for pair in UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start) {
      guard let key = yaml_document_get_node(&document, pair.key),
        let value = yaml_document_get_node(&document, pair.value)
      else { continue }
      let line = Int(key.pointee.start_mark.line) + 1
      guard let name = key.pointee.text else { throw malformed(line, "a key is not a text") }
      guard !entries.contains(where: { $0.key == name }) else {
        throw malformed(line, "\(name) is given twice")
      }
      let entryValue: Value
      if let text = value.pointee.text {
        entryValue = .scalar(text)
      } else if value.pointee.type == YAML_SEQUENCE_NODE {
        let items = value.pointee.data.sequence.items
        let nodes = UnsafeBufferPointer(start: items.start, count: items.top - items.start)
        let texts = nodes.map { yaml_document_get_node(&document, $0)?.pointee.text }
        guard !texts.contains(nil) else {
          throw malformed(line, "\(name) has an item that is not a single value")
        }
        entryValue = .sequence(texts.compactMap { $0 })
      } else {
        throw malformed(line, "\(name) holds settings of its own; expected a value or a list")
      }
      entries.append(Entry(key: name, value: entryValue, line: line))
    }
  }
}

extension yaml_node_t {
  /// A scalar's text; `nil` for anything else.
  fileprivate var text: String? {
    guard type == YAML_SCALAR_NODE else { return nil }
    return String(
      decoding: UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length),
      as: UTF8.self)
  }
}
