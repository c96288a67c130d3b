import Millrace

/// What `train` and `run` can be told of the learner and the schema.
enum LearnerOptions {
  static let label = Option<String?>(
    "label", "COL", .text,
    help: "The column to predict; in LibSVM records it is the first number and needs no name.")
  static let task = Option<Task?>(
    "task", "TASK", .choice, help: "What the label is; inferred from it when not given.")
  static let learner = Option<LearnerSettings.Kind>(
    "learner", "LEARNER", .choice, default: LearnerSettings().learner,
    help: "What learns. The default needs no setting.")
  static let basis = Option<LearnerSettings.Basis>(
    "basis", "BASIS", .choice, default: .auto,
    help: "Which functions of the columns the bank may use.")
  static let learningRate = Option<Double?>(
    "learning-rate", "R", .positiveNumber, help: "The first step size.")
  static let schedule = Option<LearnerSettings.Schedule>(
    "schedule", "SCHEDULE", .choice, default: LearnerSettings().schedule,
    help: "How the step size falls.")
  static let l1 = Option("l1", "A", .number(in: 0...1e12), default: 0, help: "The L1 penalty.")
  static let l2 = Option("l2", "A", .number(in: 0...1e12), default: 0, help: "The L2 penalty.")
  static let loss = Option<Loss?>(
    "loss", "LOSS", .choice, help: "What is minimised; by default the task's own.")
  static let huberThreshold = Option(
    "huber-threshold", "X", .positiveNumber, default: LearnerSettings().huberThreshold,
    help: "Where the loss huber turns linear, in deviations of the label.")
  static let quantile = Option(
    "quantile", "Q", .number(in: 0...1), default: LearnerSettings().quantile,
    help: "The quantile that the loss quantile fits.")
  static let classWeights = Option<[Double]>(
    "class-weights", "A,B,…", .numbers(in: 0...1e12), default: [],
    help: "The importance of each class's records, in the order of the classes.")
  static let gradientLimit = Option<Double?>(
    "gradient-limit", "X", .positiveNumber,
    help: "The longest mean gradient of a block; a longer one is shortened to it.")
  static let averaging = Option(
    flag: "averaging", help: "Predict by the mean of the weights over all steps.")
  static let forgetting = Option<Double?>(
    "forgetting", "F", .number(in: 0...1),
    help: "The factor per record by which newton forgets; 1 forgets nothing.")
  static let driftVariance = Option(
    "drift-variance", "Q", .number(in: 0...1e6), default: LearnerSettings().driftVariance,
    help: "The variance that a filter's weights gain per record: how fast it forgets.")
  static let priorVariance = Option<Double?>(
    "prior-variance", "C", .positiveNumber,
    help: "The variance that a filter expects of its weights: 3, and for numbers 1.")
  static let bankConstants = Option<[String]>(
    "bank-constants", "NAME=A,B,…",
    .repeated("NAME=A,B,…, several times if need be") {
      var settings = LearnerSettings()
      return settings.setBankConstant($0)
    }, default: [],
    help: "A constant of auto's experts instead of its own; models show --json has them all.")
  static let passes = Option(
    "passes", "N", .integer(in: 1...1_000_000), default: 1,
    help: "How often the data is read; only the first time is measured.")
  static let features = Option<[String]>(
    "features", "A,B,…", .list, default: [], help: "The only columns to learn from.")
  static let exclude = Option<[String]>(
    "exclude", "A,B,…", .list, default: [], help: "Columns not to learn from.")
  static let hashBits = Option<Int?>(
    "hash-bits", "N", .integer(in: 1...32),
    help: "Hash names, levels and words into 2^N sparse features: for many levels, and for text.")
  static let interactions = Option<[String]>(
    "interactions", "A:B,…", .list, default: [],
    help: "Pairs whose products are features too: of numbers, and of levels' 0/1 columns.")
  static let weight = Option<String?>(
    "weight", "COL", .text, help: "The column that holds a record's importance.")
  static let key = Option<String?>("key", "COL", .text, help: "The column that holds a key.")
  static let timestamp = Option<String?>(
    "timestamp", "COL", .text, help: "The column that holds a time.")
  static let seed = Option<UInt64>(
    "seed", "N", .integer(), default: 1, help: "The seed of everything random.")
  static let format = Option<DataFormat?>(
    "format", "FORMAT", .choice,
    help: "How records are written, where the address does not say: standard input.")
  static let header = Option(
    "header", "", .flag, default: true,
    help: "The first line of CSV names the columns; with --no-header they are x1, x2, …")
  static let maxBadRecords = badRecordLimit(default: PipelineSettings().maxBadRecords)
  static let threads = Option(
    "threads", "N", .integer(in: 1...1024), default: 2,
    help: "1 reads and learns in turn; otherwise a thread reads ahead. Changes no result.")

  static let all: [any CommandOption] = [
    task, learner, basis, learningRate, schedule, l1, l2, loss, huberThreshold, quantile,
    classWeights, gradientLimit, averaging, forgetting, driftVariance, priorVariance,
    bankConstants, passes, features, exclude,
    hashBits, interactions,
    weight, key, timestamp, seed, format, header,
    maxBadRecords, threads,
  ]

  /// The limit of bad records, for every command that reads them.
  static func badRecordLimit(default share: Double) -> Option<Double> {
    Option(
      "max-bad-records", "SHARE", .number(in: 0...1), default: share,
      help: "The share of bad records above which the job stops with status 3.")
  }

  /// The learner's settings.
  static func settings(_ arguments: Arguments, blockSize: Int) -> LearnerSettings {
    var settings = LearnerSettings()
    settings.learner = arguments[learner]
    settings.basis = arguments[basis]
    settings.learningRate = arguments[learningRate]
    settings.schedule = arguments[schedule]
    settings.l1 = arguments[l1]
    settings.l2 = arguments[l2]
    settings.loss = arguments[loss]
    settings.huberThreshold = arguments[huberThreshold]
    settings.quantile = arguments[quantile]
    settings.classWeights = arguments[classWeights]
    settings.gradientLimit = arguments[gradientLimit]
    settings.averaging = arguments[averaging]
    settings.forgetting = arguments[forgetting]
    settings.driftVariance = arguments[driftVariance]
    settings.priorVariance = arguments[priorVariance]
    for constant in arguments[bankConstants] { _ = settings.setBankConstant(constant) }
    settings.batchSize = blockSize
    settings.seed = arguments[seed]
    return settings
  }

  /// What is given of the schema.
  static func inference(_ arguments: Arguments) -> SchemaInference.Options {
    var options = SchemaInference.Options(label: arguments[label])
    options.task = arguments[task]
    options.features = arguments.isGiven(features) ? arguments[features] : nil
    options.exclude = arguments[exclude]
    options.hashBits = arguments[hashBits]
    options.mayBeSparse = settings(arguments, blockSize: 1).learnsSparse
    options.interactions = arguments[interactions].map {
      $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
    options.weight = arguments[weight]
    options.key = arguments[key]
    options.timestamp = arguments[timestamp]
    return options
  }
}
