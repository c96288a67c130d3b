import Millrace

/// `millrace predict`: answers for the records of a dataset.
struct PredictCommand: Command {
  static let data = Option(argument: "DATA", .input, help: "The records: a file, or -.")
  static let model = Option(
    required: "model", "NAME", .text, help: "NAME, NAME@VERSION or NAME@ALIAS.")
  static let output = Option<String?>(
    "output", "FILE", .output,
    help: "Where the answers go: CSV, or JSON lines by the file's name; standard output if none.")
  // Each record has its answer, also a bad one: none is too many unless that is asked for.
  static let maxBadRecords = LearnerOptions.badRecordLimit(default: 1)

  let name = "predict"
  let summary = "Answer each record of a dataset with a stored model."
  let example = """
    millrace predict new.csv --model elec --output answers.csv
    millrace predict - --format jsonl --model elec@3 < new.jsonl
    """
  let options: [any CommandOption] = [
    data, model, StoreOptions.store, output, LearnerOptions.format, LearnerOptions.header,
    maxBadRecords,
  ]

  /// What came of it.
  struct Result: Encodable {
    var command = "predict"
    var model: String
    var rows: Int
    var badRecords: Int
    var seconds: Double
    var rowsPerSecond: Double
    var metrics: MetricSummary?
    var output: String?
  }

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    StopRequest.listen()
    let start = ContinuousClock.now
    let store = ModelStore(path: arguments[StoreOptions.store])
    let version = try store.resolve(arguments[Self.model])
    let model = try store.model(version)
    let source = try FileLog(
      LogAddress(arguments[Self.data], format: arguments[LearnerOptions.format]),
      hasHeader: arguments[LearnerOptions.header], untilEnd: true)
    let output = arguments[Self.output]
    let address = try LogAddress(output ?? "-", format: output == nil ? .csv : nil)
    let sink = try FileSink(address, key: Self.output.key)
    try sink.truncate(to: [:])
    var writer = try PredictionWriter(
      schema: model.schema, outputWidth: model.outputWidth, isJSON: sink.format == .jsonLines,
      to: sink)
    var scoring = Scoring(model: model, maxBadRecords: arguments[Self.maxBadRecords])
    func warn(_ message: String) {
      terminal.logger.log(.warning, "\(arguments[Self.data])\(message)")
    }
    do throws(MillraceError) {
      try scoring.run(
        over: source, shouldStop: { StopRequest.isMade }, warn: { warn(": \($0)") }
      ) { (answer) throws(MillraceError) in
        if case .rejected(let record) = answer {
          warn(" at byte \(record.position): \(record.reason)")
        }
        try writer.write(answer)
      }
    } catch {
      // What was answered so far is kept; why it ended is more to the point than another failure.
      _ = try? sink.flush()
      throw error
    }
    _ = try sink.flush()
    let seconds = start.duration(to: .now) / .seconds(1)
    let result = Result(
      model: "\(version)", rows: scoring.rows, badRecords: scoring.badRecords, seconds: seconds,
      rowsPerSecond: Double(scoring.rows) / max(seconds, 1e-9), metrics: scoring.metrics,
      output: output)
    if terminal.wantsJSON { try terminal.report(result) { "" } }
    return .done
  }
}
