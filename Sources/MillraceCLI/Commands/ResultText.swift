import Millrace

extension Pipeline.Progress {
  /// One line: rows, rate, loss, drift, version, what is left.
  var line: String {
    var parts = ["\(rows) rows", "\(Int(rowsPerSecond)) rows/s"]
    if let loss { parts.append("loss \(shown(loss))") }
    if alarms > 0 { parts.append("\(alarms) drift alarms") }
    if let version { parts.append("serving version \(version)") }
    if let share, share < 1 { parts.append("\(Int(share * 100)) %") }
    if let secondsLeft, secondsLeft >= 1 { parts.append("\(Int(secondsLeft)) s left") }
    return parts.joined(separator: " · ")
  }
}

extension RunResult {
  private static func text(_ settings: [String: String]) -> String {
    settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  /// Alarms that are told one by one.
  private static let alarmLines = 10

  /// The result in a few lines for people.
  var text: String {
    var lines: [String] = []
    lines.append(
      "\(rows) rows in \(shown(seconds)) s (\(Int(rowsPerSecond)) rows/s)"
        + (badRecords > 0 ? ", \(badRecords) bad records" : ""))
    if progressive.rows > 0 { lines.append("as it learnt: \(progressive.text)") }
    if let baseRate = progressive.baseRate, let loss = baseRate.logLoss ?? baseRate.rmse {
      lines.append("  of the base rate alone: \(shown(loss))")
    }
    if let served, served.rows > 0 { lines.append("as it was served: \(served.text)") }
    if let test { lines.append("on held-out data: \(test.text)") }
    if let crossValidation { lines.append("over \(crossValidation.text)") }
    for point in grid ?? [] {
      let settings = Self.text(point.settings)
      let measured = point.crossValidation?.text ?? point.progressive?.text ?? "not measured"
      lines.append("\(settings == chosen.map(Self.text) ? "*" : " ") \(settings): \(measured)")
    }
    if let summary { lines.append(summary.text) }
    if let divergence {
      lines.append(
        "diverged \(divergence.restarts) times, the last by row \(divergence.atRow): learnt with"
          + " \(shown(divergence.learningRateFactor)) of the learning rate")
    }
    let alarms = drift?.alarms ?? []
    for alarm in alarms.prefix(Self.alarmLines) {
      let evidence = [("D", alarm.alarm.ks), ("PSI", alarm.alarm.psi)]
        .compactMap { name, value in value.map { "\(name) \(shown($0))" } }
        .joined(separator: ", ")
      let subject = "drift at row \(alarm.alarm.atRow): \(alarm.alarm.feature)"
      lines.append(evidence.isEmpty ? subject : "\(subject) \(evidence)")
    }
    if alarms.count > Self.alarmLines {
      lines.append("  and \(alarms.count - Self.alarmLines) more alarms, all of them with --json")
    }
    if let retrainings, retrainings > 0 {
      lines.append("\(retrainings) retrainings, \(swaps ?? 0) swaps")
    }
    for version in rejected ?? [] {
      lines.append("version \(version.version) was not promoted: \(version.reason)")
    }
    switch coefficients {
    case nil: break
    case .single(let output): lines += output.lines
    case .classes(let classes):
      for (name, output) in classes { lines += output.lines.map { "\(name): \($0)" } }
    }
    if let model { lines.append("\(model.name)@\(model.version) in \(model.path)") }
    return lines.joined(separator: "\n")
  }
}

extension CrossValidation {
  /// Each metric's mean and spread.
  var text: String {
    let shownMetrics = [
      ("log-loss", "logLoss"), ("accuracy", "accuracy"), ("AUC", "auc"), ("RMSE", "rmse"),
      ("MAE", "mae"), ("R²", "r2"),
    ].compactMap { name, key in
      metrics[key].map { "\(name) \(shown($0.mean)) ± \(shown($0.standardDeviation))" }
    }
    return "\(folds.count) folds: \(shownMetrics.joined(separator: ", "))"
  }
}

extension CoefficientSummary {
  /// A table as statistics packages print it.
  var text: String {
    table(
      [["", "estimate", "standard error", statistic.rawValue, "p"]]
        + coefficients.map { coefficient in
          [coefficient.name, shown(coefficient.estimate)]
            + [coefficient.standardError, coefficient.statistic, coefficient.pValue].map {
              $0.map(shown) ?? "–"
            }
        })
  }
}

extension MetricSummary {
  /// The metrics there are, in one line.
  var text: String {
    let all: [(String, Double?)] = [
      ("log-loss", logLoss), ("accuracy", accuracy), ("AUC", auc), ("RMSE", rmse), ("MAE", mae),
      ("R²", r2), ("90 % interval coverage", intervalCoverage),
    ]
    return all.compactMap { name, value in value.map { "\(name) \(shown($0))" } }
      .joined(separator: ", ")
  }
}

/// Four significant digits; a dash where it is no number.
func shown(_ value: Double) -> String {
  guard value.isFinite else { return NumberText.missing }
  let rounded = value.rounded(toDigits: 4)
  return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}

extension RunResult.OutputCoefficients {
  fileprivate var lines: [String] {
    func exact(_ value: Double) -> String { value.isFinite ? "\(value)" : NumberText.missing }
    return ["intercept \(exact(intercept))"] + columns.map { "\($0.name) \(exact($0.value))" }
  }
}
