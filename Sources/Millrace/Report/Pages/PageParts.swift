internal import FoundationEssentials

/// What all pages are made of.
enum PageParts {
  /// A whole page: self-contained, with its data as JSON at the end.
  static func page(title: String, data: String, @NodeBuilder _ body: () -> [Node]) -> String {
    let page = Node("html", ["lang": "en"]) {
      Node("head") {
        Node("meta", ["charset": "utf-8"])
        Node("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        Node("title") { title }
        Node("style") { Node.verbatim(PageStyle.sheet) }
      }
      Node("body") {
        body()
        Node("script", ["type": "application/json", "id": "report"]) { Node.verbatim(data) }
      }
    }
    return "<!DOCTYPE html>\n\(page.markup)\n"
  }

  /// A value as JSON that can stand in a `script` element: sorted keys, and no `<`, `>` or `&`.
  /// Numbers that JSON cannot say are the strings `NaN`, `Infinity` and `-Infinity`.
  static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    guard let data = try? encoder.encode(value) else { return "null" }
    var output = ""
    // These three occur inside strings only, where an escape means the same.
    for scalar in String(decoding: data, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "<": output += "\\u003c"
      case ">": output += "\\u003e"
      case "&": output += "\\u0026"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }

  /// A part of a page.
  static func section(
    _ title: String, id: String, lead: String = "", @NodeBuilder _ body: () -> [Node]
  ) -> Node {
    Node("section", ["id": id]) {
      Node("h2") { title }
      if !lead.isEmpty { Node("p", ["class": "lead"]) { lead } }
      body()
    }
  }

  /// Numbers in a row.
  static func tiles(_ tiles: [(name: String, value: String)]) -> Node {
    Node("dl", ["class": "tiles"]) {
      for tile in tiles {
        Node("div") {
          Node("dt") { tile.name }
          Node("dd") { tile.value }
        }
      }
    }
  }

  /// A table; columns named in `numbers` are aligned to the right.
  static func table(_ head: [String], numbers: Set<Int> = [], _ rows: [[Node]]) -> Node {
    Node("div", ["class": "scroll"]) {
      Node("table") {
        Node("thead") {
          Node("tr") {
            for (column, title) in head.enumerated() {
              Node("th", numbers.contains(column) ? ["class": "n"] : [:]) { title }
            }
          }
        }
        Node("tbody") {
          for row in rows { Node("tr") { row } }
        }
      }
    }
  }

  /// A cell of text.
  static func cell(_ text: String) -> Node { Node("td") { text } }
  /// A cell of a name that came from outside: breaks anywhere.
  static func name(_ text: String) -> Node {
    Node("th", ["class": "name", "scope": "row"]) { text }
  }
  /// A cell of a number.
  static func number(_ text: String, isBest: Bool = false) -> Node {
    Node("td", ["class": isBest ? "n best" : "n"]) { text }
  }

  /// A cell with a bar from `start` to `end`, shares of its width.
  static func bar(
    from start: Double, to end: Double, style: String, isNarrow: Bool = false
  ) -> Node {
    let (left, right) = (min(start, end), max(start, end))
    return Node("td", ["class": isNarrow ? "bar narrow" : "bar"]) {
      Node("svg", ["width": "100%", "height": "12", "aria-hidden": "true"]) {
        Node(
          "rect",
          [
            "class": style, "x": NumberText.place(100 * left) + "%", "height": "12",
            "width": NumberText.place(max(100 * (right - left), 0.2)) + "%",
          ])
      }
    }
  }

  /// What lines mean.
  static func legend(_ entries: [(name: String, style: String)]) -> Node {
    Node("ul", ["class": "legend"]) {
      for entry in entries {
        Node("li") {
          Node("svg", ["width": "20", "height": "8", "aria-hidden": "true"]) {
            Node("path", ["class": "line \(entry.style)", "d": "M0 4H20"])
          }
          entry.name
        }
      }
    }
  }

  /// What is folded away: the numbers behind a drawing.
  static func folded(_ summary: String, @NodeBuilder _ body: () -> [Node]) -> Node {
    Node("details") {
      Node("summary") { summary }
      body()
    }
  }

  /// Says when not all are shown.
  static func omission(_ shown: Int, of all: Int) -> String {
    shown < all ? "The first \(shown) of \(NumberText.count(all)) are shown." : ""
  }

  /// `1 alarm`, `3 alarms`, `no alarms`.
  static func counted(_ count: Int, _ noun: String) -> String {
    "\(count == 0 ? "no" : NumberText.count(count)) \(noun)\(count == 1 ? "" : "s")"
  }
}
