import Millrace
import MillraceCLI

/// A command with an option of each kind, for the tests of the table.
struct ExampleCommand: Command {
  static let data = Option(argument: "DATA", .path, help: "The data.")
  static let output = Option<String?>(optionalArgument: "OUTPUT", .path, help: "The output.")
  static let label = Option(required: "label", "COL", .text, help: "The column to learn.")
  static let learner = Option<LearnerSettings.Kind>(
    "learner", "KIND", .choice, default: .auto, help: "The learner.")
  static let learningRate = Option<Double?>(
    "learning-rate", "R", .positiveNumber, help: "The first step size.")
  static let seed = Option<UInt64>(
    "seed", "N", .integer(), default: 1, help: "The seed of everything random.")
  static let features = Option(
    "features", "A,B,…", .list, default: [], help: "The columns to learn from.")
  static let driftAt = Option(
    "drift-at", "ROW,…", .integers(in: 1...1_000_000), default: [], help: "Where it drifts.")
  static let kafka = Option(
    "kafka", "KEY=VALUE", .repeated("KEY=VALUE") { $0.contains("=") }, default: [],
    help: "A setting of librdkafka; may be given again.")
  static let linger = Option(
    "linger", "MS", .milliseconds, default: .milliseconds(100), help: "How long to wait.")
  static let publishEvery = Option<Interval>(
    "publish-every", "N|DURATION", .interval, default: .records(10_000), help: "How often.")
  static let share = Option(
    "max-bad-records", "SHARE", .number(in: 0...1), default: 0.1, help: "How many.")
  static let untilEnd = Option(flag: "until-end", help: "Stop at the end.")

  let name = "example"
  let summary = "An example."
  let example = "millrace example data.csv --label class"
  let options: [any CommandOption] = [
    data, output, label, learner, learningRate, seed, features, driftAt, kafka, linger,
    publishEvery, share, untilEnd,
  ]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    .done
  }

  /// What the words of a command line mean to it.
  static func parse(_ words: String...) throws -> Arguments {
    try Arguments(parsing: words, options: ExampleCommand().allOptions, commandName: "example")
  }
}
