import Foundation

/// The built command line, which lies beside the tests.
let millrace = URL(fileURLWithPath: CommandLine.arguments[0])
  .deletingLastPathComponent().appendingPathComponent("millrace").path

/// Runs a program to its end.
func run(
  _ program: String, _ arguments: String...
) throws -> (status: Int32, output: String, errors: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  // Files rather than pipes: what is written is never too much for them.
  let paths = ["output", "errors"].map { directory.appendingPathComponent($0) }
  for path in paths { try Data().write(to: path) }
  let files = try paths.map { try FileHandle(forWritingTo: $0) }
  process.standardOutput = files[0]
  process.standardError = files[1]
  try process.run()
  process.waitUntilExit()
  let texts = try paths.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
  return (process.terminationStatus, texts[0], texts[1])
}
