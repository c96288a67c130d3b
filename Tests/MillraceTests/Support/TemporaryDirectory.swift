import Foundation
import Millrace
import Testing

/// Runs `body` with the path of a new empty directory, and removes it with all that is in it.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let files = FileManager.default
  let path = files.temporaryDirectory.appendingPathComponent("millrace-\(UUID())").path
  try files.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? files.removeItem(atPath: path) }
  return try body(path)
}

/// Asserts that `body` throws a `MillraceError` of this kind, and returns its message.
func errorMessage<Value: ~Copyable>(
  _ kind: MillraceError.Kind, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Value
) -> String {
  do {
    _ = try body()
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
    return ""
  } catch let error as MillraceError {
    #expect(error.kind == kind, sourceLocation: sourceLocation)
    return error.message
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
    return ""
  }
}
