/// How features moved: shared by the report of a run and the comparison of two samples.
enum DriftParts {
  /// A table of all features, both histograms in small.
  static func table(_ features: [FeatureDrift]) -> Node {
    let hasAlarms = features.contains { $0.firstAlarmRow != nil }
    let hasWeights = features.contains { $0.weight != nil }
    let hasShifts = features.contains { $0.shift != nil }
    let head =
      ["feature", "reference and current", "D", "p", "PSI", "missing before", "now"]
      + (hasWeights ? ["weight"] : []) + (hasShifts ? ["shift"] : [])
      + (hasAlarms ? ["first alarm"] : []) + [""]
    return PageParts.table(
      head, numbers: Set(2..<(head.count - 1)),
      features.map { feature in
        var cells = [
          PageParts.name(feature.name),
          Node("td", ["class": "spark"]) {
            if let histogram = feature.histogram { sparkline(histogram) }
          },
          PageParts.number(NumberText.fixed(feature.statistic, decimals: 3)),
          PageParts.number(NumberText.pValue(feature.pValue)),
          PageParts.number(NumberText.fixed(feature.stabilityIndex, decimals: 3)),
          PageParts.number(NumberText.percent(feature.missingReference)),
          PageParts.number(NumberText.percent(feature.missingCurrent)),
        ]
        if hasWeights {
          cells.append(PageParts.number(NumberText.significant(feature.weight)))
        }
        if hasShifts {
          cells.append(PageParts.number(NumberText.fixed(feature.shift, decimals: 2)))
        }
        if hasAlarms {
          cells.append(
            PageParts.number(feature.firstAlarmRow.map(NumberText.count) ?? NumberText.missing))
        }
        cells.append(
          Node("td") {
            if feature.drifted { Node("span", ["class": "badge alarm"]) { "drifted" } }
          })
        return cells
      })
  }

  /// Two histograms in a line of text: the reference filled, the current one as a line.
  private static func sparkline(_ histogram: HistogramPair) -> Node {
    let bins = min(histogram.reference.count, histogram.current.count)
    let (width, height) = (110.0, 22.0)
    let tallest = (histogram.reference + histogram.current).filter(\.isFinite).max() ?? 0
    let outline = { (shares: [Double]) in
      var path = "M0 \(Int(height))"
      for bin in 0..<bins {
        let share = tallest > 0 && shares[bin].isFinite ? shares[bin] / tallest : 0
        path += "V\(NumberText.place(height - share * (height - 1)))"
        path += "H\(NumberText.place(width * Double(bin + 1) / Double(bins)))"
      }
      return path + "V\(Int(height))"
    }
    return Node(
      "svg", ["width": "\(Int(width))", "height": "\(Int(height))", "aria-hidden": "true"]
    ) {
      Node("path", ["class": "soft", "d": outline(histogram.reference)])
      Node("path", ["class": "line learner", "d": outline(histogram.current)])
    }
  }

  /// The features that moved most, each with its distribution functions and the gap between them.
  static func cards(_ features: [FeatureDrift]) -> [Node] {
    let shown = features.filter { $0.distributions?.values.isEmpty == false }
    guard !shown.isEmpty else { return [] }
    return [
      PageParts.legend([("reference", "base"), ("current", "learner"), ("largest gap, D", "gap")]),
      Node("div", ["class": "cards"]) {
        for feature in shown {
          if let distributions = feature.distributions { card(feature, distributions) }
        }
      },
    ]
  }

  private static func card(_ feature: FeatureDrift, _ distributions: DistributionPair) -> Node {
    let (start, shown) = middle(of: distributions)
    let values = shown.map { distributions.values[$0] }
    let frame = PlotFrame(height: 200, x: (values.first ?? 0, values.last ?? 1), y: (0, 1))
    let isWhole = shown.count == distributions.values.count
    return Node("figure") {
      Node("h3") { feature.name }
      Node("figcaption") {
        "D \(NumberText.fixed(feature.statistic, decimals: 3)), p \(NumberText.pValue(feature.pValue)), "
        "PSI \(NumberText.fixed(feature.stabilityIndex, decimals: 3))"
      }
      frame.svg(
        xTitle: isWhole ? "value" : "value, the outer 1 % left out", yTitle: "share at or below",
        description: "Distribution functions of \(feature.name): the reference and the current "
          + "sample are at most \(NumberText.significant(feature.statistic)) apart."
      ) {
        for (shares, style) in [
          (distributions.reference, "base"), (distributions.current, "learner"),
        ] {
          frame.steps(
            shown.map { (distributions.values[$0], shares[$0]) },
            from: start > 0 ? shares[start - 1] : 0, style: style)
        }
        if let gap = distributions.gapIndex, shown.contains(gap) {
          let (reference, current) = (distributions.reference[gap], distributions.current[gap])
          let value = distributions.values[gap]
          frame.line([(value, reference), (value, current)], style: "gap")
        }
      }
    }
  }

  /// The indices without the outer percent of both samples, so that no outlier makes everything
  /// else a wall; the gap is always among them. With the first of them.
  private static func middle(of distributions: DistributionPair) -> (start: Int, shown: [Int]) {
    let shown = distributions.values.indices.filter { index in
      let (reference, current) = (distributions.reference[index], distributions.current[index])
      let below =
        index > 0 ? min(distributions.reference[index - 1], distributions.current[index - 1]) : 0
      let isMiddle = max(reference, current) >= 0.005 && below <= 0.995
      return distributions.values[index].isFinite
        && (isMiddle || index == distributions.gapIndex)
    }
    return (shown.first ?? 0, shown)
  }
}
