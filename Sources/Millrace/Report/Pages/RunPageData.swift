extension RunPage {
  // MARK: - Weights

  /// The linear part of the model, and which experts carry it.
  func weights() -> Node? {
    guard !report.coefficients.isEmpty || history.expertWeights != nil else { return nil }
    return PageParts.section(
      "Weights", id: "weights",
      lead: "The effect of one standard deviation of each feature, and of one unit. "
        + PageParts.omission(report.coefficients.count, of: complete.coefficients.count)
    ) {
      if !report.coefficients.isEmpty { table(of: report.coefficients) }
      if !report.basis.isEmpty {
        Node("h3") { "Beyond the columns" }
        Node("figcaption") {
          "Functions of the standardised columns, with the mean of their coefficients. "
          PageParts.omission(report.basis.count, of: complete.basis.count)
        }
        table(of: report.basis)
      }
      experts()
    }
  }

  private func table(of coefficients: [Coefficient]) -> Node {
    let hasOutputs = coefficients.contains { $0.output != nil }
    let hasUnits = coefficients.contains { $0.perUnit != nil }
    let largest = coefficients.map { abs($0.standardized) }.filter(\.isFinite).max() ?? 0
    return PageParts.table(
      ["feature"] + (hasOutputs ? ["class"] : []) + ["", "per deviation"]
        + (hasUnits ? ["per unit"] : []),
      numbers: hasOutputs ? [3, 4] : [2, 3],
      coefficients.map { coefficient in
        let share = largest > 0 ? coefficient.standardized / largest : 0
        return [PageParts.name(coefficient.name)]
          + (hasOutputs ? [PageParts.cell(coefficient.output ?? "")] : []) + [
            PageParts.bar(
              from: 0.5, to: 0.5 + 0.5 * share,
              style: coefficient.standardized < 0 ? "fill-served" : "fill-learner"),
            PageParts.number(NumberText.significant(coefficient.standardized)),
          ]
          + (hasUnits
            ? [PageParts.number(NumberText.significant(coefficient.perUnit, digits: 4))] : [])
      })
  }

  @NodeBuilder private func experts() -> [Node] {
    if let grid = history.expertWeights {
      let strips = zip(history.expertNames, grid.values.indices).map { name, index in
        let series = grid.series(index)
        let last = NumberText.percent(series.last ?? nil)
        return HeatMap.Strip(name: name, values: series, title: "\(name): \(last) at the end")
      }
      Node("h3") { "Experts" }
      Node("figcaption") { "The share of the prediction that each expert has, from pale to full." }
      HeatMap(
        strips: strips, stride: grid.stride, rows: history.rows,
        limit: strips.flatMap { $0.values.compactMap { $0 } }.max() ?? 0
      ).html(description: "Share of each expert by row.")
    }
  }

  // MARK: - Data

  /// What could not be used as it came.
  func data() -> Node? {
    let letters = history.deadLetters
    let missing = report.missing.filter { $0.count > 0 }
    guard history.rows > 0 || letters.total > 0 else { return nil }
    return PageParts.section("Data", id: "data") {
      Node("p") {
        "\(NumberText.count(history.rows)) rows and "
        "\(PageParts.counted(letters.total, "dead letter")); "
        missing.isEmpty
          ? "no value was missing."
          : "\(PageParts.counted(complete.missing.reduce(0) { $0 + $1.count }, "missing value"))."
      }
      if !missing.isEmpty { missingTable(missing) }
      if letters.total > 0 { deadLetterTable(letters) }
    }
  }

  private func missingTable(_ missing: [MissingCount]) -> Node {
    PageParts.table(
      ["column", "", "missing", "share"], numbers: [2, 3],
      missing.map { column in
        let share = Double(column.count) / Double(max(history.rows, column.count, 1))
        return [
          PageParts.name(column.name), PageParts.bar(from: 0, to: share, style: "fill-base"),
          PageParts.number(NumberText.count(column.count)),
          PageParts.number(NumberText.percent(share)),
        ]
      })
  }

  private func deadLetterTable(_ letters: ReasonCounts) -> Node {
    let reasons =
      zip(letters.reasons, letters.counts).sorted { ($1.1, $0.0) < ($0.1, $1.0) }
      + (letters.others > 0 ? [("other reasons", letters.others)] : [])
    return PageParts.table(
      ["reason", "", "dead letters"], numbers: [2],
      reasons.map { reason, count in
        [
          PageParts.name(reason),
          PageParts.bar(
            from: 0, to: Double(count) / Double(max(1, letters.total)), style: "fill-alarm"),
          PageParts.number(NumberText.count(count)),
        ]
      })
  }

  // MARK: - Reproduction

  /// How to get the same run again.
  func reproduction() -> Node? {
    let reproduction = report.reproduction
    return PageParts.section(
      "How to reproduce", id: "reproduce",
      lead: "The same log, settings and version give the same model, bit for bit."
    ) {
      if !reproduction.command.isEmpty {
        Node("pre") { reproduction.command.map(Self.shellQuoted).joined(separator: " ") }
      }
      PageParts.table(
        ["", ""],
        facts().map { name, value in
          [PageParts.cell(name), Node("td") { Node("code") { value } }]
        })
      if !reproduction.settings.isEmpty {
        PageParts.folded("All settings") { Node("pre") { reproduction.settings } }
      }
    }
  }

  private func facts() -> [(name: String, value: String)] {
    let reproduction = report.reproduction
    var facts = [
      ("version", reproduction.softwareVersion), ("seed", String(reproduction.seed)),
      ("data", reproduction.source),
    ]
    for extent in reproduction.extents {
      facts.append(("partition \(extent.partition)", "\(extent.start) to \(extent.end)"))
    }
    if let digest = reproduction.modelDigest { facts.append(("model, SHA-256", digest)) }
    return facts
  }

  /// A word as a POSIX shell reads it.
  private static func shellQuoted(_ word: String) -> String {
    let plain = word.unicodeScalars.allSatisfy { scalar in
      ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        || "-_./:=,@%+".unicodeScalars.contains(scalar)
    }
    if plain && !word.isEmpty { return word }
    return
      "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
  }
}
