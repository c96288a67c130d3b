extension RunPage {
  // MARK: - Drift

  /// Which features moved and when, the ones that matter most to the model first.
  func drift() -> Node? {
    guard !report.drift.isEmpty else { return nil }
    return PageParts.section(
      "Drift", id: "drift",
      lead: "Features by |weight| × shift. D is the largest gap between the distribution functions "
        + "of the reference and of a later window: the one at the largest alarm, or else the latest. "
        + PageParts.omission(report.drift.count, of: complete.drift.count)
    ) {
      if history.driftStatistics.counts.contains(where: { $0 > 0 }) { driftMap() }
      DriftParts.cards(report.drift)
      DriftParts.table(report.drift)
    }
  }

  @NodeBuilder private func driftMap() -> [Node] {
    let grid = history.driftStatistics
    let strips = report.drift.compactMap { feature -> HeatMap.Strip? in
      guard let index = feature.index, grid.values.indices.contains(index) else { return nil }
      let series = grid.series(index)
      let firstAlarm = feature.firstAlarmRow
      return HeatMap.Strip(
        name: feature.name, values: series,
        title: stripTitle(feature.name, series, firstAlarm: firstAlarm), markedRow: firstAlarm)
    }
    let largest = strips.flatMap { $0.values.compactMap { $0 } }.max() ?? 0
    if !strips.isEmpty {
      Node("h3") { "D over time" }
      Node("figcaption") {
        "From 0 (pale) to \(NumberText.significant(largest, digits: 2)) (full); a bar marks a "
        "feature's first alarm. After an alarm the rows that follow are the new reference."
      }
      HeatMap(strips: strips, stride: grid.stride, rows: history.rows, limit: largest).html(
        description: "Drift statistic by feature and row, largest "
          + NumberText.significant(largest, digits: 2))
    }
  }

  private func stripTitle(_ name: String, _ series: [Double?], firstAlarm: Int?) -> String {
    let largest = series.compactMap { $0 }.max()
    let alarm = firstAlarm.map { "first alarm at row \(NumberText.count($0))" } ?? "no alarm"
    return "\(name): D at most \(NumberText.significant(largest)), \(alarm)"
  }

  // MARK: - Quality

  /// How good predictions are, in pictures.
  func quality() -> Node? {
    let quality = report.quality
    var parts: [Node] = []
    if quality.bins.count > 1 {
      parts.append(report.task == .regression ? actualAgainstPredicted() : reliability())
    }
    if quality.operatingPoints.count > 1 { parts.append(operatingCharacteristic()) }
    if !quality.confusion.isEmpty { parts.append(confusion()) }
    if quality.residualQuantiles.count > 1 { parts.append(residuals()) }
    guard !parts.isEmpty else { return nil }
    return PageParts.section(
      "Quality", id: "quality", lead: "Of the learner's predictions, each made before its label."
    ) {
      Node("div", ["class": "cards"]) { parts }
    }
  }

  private func reliability() -> Node {
    let bins = report.quality.bins
    let most = bins.map(\.count).max() ?? 1
    let frame = PlotFrame(height: 280, x: (0, 1), y: (0, 1))
    return figure(
      "Reliability", "Outcomes by prediction; bars count rows.",
      frame.svg(
        xTitle: "mean prediction", yTitle: "share of positives",
        description: "Reliability diagram: the diagonal is perfect calibration."
      ) {
        for bin in bins {
          frame.column(
            at: bin.meanPrediction, width: 0.8 / Double(bins.count),
            height: 0.25 * bin.count / most, style: "soft")
        }
        frame.line([(0, 0), (1, 1)], style: "chance")
        frame.line(bins.map { ($0.meanPrediction, $0.meanOutcome) }, style: "learner")
        for bin in bins {
          frame.dot(
            bin.meanPrediction, bin.meanOutcome, radius: 3.5, style: "fill-learner",
            title: Self.words(bin))
        }
      }, binTable())
  }

  private func actualAgainstPredicted() -> Node {
    let bins = report.quality.bins
    let scale = LinearScale(
      covering: bins.flatMap { [$0.meanPrediction, $0.meanOutcome] }, range: (0, 1))
    let (lower, upper) = (scale.domain.lowerBound, scale.domain.upperBound)
    let frame = PlotFrame(height: 280, x: (lower, upper), y: (lower, upper))
    return figure(
      "Actual by predicted", "Mean outcome of rows with like predictions.",
      frame.svg(
        xTitle: "mean prediction", yTitle: "mean outcome",
        description: "Mean outcome by mean prediction; the diagonal is perfect."
      ) {
        frame.line([(lower, lower), (upper, upper)], style: "chance")
        for bin in bins {
          frame.dot(
            bin.meanPrediction, bin.meanOutcome, radius: 4, style: "fill-learner",
            title: Self.words(bin))
        }
      }, binTable())
  }

  private static func words(_ bin: QualitySummary.Bin) -> String {
    "predicted \(NumberText.significant(bin.meanPrediction)), came "
      + "\(NumberText.significant(bin.meanOutcome)), \(NumberText.significant(bin.count)) rows"
  }

  private func binTable() -> Node {
    PageParts.table(
      ["mean prediction", "mean outcome", "rows"], numbers: [0, 1, 2],
      report.quality.bins.map { bin in
        [
          PageParts.number(NumberText.significant(bin.meanPrediction)),
          PageParts.number(NumberText.significant(bin.meanOutcome)),
          PageParts.number(NumberText.fixed(bin.count, decimals: 0)),
        ]
      })
  }

  private func operatingCharacteristic() -> Node {
    let points = report.quality.operatingPoints
    let frame = PlotFrame(height: 280, x: (0, 1), y: (0, 1))
    return figure(
      "ROC",
      "Area under the curve \(NumberText.fixed(report.quality.areaUnderCurve, decimals: 3)).",
      frame.svg(
        xTitle: "false positive rate", yTitle: "true positive rate",
        description: "Receiver operating characteristic."
      ) {
        frame.line([(0, 0), (1, 1)], style: "chance")
        frame.line(points.map { ($0.falsePositiveRate, $0.truePositiveRate) }, style: "learner")
      })
  }

  private func confusion() -> Node {
    let quality = report.quality
    return figure(
      "Confusion", "Predicted (across) by true class (down).",
      PageParts.table(
        ["true"] + quality.classes, numbers: Set(1..<(1 + max(1, quality.classes.count))),
        zip(quality.classes, quality.confusion).enumerated().map { line, entry in
          let (name, counts) = entry
          let lineTotal = counts.reduce(0, +)
          return [PageParts.name(name)]
            + counts.enumerated().map { column, count in
              Node("td", ["class": line == column ? "n best" : "n"]) {
                NumberText.fixed(count, decimals: 0)
                Node("div", ["class": "muted"]) {
                  NumberText.percent(lineTotal > 0 ? count / lineTotal : nil)
                }
              }
            }
        }))
  }

  private func residuals() -> Node {
    let quantiles = report.quality.residualQuantiles
    let values = LinearScale(covering: quantiles.map(\.value), range: (0, 1)).domain
    let frame = PlotFrame(height: 280, x: (values.lowerBound, values.upperBound), y: (0, 1))
    return figure(
      "Residuals", "Distribution of outcome − prediction.",
      frame.svg(
        xTitle: "residual", yTitle: "share at or below",
        description: "Distribution function of the residuals."
      ) {
        if values.contains(0) { frame.line([(0, 0), (0, 1)], style: "chance") }
        frame.line(quantiles.map { ($0.value, $0.share) }, style: "learner")
      },
      PageParts.table(
        ["share", "residual"], numbers: [0, 1],
        quantiles.map { quantile in
          [
            PageParts.number(NumberText.percent(quantile.share)),
            PageParts.number(NumberText.significant(quantile.value)),
          ]
        }))
  }

  private func figure(_ title: String, _ caption: String, _ drawing: Node, _ numbers: Node? = nil)
    -> Node
  {
    Node("figure") {
      Node("h3") { title }
      Node("figcaption") { caption }
      drawing
      if let numbers { PageParts.folded("The numbers") { numbers } }
    }
  }
}
