import Millrace

/// `millrace replay`: a dataset becomes a log at a chosen pace.
struct ReplayCommand: Command {
  static let data = Option(argument: "DATA", .input, help: "The records: a file, or -.")
  static let to = Option(
    required: "to", "ADDR", .output, help: "The log: a file, or a directory of partitions.")
  static let rate = Option<Double?>(
    "rate", "N", .positiveNumber, help: "Records per second; all speed when not given.")
  static let speed = Option<Double?>(
    "speed", "X", .positiveNumber,
    help: "Keep the pace of the records' own times, X times as fast; needs --timestamp.")
  static let loop = Option(flag: "loop", help: "Start again at the end, until stopped.")
  static let partitions = Option(
    "partitions", "N", .integer(in: 1...100_000), default: 1,
    help: "Partitions of a directory: by the key's hash where there is a key, else in turn.")

  let name = "replay"
  let summary = "Turn a dataset into a log at a chosen pace."
  let example = """
    millrace replay elec.csv --to events/ --rate 1000 --partitions 2
    """
  let options: [any CommandOption] = [
    data, to, rate, speed, LearnerOptions.timestamp, loop, LearnerOptions.key, partitions,
    LearnerOptions.format,
  ]

  /// What came of it.
  struct Result: Encodable {
    var command = "replay"
    var rows: Int
    var seconds: Double
    var rowsPerSecond: Double
    var to: String
  }

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    StopRequest.listen()
    var replay = Replay()
    replay.rate = arguments[Self.rate]
    replay.speed = arguments[Self.speed]
    replay.timestamp = arguments[LearnerOptions.timestamp]
    replay.loops = arguments[Self.loop]
    replay.key = arguments[LearnerOptions.key]
    replay.partitions = arguments[Self.partitions]
    let outcome = try replay.run(
      from: LogAddress(arguments[Self.data], format: arguments[LearnerOptions.format]),
      to: LogAddress(arguments[Self.to]), isStopped: { StopRequest.isMade }
    ) { rows in
      terminal.progress("\(rows) records")
    }
    terminal.endProgress()
    let result = Result(
      rows: outcome.rows, seconds: outcome.seconds,
      rowsPerSecond: Double(outcome.rows) / max(outcome.seconds, 1e-9), to: arguments[Self.to])
    try terminal.report(result) { "\(result.rows) records to \(result.to)" }
    return .done
  }
}
