/// A plot of a fixed size with two axes: what small charts are drawn in.
package struct PlotFrame {
  /// The width and the height of the drawing.
  package let size: (width: Double, height: Double)
  /// The horizontal scale.
  package let x: LinearScale
  /// The vertical scale, which grows upwards.
  package let y: LinearScale

  private static let margin = (left: 44.0, right: 16.0, top: 24.0, bottom: 38.0)

  /// A frame over two ranges of values.
  package init(height: Double, x: (Double, Double), y: (Double, Double)) {
    let margin = Self.margin
    size = (320, height)
    self.x = LinearScale(x.0, x.1, range: (margin.left, size.width - margin.right))
    self.y = LinearScale(y.0, y.1, range: (height - margin.bottom, margin.top))
  }

  /// The drawing with its axes; `description` is read aloud instead of it.
  package func svg(
    xTitle: String, yTitle: String, description: String, @NodeBuilder _ content: () -> [Node]
  ) -> Node {
    let viewBox = "0 0 \(NumberText.place(size.width)) \(NumberText.place(size.height))"
    return Node(
      "svg", ["class": "small", "role": "img", "aria-label": description, "viewBox": viewBox]
    ) {
      axes(xTitle: xTitle, yTitle: yTitle)
      content()
    }
  }

  /// A line through points.
  package func line(_ points: [(x: Double, y: Double)], style: String) -> Node {
    Node("path", ["class": "line \(style)", "d": path(points)])
  }

  /// Right-continuous steps, from `start` up to the first point: each value holds from its place to
  /// the next one.
  package func steps(_ points: [(x: Double, y: Double)], from start: Double, style: String) -> Node
  {
    var path = "M\(place(points.first?.x ?? 0, start))"
    for point in points {
      path += "H\(NumberText.place(x(point.x)))V\(NumberText.place(y(point.y)))"
    }
    return Node("path", ["class": "line \(style)", "d": path])
  }

  /// A column that stands on the horizontal axis.
  package func column(at x: Double, width: Double, height: Double, style: String) -> Node {
    let (left, right) = (self.x(x - width / 2), self.x(x + width / 2))
    let (bottom, top) = (y.range.start, y(y.domain.lowerBound + height))
    return Node(
      "rect",
      [
        "class": style, "x": NumberText.place(left), "y": NumberText.place(top),
        "width": NumberText.place(right - left), "height": NumberText.place(bottom - top),
      ])
  }

  /// A dot.
  package func dot(_ x: Double, _ y: Double, radius: Double, style: String, title: String) -> Node {
    Node(
      "circle",
      [
        "class": style, "cx": NumberText.place(self.x(x)), "cy": NumberText.place(self.y(y)),
        "r": NumberText.place(radius),
      ]
    ) {
      Node("title") { title }
    }
  }

  private func path(_ points: [(x: Double, y: Double)]) -> String {
    var path = ""
    for point in points { path += "\(path.isEmpty ? "M" : "L")\(place(point.x, point.y))" }
    return path
  }

  private func place(_ x: Double, _ y: Double) -> String {
    "\(NumberText.place(self.x(x))) \(NumberText.place(self.y(y)))"
  }

  @NodeBuilder private func axes(xTitle: String, yTitle: String) -> [Node] {
    let (left, right) = (NumberText.place(x.range.start), NumberText.place(x.range.end))
    let bottom = y.range.start
    for tick in y.ticks(4) {
      let place = NumberText.place(y(tick))
      Node("line", ["class": "grid", "x1": left, "x2": right, "y1": place, "y2": place])
      Node(
        "text",
        ["class": "tick end", "x": NumberText.place(x.range.start - 6), "y": place, "dy": ".32em"]
      ) {
        y.label(tick, 4)
      }
    }
    for tick in x.ticks(4) {
      Node(
        "text",
        [
          "class": "tick middle", "x": NumberText.place(x(tick)),
          "y": NumberText.place(bottom + 14),
        ]
      ) {
        x.label(tick, 4)
      }
    }
    Node(
      "text",
      ["class": "axis end", "x": right, "y": NumberText.place(size.height - 6)]
    ) { xTitle }
    Node("text", ["class": "axis", "x": left, "y": "12"]) { yTitle }
  }
}
