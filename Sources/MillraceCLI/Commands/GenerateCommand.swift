import Millrace

/// `millrace generate`: streams whose truth is known.
struct GenerateCommand: Command {
  static let kind = Option<SyntheticStream.Kind>(
    argument: "KIND", .choice, help: "How labels come from features.")
  static let rows = Option(
    required: "rows", "N", .integer(in: 1...1_000_000_000_000), help: "The number of records.")
  static let features = Option<Int?>(
    "features", "N", .integer(in: 1...100_000), help: "The number of feature columns.")
  static let driftAt = Option<[Int]>(
    "drift-at", "ROW,…", .integers(in: 1...Int.max), default: [],
    help: "The rows at which the concept changes.")
  static let noise = Option<Double?>(
    "noise", "X", .number(in: 0...1e6),
    help: "The share of labels that are flipped; for linear, the noise's standard deviation.")
  static let output = Option(
    required: "output", "FILE", .output,
    help: "Where the records go; the truth goes beside them, to NAME.truth.json.")

  let name = "generate"
  let summary = "Make a stream whose true coefficients and drift rows are known."
  let example = """
    millrace generate hyperplane --rows 40000 --drift-at 20000 --output stream.csv
    """
  let options: [any CommandOption] = [
    kind, rows, features, driftAt, noise, LearnerOptions.seed, output,
  ]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    let stream = try SyntheticStream(
      arguments[Self.kind], rows: arguments[Self.rows], features: arguments[Self.features],
      driftRows: arguments[Self.driftAt], noise: arguments[Self.noise],
      seed: arguments[LearnerOptions.seed])
    let truth = try stream.write(to: arguments[Self.output])
    try terminal.report(truth) {
      "\(truth.rows) rows of \(truth.stream.rawValue) in \(arguments[Self.output])"
    }
    return .done
  }
}
