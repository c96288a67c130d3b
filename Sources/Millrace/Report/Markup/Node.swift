/// A piece of HTML or SVG. What is outside text stays text: everything is escaped when written,
/// except what is `verbatim`.
package indirect enum Node {
  /// An element with its attributes in order.
  case element(name: String, attributes: [(name: String, value: String)], children: [Node])
  /// Text.
  case text(String)
  /// Markup written as it is: for style sheets and what is escaped already.
  case verbatim(String)

  /// An element; children are nodes, strings (as text), conditions and loops over them.
  package init(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
    @NodeBuilder _ children: () -> [Node] = { [] }
  ) {
    self = .element(
      name: name, attributes: attributes.map { (name: $0.key, value: $0.value) },
      children: children())
  }

  /// The markup.
  package var markup: String {
    var output = ""
    write(to: &output)
    return output
  }

  /// Elements without content, which are closed where they open; well-formed as XML too.
  private static let void: Set<String> = [
    "br", "circle", "col", "line", "meta", "path", "rect", "use",
  ]

  private func write(to output: inout String) {
    switch self {
    case .text(let text): output.appendEscaped(text)
    case .verbatim(let markup): output += markup
    case .element(let name, let attributes, let children):
      output += "<\(name)"
      for attribute in attributes {
        output += " \(attribute.name)=\""
        output.appendEscaped(attribute.value)
        output += "\""
      }
      if children.isEmpty && Self.void.contains(name) {
        output += "/>"
        return
      }
      output += ">"
      for child in children { child.write(to: &output) }
      output += "</\(name)>"
    }
  }
}

/// Collects nodes from statements.
@resultBuilder
package enum NodeBuilder {
  /// A node.
  package static func buildExpression(_ node: Node) -> [Node] { [node] }
  /// Several nodes.
  package static func buildExpression(_ nodes: [Node]) -> [Node] { nodes }
  /// Text.
  package static func buildExpression(_ text: String) -> [Node] { [.text(text)] }
  /// One after the other.
  package static func buildBlock(_ parts: [Node]...) -> [Node] { parts.flatMap { $0 } }
  /// `if` without `else`.
  package static func buildOptional(_ part: [Node]?) -> [Node] { part ?? [] }
  /// `if`.
  package static func buildEither(first part: [Node]) -> [Node] { part }
  /// `else`.
  package static func buildEither(second part: [Node]) -> [Node] { part }
  /// `for`.
  package static func buildArray(_ parts: [[Node]]) -> [Node] { parts.flatMap { $0 } }
}

extension String {
  /// Appends text so that it reads the same in an element and in a quoted attribute; characters
  /// that XML does not allow become U+FFFD.
  fileprivate mutating func appendEscaped(_ text: String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": self += "&amp;"
      case "<": self += "&lt;"
      case ">": self += "&gt;"
      case "\"": self += "&quot;"
      case "\t", "\n", "\r": unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}", "\u{FFFE}", "\u{FFFF}": self += "\u{FFFD}"
      default: unicodeScalars.append(scalar)
      }
    }
  }

  /// At most `length` Unicode scalars; a longer text keeps its beginning and end around an ellipsis.
  package func shortened(to length: Int) -> String {
    // By Unicode scalars, because one grapheme may have any number of bytes. A prefix is enough to
    // know that a text is long; counting a megabyte is not needed.
    guard unicodeScalars.prefix(length + 1).count > length else { return self }
    let (start, end) = (
      unicodeScalars.prefix(length - length / 3 - 1), unicodeScalars.suffix(length / 3)
    )
    return "\(Substring(start))…\(Substring(end))"
  }
}
