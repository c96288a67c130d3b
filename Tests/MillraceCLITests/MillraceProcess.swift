import Foundation
import Testing

/// The built command, run as a process.
struct MillraceProcess {
  /// What a finished process left.
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String

    /// The last line of the output as a JSON object.
    var json: [String: Any] {
      let line = output.split(separator: "\n").last ?? ""
      return (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
    }
  }

  /// The executable lies beside the test bundle.
  static let path: String = {
    let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
    let folder =
      bundle?.deletingLastPathComponent()
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("millrace").path
  }()

  /// Starts `millrace` with these arguments; its standard output and error go to files.
  static func start(
    _ arguments: [String], in folder: Folder, input: FileHandle? = nil
  ) throws -> (process: Process, output: URL, errors: URL) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let output = URL(fileURLWithPath: folder.unique("out"))
    let errors = URL(fileURLWithPath: folder.unique("err"))
    for url in [output, errors] { try Data().write(to: url) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = input ?? FileHandle.nullDevice
    try process.run()
    return (process, output, errors)
  }

  /// Runs `millrace` to its end.
  @discardableResult
  static func run(
    _ arguments: String..., in folder: Folder, input: FileHandle? = nil
  ) throws -> Outcome {
    try run(arguments, in: folder, input: input)
  }

  /// Runs `millrace` to its end.
  @discardableResult
  static func run(
    _ arguments: [String], in folder: Folder, input: FileHandle? = nil
  ) throws -> Outcome {
    let (process, output, errors) = try start(arguments, in: folder, input: input)
    process.waitUntilExit()
    return Outcome(
      status: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }
}

/// A folder for one test, removed with it.
final class Folder {
  let path: String
  private var counter = 0

  init() throws {
    path = NSTemporaryDirectory() + "millrace-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func unique(_ name: String) -> String {
    counter += 1
    return "\(path)/\(name)-\(counter)"
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  /// An empty file.
  func create(_ name: String) throws -> URL {
    try write("", to: name)
    return URL(fileURLWithPath: "\(path)/\(name)")
  }

  /// Writes lines, each with its end.
  func write(_ lines: [String], to name: String) throws {
    try write(lines.map { $0 + "\n" }.joined(), to: name)
  }

  func read(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
