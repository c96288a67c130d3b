extension RunPage {
  /// Losses over time, with what happened below them.
  func timeline() -> Node? {
    guard history.rows > 1 else { return nil }
    let loss = report.metrics.first?.name ?? "loss"
    let window = max(1, history.learnerLoss.sums.count / 50)
    let windowed = lines { $0.windowedMeans(points: window) }
    let plot = TimePlot(
      rows: Double(history.rows),
      panels: [
        TimePlot.Panel(
          title:
            "\(loss) over the last \(NumberText.count(window * history.learnerLoss.stride)) rows",
          lines: windowed, height: 230),
        TimePlot.Panel(
          title: "\(loss) over all rows so far", lines: lines { $0.cumulativeMeans() },
          height: 130),
      ],
      lanes: lanes(), guides: guides(), notes: notes(windowed))
    return PageParts.section(
      "Timeline", id: "timeline",
      lead: "Every row is predicted before it is learnt. The axis counts rows."
    ) {
      PageParts.legend(windowed.map { ($0.name, $0.style) })
      Node("figure", ["class": "plot"]) { plot.svg(description: description(of: windowed)) }
      PageParts.folded("The numbers") { numbers(windowed) }
      if history.events.count > 0 {
        PageParts.folded("The events") {
          if history.events.omitted > 0 {
            Node("p", ["class": "muted"]) {
              "The first \(history.events.first.count) and the last "
              "\(history.events.newest.count) of \(NumberText.count(history.events.count))."
            }
          }
          eventTable()
        }
      }
    }
  }

  private func lines(_ means: (DecimatedSeries) -> [Double?]) -> [TimePlot.Line] {
    [
      ("learner", "learner", history.learnerLoss), ("version served", "served", history.servedLoss),
      ("no change", "still", history.noChangeLoss), ("base rate", "base", history.baseRateLoss),
    ].compactMap { name, style, series in
      guard series.mean != nil else { return nil }
      return TimePlot.Line(
        name: name, style: style,
        points: means(series).enumerated().map { point, value in
          // Squared errors are averaged; their root is in the target's unit.
          (
            row: Double(series.endRow(of: point)),
            value: report.task == .regression ? value?.squareRoot() : value
          )
        })
    }
  }

  private func description(of lines: [TimePlot.Line]) -> String {
    let parts = lines.compactMap { line -> String? in
      let values = line.points.compactMap(\.value)
      guard let first = values.first, let last = values.last else { return nil }
      return "\(line.name) from \(NumberText.significant(first)) to \(NumberText.significant(last))"
    }
    return "Loss by row: \(parts.joined(separator: ", ")); events marked below."
  }

  // MARK: - Events

  private func lanes() -> [TimePlot.Lane] {
    let names: [RunEvent.Kind: String] = [
      .alarm: "alarm", .retraining: "retrained", .swap: "swapped", .rejected: "rejected",
      .restart: "restarted", .divergence: "diverged",
    ]
    return RunEvent.Kind.allCases.enumerated().compactMap { index, kind in
      guard let count = history.eventCounts[kind], count > 0 else { return nil }
      let marks =
        history.events.omitted > 0
        ? densityMarks(index) : Self.marks(history.events.kept.filter { $0.kind == kind })
      return TimePlot.Lane(
        name: names[kind] ?? kind.rawValue, symbol: kind.rawValue, marks: marks)
    }
  }

  /// Where events are too many to be told apart: a mark for all in a stretch of rows.
  private func densityMarks(_ kind: Int) -> [(row: Double, title: String)] {
    let stretch = history.eventDensity.stride
    return history.eventDensity.series(kind).enumerated().compactMap { column, count in
      guard let count else { return nil }
      let title =
        "\(NumberText.count(Int(count))) before row \(NumberText.count((column + 1) * stretch))"
      return (min((Double(column) + 0.5) * Double(stretch), Double(history.rows)), title)
    }
  }

  /// One mark per row, however many events it has.
  private static func marks(_ events: [RunEvent]) -> [(row: Double, title: String)] {
    var marks: [(row: Double, title: String)] = []
    for event in events {
      let text = words(event)
      if let last = marks.last, last.row == Double(event.atRow) {
        // A few are enough to know what it is about.
        if last.title.utf8.count < 300 { marks[marks.count - 1].title += "\n\(text)" }
      } else {
        marks.append((Double(event.atRow), "row \(NumberText.count(event.atRow)): \(text)"))
      }
    }
    return marks
  }

  private static func words(_ event: RunEvent) -> String {
    [event.feature, event.version.map { "version \($0)" }, event.detail]
      .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// Lines through the panels at alarms, as long as they help more than they hide.
  private func guides() -> [Double] {
    guard history.events.omitted == 0 else { return [] }
    let rows = Set(history.events.kept.filter { $0.kind == .alarm }.map(\.atRow)).sorted()
    return rows.count <= 30 ? rows.map(Double.init) : []
  }

  private func eventTable() -> Node {
    PageParts.table(
      ["row", "event", "what"], numbers: [0],
      history.events.kept.map { event in
        [
          PageParts.number(NumberText.count(event.atRow)), PageParts.cell(event.kind.rawValue),
          PageParts.cell(Self.words(event)),
        ]
      })
  }

  // MARK: - Numbers

  /// Some dozens of places at which the lines are told in numbers.
  private func samples(_ lines: [TimePlot.Line], count: Int) -> [Int] {
    let points = lines.first?.points.count ?? 0
    return (0..<min(count, points)).map { (($0 + 1) * points / min(count, points)) - 1 }
  }

  private func notes(_ lines: [TimePlot.Line]) -> [(rows: Range<Double>, title: String)] {
    var start = 0.0
    return samples(lines, count: 48).map { point in
      let end = lines[0].points[point].row
      defer { start = end }
      let values = lines.map { line in
        "\(line.name) \(NumberText.significant(line.points[point].value))"
      }
      let title = "up to row \(NumberText.count(Int(end)))\n\(values.joined(separator: "\n"))"
      return (start..<max(start, end), title)
    }
  }

  private func numbers(_ lines: [TimePlot.Line]) -> Node {
    PageParts.table(
      ["up to row"] + lines.map(\.name), numbers: Set(0...lines.count),
      samples(lines, count: 24).map { point in
        [PageParts.number(NumberText.count(Int(lines[0].points[point].row)))]
          + lines.map { PageParts.number(NumberText.significant($0.points[point].value)) }
      })
  }

  // MARK: - Versions

  /// Where versions came from, and what the gate said.
  func versions() -> Node? {
    guard history.versions.count > 0 else { return nil }
    return PageParts.section(
      "Versions", id: "versions",
      lead:
        "A challenger is served once its loss on the latest rows is no worse than the champion's."
    ) {
      PageParts.table(
        ["version", "at row", "learnt rows", "", "parent", "why", "its loss", "champion’s", ""],
        numbers: [0, 1, 2, 4, 6, 7], history.versions.kept.map(versionCells))
      if history.versions.omitted > 0 {
        Node("p", ["class": "muted"]) {
          "\(NumberText.count(history.versions.omitted)) versions between the first and the last "
          "ones are not shown."
        }
      }
    }
  }

  private func versionCells(_ version: VersionRecord) -> [Node] {
    let learnt = version.learntRows
    let rows = Double(max(history.rows, 1))
    return [
      PageParts.number(version.version.map(String.init) ?? NumberText.missing),
      PageParts.number(NumberText.count(version.atRow)),
      PageParts.number(
        "\(NumberText.count(learnt.lowerBound)) – \(NumberText.count(learnt.upperBound))"),
      PageParts.bar(
        from: Double(learnt.lowerBound) / rows, to: Double(learnt.upperBound) / rows,
        style: version.rejection == nil ? "fill-learner" : "fill-base", isNarrow: true),
      PageParts.number(version.parent.map(String.init) ?? NumberText.missing),
      PageParts.cell(version.reason),
      PageParts.number(NumberText.significant(version.gate?.challengerLoss)),
      PageParts.number(NumberText.significant(version.gate?.championLoss)),
      Node("td") {
        if let rejection = version.rejection {
          Node("span", ["class": "badge alarm"]) { "rejected" }
          " \(rejection)"
        } else {
          Node("span", ["class": "badge swap"]) { "published" }
        }
      },
    ]
  }
}
