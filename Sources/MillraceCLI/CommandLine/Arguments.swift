package import Millrace

/// What a command was told: by flags, by a YAML file, by defaults, in this order.
///
/// Every value has been checked: reading one cannot fail.
package struct Arguments: Sendable {
  /// Texts given for an option, and where, for messages: `--seed`, `job.yaml:3: seed`.
  struct Given: Sendable {
    var texts: [String]
    var origin: String
  }

  private var given: [String: Given] = [:]
  /// What each option is called in messages, by its key.
  private var names: [String: String] = [:]

  /// The value of an option of the command.
  package subscript<Value>(option: Option<Value>) -> Value {
    guard let value = given[option.name].flatMap({ option.parse($0.texts) }) ?? option.defaultValue
    else { preconditionFailure("the command has no option \(option.spelling)") }
    return value
  }

  /// Whether an option was given by a flag or in the file.
  package func isGiven(_ option: any CommandOption) -> Bool { given[option.name] != nil }

  /// An error about the value of an option, naming where it was given.
  package func error(_ option: any CommandOption, expected: String) -> MillraceError {
    let origin = given[option.name]
    let text = origin?.texts.joined(separator: ",") ?? option.defaultText ?? ""
    return .setting(origin?.origin ?? option.spelling, text, expected: expected)
  }

  /// Reads the arguments of a command.
  ///
  /// - Parameters:
  ///   - words: what follows the command's name.
  ///   - options: what the command can be told.
  ///   - commandName: for messages.
  /// - Throws: `configuration`, naming the option, what was given, and what is allowed.
  package init(
    parsing words: [String], options: [any CommandOption], commandName: String
  ) throws(MillraceError) {
    let scanner = ArgumentScanner(options: options, commandName: commandName)
    given = try scanner.scan(words)
    if let file = self[CommonOptions.config] {
      // A flag wins over the file.
      given.merge(try scanner.readFile(file)) { flag, _ in flag }
    }
    for option in options {
      guard let given = given[option.name] else { continue }
      guard option.accepts(given.texts) else { throw error(option, expected: option.expected) }
    }
    for option in options { names[option.key] = given[option.name]?.origin ?? option.spelling }
    if self[CommonOptions.help] { return }
    for option in options where option.isRequired && given[option.name] == nil {
      throw MillraceError(
        .configuration,
        "\(commandName) needs \(option.usage): \(option.need) See 'millrace \(commandName) --help'")
    }
    try checkFiles(options)
  }
}

extension Arguments {
  /// An error of the library about a setting, which it knows by its key, as the user gave it.
  package func naming(_ error: MillraceError) -> MillraceError { error.naming { names[$0] } }

  /// Checks that no file is both read and written, or written twice.
  ///
  /// - Throws: `configuration`, naming the option.
  private func checkFiles(_ options: [any CommandOption]) throws(MillraceError) {
    var files = FileUses()
    for option in options {
      guard let use = option.use, let path = given[option.name]?.texts.last ?? option.defaultText
      else { continue }
      files.add(use, path, as: names[option.key] ?? option.spelling)
    }
    try files.check()
  }
}

/// Takes words apart into the texts of options; what they mean is checked afterwards.
private struct ArgumentScanner {
  let options: [any CommandOption]
  let commandName: String

  func scan(_ words: [String]) throws(MillraceError) -> [String: Arguments.Given] {
    var given: [String: Arguments.Given] = [:]
    func add(_ option: any CommandOption, _ text: String, _ origin: String) {
      let before = option.arity == .one ? [] : given[option.name]?.texts ?? []
      given[option.name] = Arguments.Given(texts: before + option.parts(text), origin: origin)
    }
    var positionals = options.filter(\.isPositional)[...]
    var rest = words[...]
    var onlyPositionals = false
    while let word = rest.popFirst() {
      if onlyPositionals || word == "-" || !word.hasPrefix("-") {
        guard let option = positionals.popFirst() else {
          throw failure("unexpected argument \"\(word)\"")
        }
        add(option, word, option.spelling)
      } else if word == "--" {
        onlyPositionals = true
      } else {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let flag = String(parts[0])
        let inline = parts.count == 2 ? String(parts[1]) : nil
        let (option, negated) = try option(flag)
        if option.arity == .flag {
          if negated, inline != nil { throw failure("\(flag) takes no value") }
          // Given again, the last one counts.
          given[option.name] = nil
          add(option, inline ?? (negated ? "false" : "true"), flag)
        } else if let text = inline {
          add(option, text, flag)
        } else if let text = rest.first, !isKnownFlag(text) {
          rest.removeFirst()
          add(option, text, flag)
        } else {
          throw failure("\(flag) needs a value: \(option.expected)")
        }
      }
    }
    return given
  }

  func readFile(_ path: String) throws(MillraceError) -> [String: Arguments.Given] {
    var given: [String: Arguments.Given] = [:]
    let options = options.filter { !CommonOptions.isOnlyFlag($0) }
    for entry in try YAMLSettings(contentsOf: path).entries {
      let origin = "\(path):\(entry.line): \(entry.key)"
      guard let option = options.first(where: { $0.key == entry.key }) else {
        throw MillraceError(
          .configuration,
          "\(origin) is not a setting of \(commandName)"
            + suggestion(entry.key, among: options.map(\.key)))
      }
      let texts: [String]
      switch entry.value {
      case .scalar(let text): texts = option.parts(text)
      case .sequence(let items):
        guard option.arity == .list || option.arity == .repeated else {
          throw .setting(origin, "[\(items.joined(separator: ", "))]", expected: option.expected)
        }
        texts = items
      }
      given[option.name] = Arguments.Given(texts: texts, origin: origin)
    }
    return given
  }

  private func isKnownFlag(_ word: String) -> Bool {
    word.hasPrefix("--") && (try? option(String(word.prefix { $0 != "=" }))) != nil
  }

  /// The option that a flag names, and whether by its `--no-` form.
  private func option(_ flag: String) throws(MillraceError) -> (any CommandOption, Bool) {
    let name = flag == "-h" ? "--help" : flag
    let flags = options.filter { !$0.isPositional }
    if let option = flags.first(where: { $0.spelling == name }) { return (option, false) }
    if let option = flags.first(where: { $0.arity == .flag && "--no-\($0.name)" == name }) {
      return (option, true)
    }
    throw failure("unknown option \(flag)" + suggestion(flag, among: flags.map(\.spelling)))
  }

  private func failure(_ message: String) -> MillraceError {
    MillraceError(.configuration, "\(message). See 'millrace \(commandName) --help'")
  }
}
