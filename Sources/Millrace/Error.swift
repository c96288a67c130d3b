/// What can go wrong, with the evidence: the file, line or key, the value found, and what is allowed.
public struct MillraceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Which kind of failure it is: callers decide by it, people read the message.
  public enum Kind: String, Sendable {
    /// A setting is unknown, malformed or outside what is allowed.
    case configuration
    /// The data cannot be used at all: an empty file, no header, no record with a label.
    case input
    /// More records were bad than the job tolerates.
    case badRecords
    /// A model store or a version in it is missing, damaged or unreadable.
    case store
    /// A checkpoint is damaged, or locked by another process.
    case checkpoint
    /// The operating system refused: the path and its reason are in the message.
    case system
    /// A computation has no answer: a singular system, a diverging learner.
    case numerical
  }

  /// The kind of failure.
  public let kind: Kind
  /// The setting that is wrong, where it is one: `learningRate`.
  public let key: String?
  /// The message without the key that it starts with.
  private let text: String

  /// One sentence for people, with the evidence.
  public var message: String { key.map { "\($0) \(text)" } ?? text }

  /// An error of the given kind.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    key = nil
    text = message
  }

  /// An error about a setting; the message is the key and then `text`.
  public init(_ kind: Kind, key: String, _ text: String) {
    self.kind = kind
    self.key = key
    self.text = text
  }

  /// The same error with its setting called as it was given: `--learning-rate`.
  ///
  /// - Parameter name: what a key is called; `nil` leaves it.
  package func naming(_ name: (String) -> String?) -> MillraceError {
    guard let name = key.flatMap(name) else { return self }
    return MillraceError(kind, key: name, text)
  }

  /// The message.
  public var description: String { message }
}

extension MillraceError {
  /// `learningRate is "fast"; expected a positive number`; without a value, `label is missing; …`.
  ///
  /// Keys are the names of the properties, which YAML files and the command line's flags follow.
  public static func setting(_ key: String, _ value: String?, expected: String) -> MillraceError {
    let found = value.map { "is \"\($0)\"" } ?? "is missing"
    return MillraceError(.configuration, key: key, "\(found); expected \(expected)")
  }
}
