import Foundation
import Testing

/// What a command writes: never over what it reads, never two things into one file, and said when
/// it cannot be written.
@Suite struct `Outputs` {
  private let folder: Folder
  private let data = stream(60)

  init() throws {
    folder = try Folder()
    try folder.write(data, to: "z.csv")
    try MillraceProcess.run(["train", "z.csv", "--label", "y", "--model", "m"], in: folder)
    let files = FileManager.default
    try files.createDirectory(atPath: "\(folder.path)/log", withIntermediateDirectories: false)
    try folder.write(data, to: "log/0.csv")
    try files.createSymbolicLink(
      atPath: "\(folder.path)/symbolic.csv", withDestinationPath: "z.csv")
    try files.linkItem(atPath: "\(folder.path)/z.csv", toPath: "\(folder.path)/hard.csv")
    try folder.write(["seed: 3"], to: "job.yaml")
  }

  private static let run = ["--label", "y", "--model", "m", "--until-end"]
  private static let train = ["train", "z.csv", "--label", "y"]

  @Test(arguments: [
    (["run", "z.csv", "--predictions", "z.csv"] + run, "--predictions is \"z.csv\""),
    (["run", "z.csv", "--dead-letter", "./z.csv"] + run, "--dead-letter is \"./z.csv\""),
    (["run", "z.csv", "--metrics", "log/../z.csv"] + run, "--metrics is \"log/../z.csv\""),
    (["run", "z.csv", "--drift-events", "symbolic.csv"] + run, "--drift-events is"),
    (["run", "z.csv", "--predictions", "hard.csv"] + run, "than SOURCE 'z.csv', which is read"),
    (["run", "symbolic.csv", "--report", "hard.csv"] + run, "--report is \"hard.csv\""),
    (["run", "log/", "--predictions", "log/"] + run, "than SOURCE 'log/', which is read"),
    (["run", "log/", "--predictions", "log/0.csv"] + run, "--predictions is \"log/0.csv\""),
    (["run", "log", "--predictions", "log/7.jsonl"] + run, "--predictions is \"log/7.jsonl\""),
    (["run", "log/0.csv", "--predictions", "log/"] + run, "than SOURCE 'log/0.csv'"),
    (
      ["run", "z.csv", "--predictions", "p.jsonl", "--metrics", "./p.jsonl"] + run,
      "which is written too"
    ),
    (["run", "z.csv", "--predictions", "job.yaml", "--config", "job.yaml"] + run, "--config"),
    (
      ["run", "z.csv", "--predictions", "models/m/1/manifest.json"] + run,
      "outside the models in --store 'models'"
    ),
    (["predict", "z.csv", "--model", "m", "--output", "z.csv"], "than DATA 'z.csv'"),
    (train + ["--report", "z.csv"], "--report is \"z.csv\""),
    (train + ["--test", "hard.csv", "--report", "symbolic.csv"], "--report is"),
    (["drift", "z.csv", "log/0.csv", "--html", "z.csv"], "than REFERENCE 'z.csv'"),
    (["drift", "z.csv", "log/0.csv", "--html", "log/0.csv"], "than CURRENT 'log/0.csv'"),
    (["replay", "z.csv", "--to", "hard.csv"], "--to is \"hard.csv\""),
    (["replay", "log/0.csv", "--to", "log/"], "than DATA 'log/0.csv', which is read"),
  ])
  func `never lie on an input`(arguments: [String], evidence: String) throws {
    let manifest = try folder.read("models/m/1/manifest.json")
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains(evidence), "\(outcome.errors)")
    let whole = Data(data.map { $0 + "\n" }.joined().utf8)
    #expect(try folder.read("z.csv") == whole && folder.read("log/0.csv") == whole)
    #expect(try folder.read("job.yaml") == Data("seed: 3\n".utf8))
    #expect(try folder.read("models/m/1/manifest.json") == manifest)
    #expect(!folder.exists("p.jsonl"))
  }

  @Test func `standard input is an input too`() throws {
    let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(folder.path)/z.csv"))
    let outcome = try MillraceProcess.run(
      ["predict", "-", "--format", "csv", "--model", "m", "--output", "z.csv"], in: folder,
      input: input)
    #expect(outcome.status == 2 && outcome.errors.contains("than DATA '-'"), "\(outcome.errors)")
  }

  @Test(arguments: [
    ["run", "z.csv", "--predictions", "/dev/null", "--metrics", "/dev/null"] + run,
    ["run", "z.csv", "--predictions", "-", "--metrics", "-"] + run,
    ["run", "log/", "--predictions", "log/predictions.jsonl", "--report", "new/run.html"] + run,
    train + ["--test", "z.csv", "--report", "new/train.html"],
    ["drift", "z.csv", "z.csv", "--html", "new/drift.html"],
  ])
  func `may be anywhere else, in folders that are made for them`(arguments: [String]) throws {
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for argument in arguments where argument.hasSuffix(".html") {
      #expect(folder.exists(argument))
    }
  }

  /// Runs a line of the shell in which `millrace` is the built command.
  private func shell(_ line: String) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "millrace() { \"\(MillraceProcess.path)\" \"$@\"; }; \(line)"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let errors = try folder.create("errors")
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: errors, encoding: .utf8))
  }

  @Test(arguments: [
    "train z.csv --label y --json", "train z.csv --label y", "models list", "models show m --json",
    "drift z.csv z.csv", "generate sea --rows 5 --output sea.csv --json", "predict z.csv --model m",
    "run z.csv --label y --model n --until-end --json", "--help", "help train", "--version",
    "completion bash", "manual",
  ])
  func `that cannot be written fail the command`(arguments: String) throws {
    let (status, errors) = try shell("millrace \(arguments) > /dev/full")
    #expect(status == 1)
    #expect(errors.contains("cannot write 'standard output': No space left"), "\(errors)")
  }

  @Test func `that nobody reads any more end the command quietly`() throws {
    let (_, errors) = try shell("millrace manual | head -1 > /dev/null")
    #expect(errors == "")
  }

  @Test func `a sink has one job at a time`() throws {
    func job(_ model: String) -> [String] {
      ["run", "z.csv", "--label", "y", "--model", model, "--predictions", "p.jsonl", "--quiet"]
    }
    let (first, _, _) = try MillraceProcess.start(job("a"), in: folder)
    defer {
      first.terminate()
      first.waitUntilExit()
    }
    for _ in 0..<3_000 where !folder.exists("p.jsonl") { usleep(10_000) }
    let second = try MillraceProcess.run(job("b") + ["--until-end"], in: folder)
    #expect(second.status == 1)
    #expect(
      second.errors.contains("'p.jsonl' is being written by another job"), "\(second.errors)")
  }

  @Test func `numbers that JSON has not are null`() throws {
    let lines = stream(400) { a, b, y in "\(a),\(b),\(a * 1e200)" }
    try folder.write(lines, to: "vast.csv")
    let outcome = try MillraceProcess.run(
      ["train", "vast.csv", "--label", "y", "--json", "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let baseRate = (outcome.json["progressive"] as? [String: Any])?["baseRate"] as? [String: Any]
    #expect(baseRate?["rmse"] is NSNull, "\(outcome.output)")
    #expect(!outcome.output.contains("Infinity") && !outcome.output.contains("NaN"))
  }
}
