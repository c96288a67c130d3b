import FoundationEssentials
import Millrace
import Testing

@Suite struct `Report page` {
  private static let simulated = SimulatedRun(rows: 45_312).report

  /// A report that is as large as can be in every part.
  static var enormous: RunReport {
    let names = (0..<300).map {
      "</script><b>&\"'\u{1}" + String(repeating: "n", count: 500) + "\($0)"
    }
    let experts = (0..<64).map { "expert \($0)" }
    var history = RunHistory(featureCount: names.count)
    var random = UInt64(7)
    for row in 0..<1_000_000 {
      random = random &* 6_364_136_223_846_793_005 &+ 1
      let loss = Double(random >> 40) / 16_777_216
      history.record(
        learner: loss, served: loss * 1.1, baseRate: loss * 1.7, noChange: loss * 2.3)
      guard row % 2000 == 0 else { continue }
      let statistics = names.indices.map { Float((random >> ($0 % 32)) & 1023) / 1023 }
      history.record(driftStatistics: statistics, atRow: row)
      history.recordExperts(atRow: row) {
        zip(experts, statistics).map { Expert(name: $0, weight: Double($1)) }
      }
      for kind in RunEvent.Kind.allCases {
        history.note(RunEvent(kind, atRow: row, feature: names[row / 2000 % 300], detail: names[0]))
      }
      history.note(
        VersionRecord(
          version: row, atRow: row, learntRows: 0..<row, parent: row, reason: names[0],
          gate: .init(challengerLoss: loss, championLoss: .nan, rows: 10), rejection: names[1]))
      history.noteDeadLetter(reason: names[row / 2000 % 300])
    }
    var report = simulated
    report.history = history
    report.model = names[0]
    report.drift = names.indices.map { index in
      var feature = simulated.drift[index % simulated.drift.count]
      feature.name = names[index]
      feature.index = index
      return feature
    }
    report.quality.classes = names
    report.quality.confusion = names.map { _ in names.map { _ in 12_345 } }
    report.coefficients = names.map {
      Coefficient(name: $0, output: $0, standardized: 0.123456789, perUnit: 1 / 3)
    }
    report.missing = names.map { MissingCount(name: $0, count: 123_456) }
    report.reproduction.settings = names.joined()
    report.reproduction.command = names
    report.reproduction.extents = (0..<1000).map { .init(partition: $0, start: 0, end: .max) }
    return report
  }

  private static func data(of html: String) -> String {
    let opening = html.firstRange(of: "id=\"report\">")?.upperBound ?? html.endIndex
    return String(html[opening...].prefix { $0 != "<" })
  }

  private static func decoded<Value: Decodable>(_ html: String, _ type: Value.Type) throws -> Value
  {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return try decoder.decode(type, from: Data(data(of: html).utf8))
  }

  /// What is wrong with a page: elements that do not nest, references, numbers that are none.
  private static func faults(_ html: String) -> [String] {
    var faults: [String] = []
    var open: [Substring] = []
    let void: Set<Substring> = ["meta", "br"]
    for piece in html.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      guard let end = piece.firstIndex(of: ">") else {
        faults.append("unclosed tag: \(piece.prefix(40))")
        continue
      }
      let tag = piece[..<end]
      let name = tag.prefix { $0 != " " && $0 != "/" }
      if tag.hasPrefix("/") {
        let closed = tag.dropFirst()
        if open.popLast() != closed { faults.append("</\(closed)> closes another element") }
      } else if !tag.hasSuffix("/") && !tag.hasPrefix("!") && !void.contains(name) {
        open.append(name)
      }
      if tag.filter({ $0 == "\"" }).count % 2 != 0 { faults.append("quotes: \(tag)") }
      for attribute in ["href=\"", "src=\"", "url("] {
        if let value = tag.firstRange(of: attribute).map({ tag[$0.upperBound...] }),
          !value.hasPrefix("#")
        {
          faults.append("reference: \(tag)")
        }
      }
      if !tag.contains("title=") && !tag.contains("aria-label=") {
        let lowered = tag.lowercased()
        if lowered.contains("nan") || lowered.contains("inf") { faults.append("number: \(tag)") }
      }
    }
    if !open.isEmpty { faults.append("never closed: \(open)") }
    for scheme in ["http:", "https:", "//cdn", "@import"] where html.contains(scheme) {
      faults.append("reference: \(scheme)")
    }
    return faults
  }

  @Test func `a million rows with everything at its largest fit in 300 kB`() {
    let html = Self.enormous.html()
    #expect(html.utf8.count <= 300_000)
    #expect(Self.faults(html) == [])
  }

  @Test func `the same run gives the same bytes`() {
    #expect(SimulatedRun(rows: 5000).report.html() == SimulatedRun(rows: 5000).report.html())
  }

  @Test func `a page is well-formed and refers to nothing outside itself`() {
    let html = Self.simulated.html()
    #expect(Self.faults(html) == [])
    #expect(html.utf8.count < 200_000)
    for id in ["timeline", "versions", "drift", "quality", "weights", "data", "reproduce"] {
      #expect(html.contains("<section id=\"\(id)\""))
    }
  }

  @Test func `events in the middle of a long run are marked too`() throws {
    var report = SimulatedRun(rows: 3000).report
    for row in 0..<1000 { report.history.note(RunEvent(.swap, atRow: 3 * row)) }
    let marks = report.html().ranges(of: "<use href=\"#swap\"").count
    #expect(marks > 40 && marks <= 120)
  }

  @Test func `metrics of a task are shown beside its baselines`() throws {
    let json = """
      {"rows": 10, "logLoss": 0.2, "auc": 0.9, "calibrationRatio": 1.25,
       "baseRate": {"logLoss": 0.6}}
      """
    let summary = try JSONDecoder().decode(MetricSummary.self, from: Data(json.utf8))
    var report = SimulatedRun(rows: 3000).report
    report.setMetrics(learner: summary, served: nil)
    #expect(report.metrics.map(\.name) == ["log-loss", "AUC"])
    #expect(report.metrics[0].baseRate == 0.6 && report.metrics[1].baseRate == nil)
    #expect(report.html().contains("67\u{A0}% below the base rate (0.600)."))
    #expect(report.html().contains("<dd>1.250</dd>"))
  }

  @Test func `what faults finds are faults`() {
    let broken = "<p><b></p><a href=\"http://x\"></a><i x=\"nan\"></i><q>"
    #expect(Self.faults(broken).count == 5)
  }

  @Test func `names from outside stay text in markup and in JSON`() throws {
    let name = "</script><b>\"x\" & 'y'<!--"
    var report = SimulatedRun(rows: 5000).report
    report.model = name
    report.label = name
    for index in report.drift.indices { report.drift[index].name = name }
    report.coefficients[0].name = name
    report.missing[0].name = name
    report.quality.classes = [name, name]
    report.history.note(RunEvent(.alarm, atRow: 7, feature: name, detail: name))
    report.history.noteDeadLetter(reason: name)
    report.reproduction.command = [name]
    let html = report.html()
    #expect(Self.faults(html) == [])
    #expect(!html.contains("<b>") && !html.contains("<!--"))
    #expect(html.ranges(of: "</script>").count == 1)
    let data = try Self.decoded(html, RunReport.self)
    #expect(data.model == name && data.history.deadLetters.reasons.contains(name))
  }

  @Test func `the embedded data is the report, its drawn series rounded`() throws {
    let data = try Self.decoded(Self.simulated.html(), RunReport.self)
    #expect(data.metrics == Self.simulated.metrics)
    #expect(data.history.events == Self.simulated.history.events)
    #expect(data.history.versions == Self.simulated.history.versions)
    #expect(data.reproduction == Self.simulated.reproduction)
    for (shown, exact) in zip(
      data.history.learnerLoss.sums, Self.simulated.history.learnerLoss.sums)
    {
      #expect(abs(shown - exact) <= 5e-4 * exact)
    }
  }

  @Test func `a run without rows has a page without empty sections`() throws {
    let report = RunReport(
      model: "nothing", task: .regression, label: "y", learner: "filter",
      history: RunHistory(featureCount: 0),
      reproduction: Reproduction(command: [], settings: "", seed: 1, source: "-"))
    let html = report.html()
    #expect(Self.faults(html) == [])
    #expect(html.contains("Nothing was learnt"))
    #expect(html.ranges(of: "<section").count == 1)
    #expect(try Self.decoded(html, RunReport.self).reproduction == report.reproduction)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, -1e308, .leastNonzeroMagnitude, 0])
  func `numbers that cannot be drawn do no harm`(value: Double) throws {
    var report = SimulatedRun(rows: 3000).report
    for _ in 0..<50 { report.history.record(learner: value, baseRate: value, noChange: value) }
    report.history.record(driftStatistics: [Float(value)], atRow: 2999)
    report.metrics[0].learner = value
    report.metrics[0].baseRate = value
    report.calibrationRatio = value
    for index in report.drift.indices {
      report.drift[index].statistic = value
      report.drift[index].weight = value
      report.drift[index].histogram?.current[0] = value
      report.drift[index].distributions?.values[3] = value
      report.drift[index].distributions?.current[5] = value
    }
    report.coefficients[0].standardized = value
    report.quality.bins[0].meanOutcome = value
    report.quality.bins[1].meanPrediction = value
    report.quality.bins[1].count = value
    report.quality.confusion[0][0] = value
    report.quality.operatingPoints[3].truePositiveRate = value
    let html = report.html()
    #expect(Self.faults(html) == [])
    #expect(
      try Self.decoded(html, RunReport.self).calibrationRatio.map { $0 == value || $0.isNaN }
        == true)
  }

  @Test func `classes beyond the table are added up`() throws {
    var report = Self.simulated
    report.quality.classes = (0..<30).map { "class \($0)" }
    report.quality.confusion = (0..<30).map { row in (0..<30).map { Double(row * 30 + $0) } }
    let shown = try Self.decoded(report.html(), RunReport.self).quality
    #expect(shown.classes.count == 12 && shown.classes[0] == "class 29")
    #expect(shown.classes[11] == "19 others")
    #expect(shown.confusion.joined().reduce(0, +) == Double(899 * 900 / 2))
  }

  @Test func `two samples make a page of their own`() throws {
    let comparison = DriftComparison(
      reference: .init(name: "a.csv", rows: 10), current: .init(name: "<b>.csv", rows: 20),
      alpha: 0.05, correction: "benjamini-hochberg", features: Self.simulated.drift)
    let html = comparison.html()
    #expect(Self.faults(html) == [])
    #expect(html.contains("2 drifted"))
    let data = try Self.decoded(html, DriftComparison.self)
    #expect(data.current.name == "<b>.csv" && data.features.count == 7)
  }
}
