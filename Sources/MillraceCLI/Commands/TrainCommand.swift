import Millrace

/// `millrace train`: learns a dataset to its end and stores a version.
struct TrainCommand: Command {
  /// What is held out to be measured by.
  enum Test: Equatable, Sendable {
    /// The records of another file.
    case file(String)
    /// The last part of the data, in its order.
    case fraction(Double)
  }

  static let data = Option(
    argument: "DATA", .input, help: "The data: a file, a directory of partitions, or -.")
  static let model = Option<String?>(
    "model", "NAME", .text, help: "The model's name; without one nothing is stored.")
  static let batchSize = Option(
    "batch-size", "N", .integer(in: 1...1_000_000), default: LearnerSettings().batchSize,
    help: "Records per learning block, for learners that work by blocks.")
  static let test = Option<Test?>(
    "test", "FILE|FRACTION", .test,
    help: "Measure on another file, or on the last part of the data, which is not learnt.")
  static let coefficients = Option(
    flag: "coefficients", help: "Give the coefficients in the units of the input columns.")
  static let coefficientSummary = Option(
    flag: "summary",
    help: "Standard errors and p-values of an exact solution's coefficients.")
  static let folds = Option<Int?>(
    "cv", "K", .integer(in: 2...1_000),
    help: "Measure by cross-validation in K folds, which have like shares of every class; the"
      + " version still learns all of the data.")
  static let grid = Option<String?>(
    "grid", "KEY=A,B,…", .text,
    help: "Try all combinations of settings, \"learning-rate=.01,.1 l2=0,1e-4\", in one pass"
      + " or, with --cv, by folds; the best one is stored.")
  static let report = Option<String?>(
    "report", "FILE.html", .output, help: "Write one page that shows the training.")

  let name = "train"
  let summary = "Learn a dataset and store a version."
  let example = """
    millrace train elec.csv --label class --model elec --test 0.2
    millrace train house.csv --label price --learner exact --summary
    millrace train elec.csv --label class --learner sgd --grid "learning-rate=.01,.1 l2=0,1e-4"
    """
  let options: [any CommandOption] =
    [
      data, LearnerOptions.label, model, StoreOptions.store, batchSize, test, coefficients,
      coefficientSummary, folds, grid,
      report,
    ]
    + LearnerOptions.all

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    StopRequest.listen()
    var settings = PipelineSettings()
    settings.learner = LearnerOptions.settings(arguments, blockSize: arguments[Self.batchSize])
    settings.passes = arguments[LearnerOptions.passes]
    settings.threads = arguments[LearnerOptions.threads]
    settings.maxBadRecords = arguments[LearnerOptions.maxBadRecords]
    var job = TrainingJob(
      data: arguments[Self.data], format: arguments[LearnerOptions.format], settings: settings,
      inference: LearnerOptions.inference(arguments))
    job.hasHeader = arguments[LearnerOptions.header]
    job.modelName = arguments[Self.model]
    job.store = ModelStore(path: arguments[StoreOptions.store])
    job.wantsCoefficients = arguments[Self.coefficients]
    job.wantsSummary = arguments[Self.coefficientSummary]
    job.foldCount = arguments[Self.folds]
    job.grid = arguments[Self.grid]
    job.reportPath = arguments[Self.report]
    job.commandLine = terminal.commandLine
    switch arguments[Self.test] {
    case .file(let path): job.holdout = .file(path)
    case .fraction(let fraction): job.holdout = .lastFraction(fraction)
    case nil: break
    }
    let result = try job.run(
      shouldStop: { StopRequest.isMade }, warn: { terminal.logger.log(.warning, $0) }
    ) { progress in
      terminal.progress(progress.line)
    }
    terminal.endProgress()
    try terminal.report(result) { result.text }
    return .done
  }
}

extension ValueKind where Value == TrainCommand.Test {
  /// A path, or a share between 0 and 1.
  static var test: Self {
    var kind = Self(one: "a file, or a fraction between 0 and 1") { text in
      guard let number = Double(text) else { return text.isEmpty ? nil : .file(text) }
      return number > 0 && number < 1 ? .fraction(number) : nil
    }
    kind.use = .read
    return kind
  }
}
