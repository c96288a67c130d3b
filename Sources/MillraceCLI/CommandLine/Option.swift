package import Millrace

/// One thing a command can be told, and the key by which the command reads it.
///
/// Everything that knows of it follows from here: parsing, the YAML key, help, completion, the
/// manual page.
package struct Option<Value: Sendable>: CommandOption {
  package let name: String
  package let placeholder: String
  package let help: String
  package let isPositional: Bool
  package let isRequired: Bool
  package let expected: String
  package let completion: ValueCompletion
  package let arity: ValueArity
  package let defaultText: String?
  package let use: FileUses.Use?
  /// The value that texts stand for; `nil` when they are not allowed.
  let parse: @Sendable ([String]) -> Value?
  /// The value when nothing is given; required options have none.
  let defaultValue: Value?

  private init<Given>(
    _ name: String, _ placeholder: String, _ kind: ValueKind<Given>, isPositional: Bool = false,
    defaultValue: Value?, defaultText: String?, help: String,
    lift: @escaping @Sendable (Given) -> Value
  ) {
    self.name = name
    self.placeholder = placeholder
    self.help = help
    self.isPositional = isPositional
    self.isRequired = defaultValue == nil
    expected = kind.expected
    completion = kind.completion
    arity = kind.arity
    use = kind.use
    self.defaultText = defaultText
    parse = { kind.parse($0).map(lift) }
    self.defaultValue = defaultValue
  }

  /// An option with a default.
  ///
  /// - Parameters:
  ///   - name: the flag without its dashes: `learning-rate`.
  ///   - placeholder: what stands for the value in the help: `R`.
  package init(
    _ name: String, _ placeholder: String, _ kind: ValueKind<Value>, default value: Value,
    help: String
  ) {
    self.init(
      name, placeholder, kind, defaultValue: value, defaultText: kind.describe(value), help: help,
      lift: { $0 })
  }

  /// An option that may be left out.
  package init<Given>(_ name: String, _ placeholder: String, _ kind: ValueKind<Given>, help: String)
  where Value == Given? {
    self.init(
      name, placeholder, kind, defaultValue: .some(nil), defaultText: nil, help: help, lift: { $0 })
  }

  /// An option that must be given.
  package init(
    required name: String, _ placeholder: String, _ kind: ValueKind<Value>, help: String
  ) {
    self.init(
      name, placeholder, kind, defaultValue: nil, defaultText: nil, help: help, lift: { $0 })
  }

  /// An argument without a flag, which must be given; its YAML key is its name in lower case.
  package init(argument name: String, _ kind: ValueKind<Value>, help: String) {
    self.init(
      name, name, kind, isPositional: true, defaultValue: nil, defaultText: nil, help: help,
      lift: { $0 })
  }

  /// An argument without a flag, which may be left out.
  package init<Given>(optionalArgument name: String, _ kind: ValueKind<Given>, help: String)
  where Value == Given? {
    self.init(
      name, name, kind, isPositional: true, defaultValue: .some(nil), defaultText: nil, help: help,
      lift: { $0 })
  }

  package func accepts(_ texts: [String]) -> Bool { parse(texts) != nil }
}

extension Option where Value == Bool {
  /// A flag that is off unless it is given.
  package init(flag name: String, help: String) {
    self.init(name, "", .flag, default: false, help: help)
  }
}

/// An option of any value.
package protocol CommandOption: Sendable {
  /// The flag without its dashes, or the argument's name in capitals.
  var name: String { get }
  /// What stands for the value in the help.
  var placeholder: String { get }
  /// One or two sentences; the allowed values and the default are added to them.
  var help: String { get }
  /// Whether it is given by its place and not by a flag.
  var isPositional: Bool { get }
  /// Whether the command cannot do without.
  var isRequired: Bool { get }
  /// What is allowed, as it stands after "expected".
  var expected: String { get }
  /// How the shell completes it.
  var completion: ValueCompletion { get }
  /// How many texts make its value.
  var arity: ValueArity { get }
  /// The default as it is shown; `nil` shows none.
  var defaultText: String? { get }
  /// What the command does with the file that it names, if it names one.
  var use: FileUses.Use? { get }
  /// Whether these texts are allowed.
  func accepts(_ texts: [String]) -> Bool
}

extension CommandOption {
  /// The key in a YAML file: `learningRate` for `--learning-rate`, `data` for `DATA`.
  package var key: String {
    let words = name.split(separator: "-")
    return words.enumerated()
      .map { index, word in
        index == 0 ? word.lowercased() : word.prefix(1).uppercased() + word.dropFirst()
      }
      .joined()
  }

  /// As it is written on the command line: `--learning-rate`, `DATA`.
  package var spelling: String { isPositional ? name : "--\(name)" }

  /// With what follows it: `--learning-rate R`.
  package var usage: String {
    isPositional || arity == .flag ? spelling : "\(spelling) \(placeholder)"
  }

  /// What is asked for where it is missing: the choices, or else what it is for.
  var need: String {
    if case .choices = completion { "\(expected)." } else { help }
  }

  /// The parts of a text given at once.
  func parts(_ text: String) -> [String] {
    guard arity == .list else { return [text] }
    return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
}
