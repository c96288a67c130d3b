package import Millrace

/// A subcommand: what it is called, what it can be told, and what it does.
package protocol Command: Sendable {
  /// The word after `millrace`.
  var name: String { get }
  /// One sentence, for the list of commands and the top of the help.
  var summary: String { get }
  /// Command lines that work, with what they do in a comment.
  var example: String { get }
  /// What it can be told, arguments first, beside `CommonOptions`.
  var options: [any CommandOption] { get }

  /// Does it.
  ///
  /// - Throws: what stopped it; `ExitStatus` follows from the kind.
  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus
}

extension Command {
  /// Every option that the command understands.
  package var allOptions: [any CommandOption] { options + CommonOptions.all }
}

/// What the process tells its caller.
package enum ExitStatus: Int32, Sendable {
  /// Done.
  case done = 0
  /// The job failed.
  case failed = 1
  /// The command line or the configuration is wrong.
  case misused = 2
  /// The job stopped because too many records were bad.
  case tooManyBadRecords = 3
  /// There is drift, and `--fail-on-drift` was given.
  case drifted = 4

  /// The status for an error.
  package init(_ error: MillraceError) {
    self =
      switch error.kind {
      case .configuration: .misused
      case .badRecords: .tooManyBadRecords
      case .input, .store, .checkpoint, .system, .numerical: .failed
      }
  }
}

/// What every command can be told.
package enum CommonOptions {
  package static let config = Option<String?>(
    "config", "FILE.yaml", .input,
    help: "Read settings from a YAML file. Its keys are the options in camel case; a flag wins.")
  package static let json = Option(
    flag: "json", help: "Make the last line of standard output one JSON object with the result.")
  package static let quiet = Option(flag: "quiet", help: "Show no progress line.")
  package static let logLevel = Option<Logger.Level>(
    "log-level", "LEVEL", .choice, default: .info, help: "The least important messages to show.")
  package static let logFormat = Option<Logger.Format>(
    "log-format", "FORMAT", .choice, default: .text, help: "How messages are written.")
  package static let help = Option(flag: "help", help: "Show this help.")

  package static let all: [any CommandOption] = [config, json, quiet, logLevel, logFormat, help]

  /// Whether it makes no sense in a file.
  static func isOnlyFlag(_ option: any CommandOption) -> Bool {
    option.name == config.name || option.name == help.name
  }
}

/// The commands of `millrace`, and the choice among them.
package struct CommandSet: Sendable {
  /// The commands in the order in which they are listed.
  package let commands: [any Command]

  /// The given commands, and those that follow from them: `completion`, `manual`.
  package init(_ commands: [any Command]) {
    self.commands =
      commands + [CompletionCommand(others: commands), ManualCommand(others: commands)]
  }

  /// Runs the command that `words` (without the program's name) ask for.
  package func run(_ words: [String]) -> ExitStatus {
    guard let name = words.first else {
      Terminal.writeError(overview)
      return .misused
    }
    if name == "help", let topic = words.dropFirst().first { return run([topic, "--help"]) }
    do throws(MillraceError) {
      switch name {
      case "--help", "-h", "help":
        try Terminal.write(overview)
        return .done
      case "--version":
        try Terminal.write(Millrace.version + "\n")
        return .done
      default: return try run(name, Array(words.dropFirst()))
      }
    } catch {
      Terminal.writeError("millrace: \(error.message)\n")
      return ExitStatus(error)
    }
  }

  private func run(_ name: String, _ words: [String]) throws(MillraceError) -> ExitStatus {
    guard let command = commands.first(where: { $0.name == name }) else {
      throw MillraceError(
        .configuration,
        "there is no command \"\(name)\"" + suggestion(name, among: commands.map(\.name))
          + ". See 'millrace --help'")
    }
    let arguments = try Arguments(
      parsing: words, options: command.allOptions, commandName: name)
    if arguments[CommonOptions.help] {
      try Terminal.write(command.helpText)
      return .done
    }
    do throws(MillraceError) {
      return try command.run(arguments, on: Terminal(arguments))
    } catch {
      throw arguments.naming(error)
    }
  }
}
