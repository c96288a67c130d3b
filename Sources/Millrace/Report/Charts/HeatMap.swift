/// Numbers over time as colours: a line of names, each with a strip of cells.
///
/// Cells of one colour are one path, and neighbours of one colour one stroke: small even when full.
package struct HeatMap {
  /// One strip.
  package struct Strip {
    /// What it shows.
    package var name: String
    /// A value per column; a gap where it is missing.
    package var values: [Double?]
    /// What to say where the pointer rests.
    package var title: String
    /// A row to mark.
    package var markedRow: Int?
  }

  /// The strips from top to bottom.
  package var strips: [Strip]
  /// Rows of the log per column.
  package var stride: Int
  /// The rows that the axis covers.
  package var rows: Int
  /// The value of the fullest colour; 0 has none.
  package var limit: Double

  private static let levels = 9
  private static let stripHeight = 18

  /// The drawing; `description` is read aloud instead of it.
  package func html(description: String) -> Node {
    let height = strips.count * Self.stripHeight
    let columns = Double(max(rows, 1)) / Double(max(stride, 1))
    return Node("div", ["class": "heat"]) {
      Node("ol", ["class": "names", "aria-hidden": "true"]) {
        for strip in strips { Node("li", ["title": strip.name]) { strip.name } }
      }
      Node(
        "svg",
        [
          "class": "time", "role": "img", "aria-label": description, "width": "100%",
          "height": "\(height + 22)",
        ]
      ) {
        Node(
          "svg",
          [
            "width": "100%", "height": "\(height)", "preserveAspectRatio": "none",
            "viewBox": "0 0 \(NumberText.place(columns * 10)) \(strips.count * 10)",
          ]
        ) {
          cells()
          marks()
        }
        titles()
        axis(at: height)
      }
    }
  }

  private func level(_ value: Double) -> Int {
    guard value.isFinite, limit > 0 else { return 0 }
    return min(Self.levels, max(0, Int((min(value / limit, 1) * Double(Self.levels)).rounded())))
  }

  private func cells() -> [Node] {
    var paths = Array(repeating: "", count: Self.levels + 1)
    for (line, strip) in strips.enumerated() {
      var column = 0
      while column < strip.values.count {
        guard let value = strip.values[column] else {
          column += 1
          continue
        }
        let level = level(value)
        let start = column
        while column < strip.values.count, strip.values[column].map(self.level) == level {
          column += 1
        }
        paths[level] += "M\(start * 10) \(line * 10 + 5)h\((column - start) * 10)"
      }
    }
    return paths.enumerated().compactMap { level, path in
      path.isEmpty ? nil : Node("path", ["class": "cell h\(level)", "d": path])
    }
  }

  private func marks() -> [Node] {
    let path = strips.enumerated().map { line, strip in
      strip.markedRow.map { row in
        "M\(NumberText.place(10 * Double(row) / Double(max(stride, 1)))) \(line * 10)v10"
      } ?? ""
    }.joined()
    return path.isEmpty ? [] : [Node("path", ["class": "mark", "d": path])]
  }

  private func titles() -> [Node] {
    strips.enumerated().map { line, strip in
      Node(
        "rect",
        [
          "class": "note", "width": "100%", "height": "\(Self.stripHeight)",
          "y": "\(line * Self.stripHeight)",
        ]
      ) {
        Node("title") { strip.title }
      }
    }
  }

  private func axis(at y: Int) -> [Node] {
    let scale = LinearScale(0, Double(rows), range: (0, 100))
    return scale.ticks(5).map { tick in
      Node(
        "text",
        [
          "class": "tick middle", "y": "\(y + 16)",
          "x": NumberText.place(100 * tick / Double(max(rows, 1))) + "%",
        ]
      ) {
        scale.label(tick, 5)
      }
    }
  }
}
