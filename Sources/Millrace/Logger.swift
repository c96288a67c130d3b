internal import FoundationEssentials

/// Messages for people, with a level and named values.
///
/// The library logs only to the logger it is given.
public struct Logger: Sendable {
  /// How important a message is.
  public enum Level: String, Sendable, CaseIterable, Comparable {
    /// For those who look for a fault.
    case debug
    /// What happens in the ordinary course.
    case info
    /// Something is wrong, and the work goes on.
    case warning
    /// Something failed.
    case error

    private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }

    /// In ascending importance.
    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }

  /// How a message is written.
  public enum Format: String, Sendable, CaseIterable {
    /// `2026-01-31T12:00:00Z warning the checkpoint is damaged path=a`.
    case text
    /// One JSON object a line: `level`, `message`, `time`, and the named values.
    case json
  }

  /// Less important messages are dropped.
  public let level: Level
  private let format: Format
  private let write: @Sendable (String) -> Void

  /// A logger.
  ///
  /// - Parameters:
  ///   - level: less important messages are dropped.
  ///   - format: how messages are written.
  ///   - write: takes each message: one line with its line end; called from any thread.
  public init(level: Level, format: Format, write: @escaping @Sendable (String) -> Void) {
    self.level = level
    self.format = format
    self.write = write
  }

  /// Writes a message, unless it is less important than `level`.
  ///
  /// - Parameters:
  ///   - level: its importance.
  ///   - message: one sentence.
  ///   - values: what it is about, by name.
  public func log(
    _ level: Level, _ message: @autoclosure () -> String,
    _ values: @autoclosure () -> KeyValuePairs<String, String> = [:]
  ) {
    guard level >= self.level else { return }
    let time = Date().ISO8601Format()
    switch format {
    case .text:
      var line = "\(time) \(level.rawValue) \(message())"
      for (name, value) in values() { line += " \(name)=\(value)" }
      write(line.replacing("\n", with: " ") + "\n")
    case .json:
      var object = ["time": time, "level": level.rawValue, "message": message()]
      for (name, value) in values() { object[name] = value }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let line = try? encoder.encode(object) else { return }
      write(String(decoding: line, as: UTF8.self) + "\n")
    }
  }
}
