/// Line panels and lanes of events over one axis of rows, as wide as the page.
///
/// Horizontal places are shares of the width and lines keep their thickness, so that text has the
/// same size on a telephone and on paper. Labels of the vertical axes hang out to the left: the
/// container leaves room for them.
package struct TimePlot {
  /// A line.
  package struct Line {
    /// What it shows.
    package var name: String
    /// The class that gives it its colour.
    package var style: String
    /// Row and value; a gap where the value is missing.
    package var points: [(row: Double, value: Double?)]
  }

  /// Lines over one vertical axis.
  package struct Panel {
    /// What the axis measures.
    package var title: String
    /// The lines, the first one on top.
    package var lines: [Line]
    /// In pixels.
    package var height: Double
  }

  /// Events of one kind.
  package struct Lane {
    /// What they are.
    package var name: String
    /// The symbol that marks them, and its class.
    package var symbol: String
    /// Where, and what to say about it.
    package var marks: [(row: Double, title: String)]
  }

  /// The rows from 0 that the axis covers.
  package var rows: Double
  /// The panels from top to bottom.
  package var panels: [Panel]
  /// The lanes below them.
  package var lanes: [Lane] = []
  /// Rows at which a thin line goes through all panels.
  package var guides: [Double] = []
  /// What to say where the pointer rests.
  package var notes: [(rows: Range<Double>, title: String)] = []

  private static let titleHeight = 34.0
  private static let laneHeight = 20.0
  /// The width in units of the drawing that stands for all rows.
  private static let unit = 1000.0

  /// The drawing; `description` is read aloud instead of it.
  package func svg(description: String) -> Node {
    let panelsHeight = panels.reduce(0) { $0 + $1.height + Self.titleHeight }
    let lanesTop = panelsHeight + 8
    let lanesBottom = lanesTop + Double(lanes.count) * Self.laneHeight
    let height = NumberText.place(lanesBottom + 22)
    return Node(
      "svg",
      [
        "class": "time", "role": "img", "aria-label": description, "width": "100%",
        "height": height,
      ]
    ) {
      guideLines(to: lanesBottom)
      panelNodes()
      laneNodes(top: lanesTop)
      axis(at: lanesBottom)
      noteNodes(height: lanesBottom)
    }
  }

  private func share(_ row: Double) -> String {
    NumberText.place(100 * row / max(rows, 1)) + "%"
  }

  private func guideLines(to bottom: Double) -> [Node] {
    guides.map { row in
      Node(
        "line",
        [
          "class": "guide", "x1": share(row), "x2": share(row), "y1": "\(Int(Self.titleHeight))",
          "y2": NumberText.place(bottom),
        ])
    }
  }

  private func panelNodes() -> [Node] {
    var top = 0.0
    return panels.flatMap { panel in
      defer { top += Self.titleHeight + panel.height }
      return nodes(of: panel, top: top + Self.titleHeight)
    }
  }

  private func nodes(of panel: Panel, top: Double) -> [Node] {
    let scale = LinearScale(
      covering: Self.robustRange(panel.lines), range: (panel.height - 1, 1))
    var nodes = [
      Node("text", ["class": "title", "y": NumberText.place(top - 8)]) { panel.title }
    ]
    for tick in scale.ticks(4) {
      let y = NumberText.place(top + scale(tick))
      nodes.append(Node("line", ["class": "grid", "x2": "100%", "y1": y, "y2": y]))
      nodes.append(
        Node("text", ["class": "tick end", "x": "-8", "y": y, "dy": ".32em"]) {
          scale.label(tick, 4)
        })
    }
    nodes.append(
      Node(
        "svg",
        [
          "y": NumberText.place(top), "width": "100%", "height": NumberText.place(panel.height),
          "viewBox": "0 0 \(Int(Self.unit)) \(Int(panel.height))", "preserveAspectRatio": "none",
        ]
      ) {
        for line in panel.lines.reversed() {
          Node("path", ["class": "line \(line.style)", "d": path(line.points, scale)])
        }
      })
    return nodes
  }

  /// From 0 to what nearly all points reach, and twice that if need be: one bad start must not
  /// flatten the rest.
  private static func robustRange(_ lines: [Line]) -> [Double] {
    let values = lines.flatMap { $0.points.compactMap(\.value) }.filter(\.isFinite).sorted()
    guard let largest = values.last else { return [0, 1] }
    let typical = values[(values.count - 1) * 98 / 100] * 2.5
    return [min(0, values[0]), min(largest, max(typical, .leastNormalMagnitude))]
  }

  private func path(_ points: [(row: Double, value: Double?)], _ scale: LinearScale) -> String {
    var path = ""
    var penIsDown = false
    for point in points {
      guard let value = point.value, value.isFinite else {
        penIsDown = false
        continue
      }
      let x = NumberText.place(Self.unit * point.row / max(rows, 1))
      path += "\(penIsDown ? "L" : "M")\(x) \(NumberText.place(scale(value)))"
      penIsDown = true
    }
    return path
  }

  private func laneNodes(top: Double) -> [Node] {
    lanes.enumerated().flatMap { index, lane in
      let y = NumberText.place(top + (Double(index) + 0.5) * Self.laneHeight)
      var nodes = [
        Node("line", ["class": "grid", "x2": "100%", "y1": y, "y2": y]),
        Node("text", ["class": "tick end", "x": "-8", "y": y, "dy": ".32em"]) { lane.name },
      ]
      for mark in lane.marks {
        nodes.append(
          Node("use", ["href": "#\(lane.symbol)", "x": share(mark.row), "y": y]) {
            Node("title") { mark.title }
          })
      }
      return nodes
    }
  }

  private func axis(at y: Double) -> [Node] {
    let scale = LinearScale(0, rows, range: (0, 100))
    return scale.ticks(5).map { tick in
      Node("text", ["class": "tick middle", "x": share(tick), "y": NumberText.place(y + 16)]) {
        scale.label(tick, 5)
      }
    }
  }

  private func noteNodes(height: Double) -> [Node] {
    notes.map { note in
      Node(
        "rect",
        [
          "class": "note", "x": share(note.rows.lowerBound),
          "width": share(note.rows.upperBound - note.rows.lowerBound),
          "height": NumberText.place(height),
        ]
      ) {
        Node("title") { note.title }
      }
    }
  }

  /// The symbols that lanes refer to: once a page.
  package static let symbols: Node = Node("svg", ["class": "symbols", "aria-hidden": "true"]) {
    Node("defs") {
      for (name, shape) in [
        ("alarm", "M0-5.5L5.5 4.5H-5.5Z"), ("retraining", "M0-5.5L5.5 0L0 5.5L-5.5 0Z"),
        ("swap", "M-4.5-4.5H4.5V4.5H-4.5Z"), ("rejected", "M-4-4L4 4M4-4L-4 4"),
        ("restart", "M0-6V6"), ("divergence", "M-5 5L0-5L5 5"),
      ] {
        Node("path", ["id": name, "class": "symbol \(name)", "d": shape])
      }
    }
  }
}
