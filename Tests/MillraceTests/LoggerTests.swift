import Millrace
import Synchronization
import Testing

@Suite struct `A logger` {
  /// The lines that `body` logs, each after its time.
  private func lines(
    _ level: Logger.Level, _ format: Logger.Format, _ body: (Logger) -> Void
  ) -> [String] {
    let collected = Collected()
    body(Logger(level: level, format: format) { collected.append($0) })
    return collected.lines
  }

  private final class Collected: Sendable {
    private let storage = Mutex<[String]>([])
    var lines: [String] { storage.withLock(\.self) }
    func append(_ line: String) { storage.withLock { $0.append(line) } }
  }

  @Test func `less important messages are dropped and not even made`() {
    var made = 0
    func message(_ text: String) -> String {
      made += 1
      return text
    }
    let lines = lines(.warning, .text) { logger in
      for level in Logger.Level.allCases { logger.log(level, message(level.rawValue)) }
    }
    #expect(lines.map { $0.drop { $0 != " " } } == [" warning warning\n", " error error\n"])
    #expect(made == 2)
  }

  @Test func `a message is one line of text, or one JSON object`() {
    let text = lines(.debug, .text) {
      $0.log(.info, "published\na", ["version": "3", "rows": "9"])
    }
    #expect(text.map { $0.drop { $0 != " " } } == [" info published a version=3 rows=9\n"])
    let json = lines(.debug, .json) { $0.log(.info, "say \"hi\"\n", ["version": "3"]) }
    #expect(json[0].hasPrefix(#"{"level":"info","message":"say \"hi\"\n","time":"2"#))
    #expect(json[0].hasSuffix("Z\",\"version\":\"3\"}\n"))
  }
}
