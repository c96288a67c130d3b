extension RunReport {
  /// The report as one self-contained HTML page: no script, no reference to the network, at most
  /// 300 kB, and the same bytes for the same report. Its data is embedded as JSON, in a `script`
  /// element whose id is `report`. Sections without data are left out.
  public func html() -> String {
    ReportLimits.fitting { RunPage(complete: self, report: bounded(by: $0)).html }
  }
}

/// The page of a run: what was learnt and how well first, how to get it again last.
struct RunPage {
  /// All there is: what totals are of.
  let complete: RunReport
  /// What is shown.
  let report: RunReport
  var history: RunHistory { report.history }

  var html: String {
    let sections = [
      timeline(), versions(), drift(), quality(), weights(), data(), reproduction(),
    ].compactMap { $0 }
    return PageParts.page(title: "\(report.model) – Millrace", data: PageParts.json(report)) {
      TimePlot.symbols
      header(sections)
      sections
    }
  }

  @NodeBuilder private func header(_ sections: [Node]) -> [Node] {
    Node("header") {
      Node("div", ["class": "kind"]) { "Millrace \(report.job.rawValue) report" }
      Node("h1") { report.model }
      Node("div", ["class": "muted"]) {
        "\(report.task.rawValue) · label "
        Node("code") { report.label }
        " · learner "
        Node("code") { report.learner }
        " · \(NumberText.count(history.rows)) rows"
      }
      Node("nav") {
        for case .element(_, let attributes, let children) in sections {
          if let id = attributes.first, case .element(_, _, let title)? = children.first {
            Node("a", ["href": "#\(id.value)"]) { title }
          }
        }
      }
      Node("p", ["class": "verdict"]) { verdict() }
      tiles()
      comparison()
    }
  }

  // MARK: - Verdict

  /// The headline loss beside what needs no learning, and what happened, in two sentences.
  @NodeBuilder private func verdict() -> [Node] {
    if let headline = report.metrics.first, let loss = headline.learner, loss.isFinite {
      "Progressive \(headline.name) "
      Node("strong") { NumberText.significant(loss) }
      Self.beside(headline).isEmpty ? "" : ": \(Self.beside(headline))"
      ". "
    } else {
      "Nothing was learnt. "
    }
    happenings()
  }

  private func happenings() -> String {
    let events = history.eventCounts
    var counts = [PageParts.counted(history.deadLetters.total, "dead letter")]
    if report.job == .run {
      counts.insert(
        contentsOf: [
          PageParts.counted(events[.alarm] ?? 0, "drift alarm") + firstAlarm(),
          PageParts.counted(events[.retraining] ?? 0, "retraining"),
          PageParts.counted(history.publishedVersions, "version"),
        ], at: 0)
    }
    let sentence = counts.joined(separator: ", ")
    return "\(sentence.prefix(1).uppercased())\(sentence.dropFirst())."
  }

  private func firstAlarm() -> String {
    history.events.first.first { $0.kind == .alarm }
      .map { " (the first at row \(NumberText.count($0.atRow)))" } ?? ""
  }

  /// `62 % below the base rate (0.683) and 21 % above no change (0.1)`.
  private static func beside(_ metric: MetricComparison) -> String {
    guard let loss = metric.learner else { return "" }
    return [("the base rate", metric.baseRate), ("no change", metric.noChange)]
      .compactMap { name, baseline in
        guard let baseline, baseline.isFinite, baseline > 0 else { return nil }
        let share = NumberText.percent(abs(1 - loss / baseline))
        let direction = loss <= baseline ? "below" : "above"
        return "\(share) \(direction) \(name) (\(NumberText.significant(baseline)))"
      }.joined(separator: " and ")
  }

  private func tiles() -> Node {
    var tiles = [("rows learnt", NumberText.count(history.rows))]
    if report.job == .run {
      tiles.append(("drift alarms", NumberText.count(history.eventCounts[.alarm] ?? 0)))
      tiles.append(("versions published", NumberText.count(history.publishedVersions)))
    }
    tiles.append(("dead letters", NumberText.count(history.deadLetters.total)))
    if let ratio = report.calibrationRatio {
      tiles.append(("calibration ratio", NumberText.fixed(ratio, decimals: 3)))
    }
    if let coverage = report.quality.intervalCoverage {
      tiles.append(("inside the 90 % interval", NumberText.percent(coverage)))
    }
    return PageParts.tiles(tiles)
  }

  /// A line per predictor, a column per metric; the headline as bars.
  @NodeBuilder private func comparison() -> [Node] {
    let predictors: [(String, String, (MetricComparison) -> Double?)] = [
      ("learner, as it learnt", "fill-learner", \.learner),
      ("the version served", "fill-served", \.served),
      ("no change", "fill-still", \.noChange), ("base rate", "fill-base", \.baseRate),
    ]
    if let headline = report.metrics.first {
      let known = predictors.filter { _, _, value in report.metrics.contains { value($0) != nil } }
      let largest = known.compactMap { $0.2(headline) }.filter(\.isFinite).max() ?? 0
      PageParts.table(
        ["", ""] + report.metrics.map(\.name),
        numbers: Set(2..<(2 + report.metrics.count)),
        known.map { name, style, value in
          [
            Node("th", ["scope": "row"]) { name },
            PageParts.bar(
              from: 0, to: largest > 0 ? max(0, value(headline) ?? 0) / largest : 0, style: style),
          ]
            + report.metrics.map { metric in
              PageParts.number(
                NumberText.significant(value(metric)),
                isBest: Self.isBest(value(metric), among: known.map { $0.2(metric) }, metric))
            }
        })
    }
  }

  private static func isBest(_ value: Double?, among values: [Double?], _ metric: MetricComparison)
    -> Bool
  {
    guard let value, value.isFinite else { return false }
    let others = values.compactMap { $0 }.filter(\.isFinite)
    return value == (metric.lowerIsBetter ? others.min() : others.max())
  }
}
