import Millrace

/// `millrace run`: follows a log, predicts, learns, watches, publishes.
struct RunCommand: Command {
  static let source = Option(
    argument: "SOURCE", .input, help: "The log: a file, a directory of partitions, or -.")
  static let model = Option(required: "model", "NAME", .text, help: "The model's name.")
  static let checkpoint = Option<String?>(
    "checkpoint", "DIR", .path,
    help: "Where the job's state is kept, so that it goes on after a stop or a crash.")
  static let checkpointInterval = Option<Duration>(
    "checkpoint-interval", "TIME", .duration,
    default: .seconds(PipelineSettings().checkpointSeconds), help: "Time between checkpoints.")
  static let untilEnd = Option(
    flag: "until-end", help: "Stop at the end of the log instead of following it.")
  static let batchSize = Option(
    "batch-size", "N", .integer(in: 1...10_000_000),
    default: PipelineSettings().microBatchRecords,
    help: "The most records in a micro-batch. Changes no result.")
  static let blockSize = Option(
    "block-size", "N", .integer(in: 1...1_000_000), default: LearnerSettings().batchSize,
    help: "Records per learning block, for learners that work by blocks.")
  static let linger = Option<Duration>(
    "linger", "MS", .milliseconds,
    default: .milliseconds(PipelineSettings().lingerMilliseconds),
    help: "How long an empty poll waits for a record. Changes no result.")
  static let partitionIdle = Option<Duration>(
    "partition-idle", "MS", .milliseconds,
    default: .milliseconds(PipelineSettings().partitionIdleMilliseconds),
    help: "How long the records of a partition wait for another one whose turn it is.")
  static let retrain = Option<RetrainPolicy>(
    "retrain", "POLICY", .choice, default: .continuous,
    help: "Learn every record; or only at the start and after drift; or score with the champion.")
  static let publishEvery = Option<Interval>(
    "publish-every", "N|TIME", .interval, default: .records(10_000),
    help: "How often what is learnt becomes a version.")
  static let keepVersions = Option(
    "keep-versions", "N", .integer(in: 0...1_000_000), default: PipelineSettings().keepVersions,
    help: "How many of the newest versions stay beside those an alias names; 0 keeps all.")
  static let reference = Option(
    "reference", "N", .integer(in: 10...10_000_000), default: DriftSettings().reference,
    help: "Records in the drift reference.")
  static let window = Option(
    "window", "N", .integer(in: 10...10_000_000), default: DriftSettings().window,
    help: "Records in the window that is compared with the reference.")
  static let alpha = Option<Double?>(
    "alpha", "P", .number(in: 0...1),
    help: "The false discovery rate of a drift check; by default from --false-alarms.")
  static let falseAlarms = Option(
    "false-alarms", "N", .positiveNumber, default: DriftSettings().falseAlarmsPerMillion,
    help: "False drift alarms per million records that are tolerated on a stationary stream.")
  static let psiThreshold = Option(
    "psi-threshold", "X", .number(in: 0...100), default: DriftSettings().psiThreshold,
    help: "The population stability index above which a difference is large.")
  static let predictions = Option<String?>(
    "predictions", "ADDR", .output, help: "Where each record's prediction goes, as JSON lines.")
  static let metrics = Option<String?>("metrics", "ADDR", .output, help: "Where metrics go.")
  static let driftEvents = Option<String?>(
    "drift-events", "ADDR", .output, help: "Where drift alarms go.")
  static let deadLetter = Option<String?>(
    "dead-letter", "ADDR", .output, help: "Where records that do not fit go, with the reason.")
  static let report = Option<String?>(
    "report", "FILE.html", .output, help: "Write one page that shows the run.")

  let name = "run"
  let summary = "Follow a log: predict, learn, watch for drift, publish better versions."
  let example = """
    millrace run events/ --label clicked --model clicks --checkpoint state/
    millrace run elec.csv --label class --model elec --until-end --report elec.html
    """
  let options: [any CommandOption] =
    [
      source, LearnerOptions.label, model, StoreOptions.store, checkpoint, checkpointInterval,
      untilEnd, batchSize, blockSize, linger, partitionIdle, retrain, publishEvery, keepVersions,
      reference, window, alpha, falseAlarms, psiThreshold, predictions, metrics, driftEvents,
      deadLetter,
      report,
    ] + LearnerOptions.all

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    StopRequest.listen()
    let address = arguments[Self.source]
    let checkpoints: CheckpointStore? =
      if let directory = arguments[Self.checkpoint] {
        try CheckpointStore(directory: directory)
      } else {
        nil
      }
    var sinks = RunSinks()
    sinks.predictions = try Self.sink(Self.predictions, arguments)
    sinks.metrics = try Self.sink(Self.metrics, arguments)
    sinks.driftEvents = try Self.sink(Self.driftEvents, arguments)
    sinks.deadLetters = try Self.sink(Self.deadLetter, arguments)
    let pipeline = try Pipeline(
      job: .init(command: name, source: address, modelName: arguments[Self.model]),
      settings: Self.settings(arguments), inference: LearnerOptions.inference(arguments),
      source: FileLog(
        LogAddress(address, format: arguments[LearnerOptions.format]),
        hasHeader: arguments[LearnerOptions.header], untilEnd: arguments[Self.untilEnd]),
      sinks: sinks, store: ModelStore(path: arguments[StoreOptions.store]),
      checkpoints: checkpoints, warn: { terminal.logger.log(.warning, $0) })
    let result = try pipeline.run(shouldStop: { StopRequest.isMade }) { progress in
      terminal.progress(progress.line)
    }
    terminal.endProgress()
    if let path = arguments[Self.report] {
      try pipeline.writeReport(to: path, command: terminal.commandLine)
    }
    try terminal.report(result) { result.text }
    return .done
  }

  static func settings(_ arguments: Arguments) throws(MillraceError) -> PipelineSettings {
    var settings = PipelineSettings()
    settings.learner = LearnerOptions.settings(arguments, blockSize: arguments[blockSize])
    settings.passes = arguments[LearnerOptions.passes]
    settings.threads = arguments[LearnerOptions.threads]
    settings.maxBadRecords = arguments[LearnerOptions.maxBadRecords]
    settings.microBatchRecords = arguments[batchSize]
    settings.lingerMilliseconds = Int(arguments[linger] / .milliseconds(1))
    settings.partitionIdleMilliseconds = Int(arguments[partitionIdle] / .milliseconds(1))
    settings.checkpointSeconds = arguments[checkpointInterval] / .seconds(1)
    settings.retrain = arguments[retrain]
    settings.publishEvery =
      switch arguments[publishEvery] {
      case .records(let count): .records(count)
      case .time(let duration): .seconds(duration / .seconds(1))
      }
    settings.keepVersions = arguments[keepVersions]
    settings.drift?.reference = arguments[reference]
    settings.drift?.window = arguments[window]
    settings.drift?.alpha = arguments[alpha]
    settings.drift?.falseAlarmsPerMillion = arguments[falseAlarms]
    settings.drift?.psiThreshold = arguments[psiThreshold]
    return settings
  }

  /// A sink of JSON lines at the address that an option gives.
  private static func sink(
    _ option: Option<String?>, _ arguments: Arguments
  ) throws(MillraceError) -> (any LogSink)? {
    guard let address = arguments[option] else { return nil }
    return try FileSink(LogAddress(address, format: .jsonLines), key: option.key)
  }
}
