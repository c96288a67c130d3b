/// What can go wrong, with the evidence: the file, line or key, the value found, and what is allowed.
public struct MillraceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Which kind of failure it is: callers decide by it, people read the message.
  public enum Kind: String, Sendable {
    /// A setting is unknown, malformed or outside what is allowed.
    case configuration
    /// The data cannot be used at all: an empty file, no header, no such column.
    case input
    /// More records were bad than the job tolerates.
    case badRecords
    /// A model store or a version in it is missing, damaged or unreadable.
    case store
    /// A checkpoint is damaged, locked by another process, or belongs to another job.
    case checkpoint
    /// The operating system refused: the path and its reason are in the message.
    case system
    /// A computation has no answer: a singular system, a diverging learner.
    case numerical
  }

  /// The kind of failure.
  public let kind: Kind
  /// One sentence for people, with the evidence.
  public let message: String

  /// An error of the given kind.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}

extension MillraceError {
  /// `learningRate is "fast"; expected a positive number`.
  public static func setting(_ key: String, _ value: String, expected: String) -> MillraceError {
    MillraceError(.configuration, "\(key) is \"\(value)\"; expected \(expected)")
  }
}
