import Foundation
import Glibc
import Millrace
import Testing

/// What breaks around a job: damaged files, a full disk, another process, a stop.
@Suite struct `Faults` {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(stream(3_000), to: "data.csv")
  }

  private static let job = [
    "run", "data.csv", "--label", "y", "--model", "m", "--checkpoint", "state", "--predictions",
    "predictions.jsonl", "--publish-every", "1000", "--json", "--quiet",
  ]

  /// Waits until something holds, 30 seconds at most.
  private func wait(
    for what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ holds: () -> Bool
  ) throws {
    for _ in 0..<3_000 where !holds() { usleep(10_000) }
    try #require(holds(), what, sourceLocation: sourceLocation)
  }

  /// The files of the newest and all other checkpoints.
  private func checkpoints() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/state")
      .filter { $0.hasPrefix("checkpoint-") }.sorted().map { "state/\($0)" }
  }

  /// Turns a byte in the middle of a file over.
  private func damage(_ name: String) throws {
    var bytes = try folder.read(name)
    bytes[bytes.count / 2] ^= 0x10
    try bytes.write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
  }

  private func lineCount(_ name: String) -> Int {
    (try? folder.read(name))?.count { $0 == UInt8(ascii: "\n") } ?? 0
  }

  @Test func `a checkpoint of another format is refused`() throws {
    let first = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(first.status == 0, "\(first.errors)")
    let directory = "\(folder.path)/state"
    var archive = try #require(try CheckpointStore(directory: directory).load()).archive
    archive.metadata["format"] = "2"
    var store = try CheckpointStore(directory: directory)
    try store.save(archive)
    _ = consume store
    let second = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(second.status == 1)
    #expect(second.errors.contains("is in format 2; millrace"), "\(second.errors)")
  }

  // MARK: - The store

  @Test(arguments: [
    ["train", "data.csv", "--label", "y", "--model", "m"],
    ["run", "data.csv", "--label", "y", "--model", "m", "--until-end"],
    ["predict", "data.csv", "--model", "m"],
    ["models", "list"],
  ])
  func `a store that is a file is refused before any work`(arguments: [String]) throws {
    try folder.write("not a store", to: "models")
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("'models'"), "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(try folder.read("models") == Data("not a store".utf8))
  }

  @Test(arguments: ["model.safetensors", "manifest.json"])
  func `predict refuses a damaged model`(file: String) throws {
    try MillraceProcess.run(["train", "data.csv", "--label", "y", "--model", "m"], in: folder)
    try damage("models/m/1/\(file)")
    let outcome = try MillraceProcess.run(["predict", "data.csv", "--model", "m"], in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.contains("version m@1 in 'models' is damaged"), "\(outcome.errors)")
  }

  @Test func `a job outlives damage to the version it serves`() throws {
    let (process, output, errors) = try MillraceProcess.start(Self.job, in: folder)
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    try wait(for: "the third version") { folder.exists("models/m/3/model.safetensors") }
    try wait(for: "all predictions") { lineCount("predictions.jsonl") == 3_000 }
    try damage("models/m/3/model.safetensors")
    try append(Array(stream(2_000).dropFirst()))
    try wait(for: "the fifth version") { folder.exists("models/m/5/model.safetensors") }
    process.terminate()
    process.waitUntilExit()
    let messages = try String(contentsOf: errors, encoding: .utf8)
    #expect(process.terminationStatus == 0, "\(messages)")
    #expect(try Data(contentsOf: output).isEmpty == false)
    #expect(
      try MillraceProcess.run(["predict", "data.csv", "--model", "m@3"], in: folder).status == 1)
    #expect(
      try MillraceProcess.run(["predict", "data.csv", "--model", "m"], in: folder).status == 0)

    // Started again, it learns on although what it served cannot be read.
    try damage("models/m/5/model.safetensors")
    try append(Array(stream(1_000).dropFirst()))
    let again = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("m@5 in 'models' is damaged"), "\(again.errors)")
    #expect(again.json["rows"] as? Int == 6_000)
    #expect(
      try MillraceProcess.run(["predict", "data.csv", "--model", "m"], in: folder).status == 0)
  }

  private func append(_ lines: [String]) throws {
    let file = try FileHandle(
      forWritingTo: URL(fileURLWithPath: "\(folder.path)/data.csv"))
    defer { try? file.close() }
    try file.seekToEnd()
    try file.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
  }

  // MARK: - Checkpoints

  @Test func `a damaged checkpoint is passed over for the one before, and said`() throws {
    let whole = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(whole.status == 0, "\(whole.errors)")
    let predictions = try folder.read("predictions.jsonl")
    let model = try folder.read("models/m/3/model.safetensors")
    let newest = try #require(try checkpoints().last)
    try damage(newest)
    let again = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("'\(newest)' is damaged and passed over"), "\(again.errors)")
    #expect(again.json["rows"] as? Int == 3_000)
    #expect(try folder.read("predictions.jsonl") == predictions)
    #expect(try folder.read("models/m/3/model.safetensors") == model)
  }

  @Test func `without a checkpoint that is whole the job says so and touches nothing`() throws {
    try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    let predictions = try folder.read("predictions.jsonl")
    for file in try checkpoints() { try damage(file) }
    let outcome = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(outcome.status == 1)
    for file in try checkpoints() {
      #expect(outcome.errors.contains("'\(file)' is damaged"), "\(outcome.errors)")
    }
    #expect(outcome.errors.contains("remove 'state' to start anew"), "\(outcome.errors)")
    #expect(try folder.read("predictions.jsonl") == predictions)
  }

  @Test func `two processes cannot share a checkpoint`() throws {
    let (first, _, _) = try MillraceProcess.start(Self.job, in: folder)
    defer { if first.isRunning { kill(first.processIdentifier, SIGKILL) } }
    try wait(for: "a checkpoint") { (try? checkpoints().isEmpty) == false }
    let second = try MillraceProcess.run(Self.job, in: folder)
    #expect(second.status == 1)
    #expect(
      second.errors.contains("'state' is in use by process \(first.processIdentifier)"),
      "\(second.errors)")
    #expect(first.isRunning)
    first.terminate()
    first.waitUntilExit()
    #expect(first.terminationReason == .exit)
    #expect(first.terminationStatus == 0)
  }

  @Test func `a job that is told to stop leaves a checkpoint and goes on from there`() throws {
    let (process, output, errors) = try MillraceProcess.start(Self.job, in: folder)
    try wait(for: "all predictions") { lineCount("predictions.jsonl") == 3_000 }
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    let messages = try String(contentsOf: errors, encoding: .utf8)
    #expect(process.terminationStatus == 0, "\(messages)")
    #expect(try String(contentsOf: output, encoding: .utf8).contains("\"rows\":3000"))

    let end = try folder.read("data.csv").count
    try append(Array(stream(500).dropFirst()))
    let again = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.json["resumedFrom"] as? [String: Int] == ["0": end])
    #expect(again.json["rows"] as? Int == 3_500)
    #expect(lineCount("predictions.jsonl") == 3_500)
  }

  @Test func `a job on a log that is still empty waits for its first records`() throws {
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/events", withIntermediateDirectories: false)
    let job = ["run", "events/"] + Self.job.dropFirst(2)
    let (process, output, errors) = try MillraceProcess.start(job, in: folder)
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    usleep(300_000)
    let messages = try String(contentsOf: errors, encoding: .utf8)
    try #require(process.isRunning, "\(messages)")
    // A partition that stays empty holds nobody up.
    try folder.write("", to: "events/1.csv")
    try folder.write(stream(3_000), to: "events/0.csv")
    try wait(for: "all predictions") { lineCount("predictions.jsonl") == 3_000 }
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try String(contentsOf: output, encoding: .utf8).contains("\"rows\":3000"))
  }

  @Test(arguments: [
    (["--learner", "sgd"], "--learner is \"sgd\"; expected \"auto\", with which the checkpoint"),
    (["--model", "other"], "--model is \"other\"; expected \"m\", with which the checkpoint"),
    (["--label", "a"], "--label is \"a\"; expected \"y\""),
    (["--retrain", "on-drift"], "--retrain is \"on-drift\"; expected \"continuous\""),
    (["--store", "other"], "--store is \"other\"; expected \"/"),
    (["--features", "a"], "--features is \"a\"; expected none, with which the checkpoint"),
    (["--exclude", "b"], "--exclude is \"b\"; expected none, with which the checkpoint"),
    (["--task", "regression"], "--task is \"regression\"; expected none, with which"),
    (["--weight", "b"], "--weight is \"b\"; expected none, with which"),
    (["--seed", "9"], "--checkpoint is \"state\"; expected the settings of"),
    (["--window", "900"], "expected the settings of drift detection"),
  ])
  func `a checkpoint of another job is refused`(change: [String], evidence: String) throws {
    try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    let predictions = try folder.read("predictions.jsonl")
    let outcome = try MillraceProcess.run(Self.job + change + ["--until-end"], in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(evidence), "\(outcome.errors)")
    #expect(try folder.read("predictions.jsonl") == predictions)
    #expect(!folder.exists("models/other") && !folder.exists("other"))
  }

  @Test func `a checkpoint is of its store, however that is written, and may move with it`() throws
  {
    let job = Self.job + ["--until-end", "--features", "a"]
    try MillraceProcess.run(job, in: folder)
    for store in ["./models/", "\(folder.path)/models", "state/../models"] {
      let outcome = try MillraceProcess.run(job + ["--store", store], in: folder)
      #expect(outcome.status == 0 && outcome.json["resumedFrom"] != nil, "\(outcome.errors)")
    }
    let files = FileManager.default
    let moved = try Folder()
    for name in ["models", "state", "data.csv", "predictions.jsonl"] {
      try files.moveItem(atPath: "\(folder.path)/\(name)", toPath: "\(moved.path)/\(name)")
    }
    let outcome = try MillraceProcess.run(job, in: moved)
    #expect(outcome.status == 0 && outcome.json["resumedFrom"] != nil, "\(outcome.errors)")
    let other = try MillraceProcess.run(job + ["--store", "other"], in: moved)
    #expect(other.status == 2 && other.errors.contains("/models\", with which"), "\(other.errors)")
    let without = try MillraceProcess.run(Self.job, in: moved)
    #expect(
      without.status == 2 && without.errors.contains("--features is missing; expected \"a\""),
      "\(without.errors)")
  }

  // MARK: - The input

  @Test(arguments: ["csv", "jsonl", "svm"], ["train", "predict"])
  func `a file that is truncated while it is mapped stops the job`(
    format: String, command: String
  ) throws {
    let name = "large.\(format)"
    let lines = stream(20_000) { a, b, y in
      switch format {
      case "csv": "\(a),\(b),\(Int(y))"
      case "jsonl": "{\"a\":\(a),\"b\":\(b),\"y\":\(Int(y))}"
      default: "\(Int(y)) 1:\(a) 2:\(b)"
      }
    }
    let label = format == "svm" ? [] : ["--label", "y"]
    let head = format == "csv" ? "a,b,y\n" : ""
    let body = lines.dropFirst().map { $0 + "\n" }.joined()
    try folder.write(head + body, to: "small.\(format)")
    let model = ["train", "small.\(format)", "--model", "m", "--quiet"] + label
    #expect(try MillraceProcess.run(model, in: folder).status == 0)
    try folder.write(head + String(repeating: body, count: 40), to: name)

    let job = command == "train" ? label : ["--output", "out.jsonl"]
    let (process, _, errors) = try MillraceProcess.start(
      [command, name, "--model", "m", "--quiet"] + job, in: folder)
    var isMapped = false
    while !isMapped, process.isRunning {
      let maps = "/proc/\(process.processIdentifier)/maps"
      isMapped = (try? String(contentsOfFile: maps, encoding: .utf8))?.contains(name) ?? false
    }
    truncate("\(folder.path)/\(name)", 1000)
    process.waitUntilExit()
    let messages = try String(contentsOf: errors, encoding: .utf8)
    #expect(isMapped && process.terminationReason == .exit && process.terminationStatus == 1)
    #expect(
      messages.contains("\(name) is 1000 bytes long, but was read up to position"), "\(messages)")
    #expect(!folder.exists("models/m/2"))
  }

  // MARK: - The disk

  @Test(arguments: ["models", "state", "predictions.jsonl"])
  func `a full disk stops the job, and with room it goes on as if nothing had been`(
    full: String
  ) throws {
    let calm = try Folder()
    try calm.write(stream(3_000), to: "data.csv")
    #expect(try MillraceProcess.run(Self.job + ["--until-end"], in: calm).status == 0)

    let disk = "\(folder.path)/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    guard mount("tmpfs", disk, "tmpfs", 0, "size=16k") == 0 else {
      try Test.cancel("mounting a small disk needs a privileged user")
    }
    defer { umount2(disk, Int32(MNT_DETACH)) }
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/\(full)", withDestinationPath: "disk/\(full)")
    if full != "predictions.jsonl" {
      try FileManager.default.createDirectory(
        atPath: "\(disk)/\(full)", withIntermediateDirectories: false)
    }
    let outcome = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("No space left on device"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("crashed"), "\(outcome.errors)")

    #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=16m") == 0)
    let again = try MillraceProcess.run(Self.job + ["--until-end"], in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.json["rows"] as? Int == 3_000)
    for file in ["predictions.jsonl", "models/m/3/model.safetensors"] {
      #expect(try folder.read(file) == calm.read(file), "\(file)")
    }
  }
}
