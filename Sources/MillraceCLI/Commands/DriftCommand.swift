import Millrace

/// `millrace drift`: compares two datasets column by column.
struct DriftCommand: Command {
  static let reference = Option(
    argument: "REFERENCE", .input, help: "The data that is known: a file, or a directory.")
  static let current = Option(
    argument: "CURRENT", .input, help: "The data that is compared with it.")
  static let alpha = Option(
    "alpha", "P", .number(in: 0...1), default: 0.05, help: "The false discovery rate.")
  static let psiThreshold = Option(
    "psi-threshold", "X", .number(in: 0...100), default: 0.1,
    help: "The population stability index above which a difference is large.")
  static let html = Option<String?>(
    "html", "FILE", .output, help: "Write one page that shows the comparison.")
  static let failOnDrift = Option(
    flag: "fail-on-drift", help: "End with status 4 when there is drift.")

  let name = "drift"
  let summary = "Compare two datasets column by column."
  let example = "millrace drift january.csv february.csv --fail-on-drift"
  let options: [any CommandOption] = [
    reference, current, LearnerOptions.features, alpha, psiThreshold, html, failOnDrift,
    LearnerOptions.format,
  ]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    let (reference, current) = (arguments[Self.reference], arguments[Self.current])
    func log(_ address: String) throws(MillraceError) -> FileLog {
      try FileLog(
        LogAddress(address, format: arguments[LearnerOptions.format]), untilEnd: true)
    }
    var options = DatasetComparison.Options()
    let features = arguments[LearnerOptions.features]
    options.features = features.isEmpty ? nil : features
    options.alpha = arguments[Self.alpha]
    options.psiThreshold = arguments[Self.psiThreshold]
    let comparison = try DatasetComparison(
      reference: log(reference), named: reference, current: log(current), named: current,
      options: options)
    for warning in comparison.warnings { terminal.logger.log(.warning, warning) }
    if comparison.badRecords > 0 {
      terminal.logger.log(.warning, "\(comparison.badRecords) records could not be read")
    }
    if let path = arguments[Self.html] {
      try DurableFile.writeMakingDirectory(comparison.page.html(), to: path)
    }
    try terminal.report(comparison) { comparison.text }
    return comparison.drifted && arguments[Self.failOnDrift] ? .drifted : .done
  }
}

extension DatasetComparison {
  /// A line per column, those that drifted first.
  fileprivate var text: String {
    let ordered = features.filter(\.drifted) + features.filter { !$0.drifted }
    let lines = ordered.map { feature in
      let numbers = [("D", feature.ks.statistic), ("p", feature.ks.pValue), ("PSI", feature.psi)]
        .map { name, value in "\(name) \(value.map { "\($0.rounded(toDigits: 3))" } ?? "–")" }
      return "\(feature.drifted ? "drifted" : "stable ")  \(feature.name)  "
        + numbers.joined(separator: "  ")
    }
    let count = features.count(where: \.drifted)
    return (lines + ["\(count) of \(features.count) columns drifted"]).joined(separator: "\n")
  }
}
