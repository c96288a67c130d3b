import Foundation
import Testing

/// What `train` stores, and what it says it has stored.
@Suite struct `millrace train` {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(stream(1_000), to: "data.csv")
  }

  private func train(_ extra: String...) throws -> MillraceProcess.Outcome {
    try MillraceProcess.run(
      ["train", "data.csv", "--label", "y", "--model", "m", "--json", "--quiet"] + extra,
      in: folder)
  }

  @Test(arguments: [
    ("missing.csv", "'missing.csv': No such file or directory"),
    ("empty.csv", "there are no fields"), ("other.csv", "none of the model's columns is there"),
    ("cut.csv.gz", "damaged gzip data"),
  ])
  func `stores nothing where there is nothing to measure by`(
    test: String, evidence: String
  ) throws {
    try folder.write("", to: "empty.csv")
    try folder.write(["u,v", "1,2"], to: "other.csv")
    let damaged = URL(fileURLWithPath: "\(folder.path)/cut.csv.gz")
    try Data([0x1F, 0x8B, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).write(to: damaged)
    for options in [[], ["--learner", "exact"], ["--cv", "2"]] {
      let outcome = try MillraceProcess.run(
        ["train", "data.csv", "--label", "y", "--model", "m", "--test", test] + options,
        in: folder)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(evidence), "\(outcome.errors)")
      #expect(!folder.exists("models"))
    }
  }

  @Test func `names the version that it stored, also one that is not promoted`() throws {
    func version(_ outcome: MillraceProcess.Outcome) -> Int? {
      (outcome.json["model"] as? [String: Any])?["version"] as? Int
    }
    #expect(version(try train()) == 1)
    let rejected = try train("--features", "a")
    #expect((rejected.json["rejected"] as? [Any])?.count == 1, "\(rejected.output)")
    #expect(version(rejected) == 2)
    #expect(
      try MillraceProcess.run("predict", "data.csv", "--model", "m@champion", in: folder).status
        == 0)
    #expect(String(decoding: try folder.read("models/m/champion"), as: UTF8.self) == "1\n")
    #expect(version(try train()) == 3)
  }

  @Test func `promotes no model whose loss is not finite, and prints no such number`() throws {
    try folder.write(stream(400) { a, b, _ in "\(a),\(b),\(a * 1e200)" }, to: "vast.csv")
    let outcome = try MillraceProcess.run(
      ["train", "vast.csv", "--label", "y", "--model", "vast", "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("vast@1 in"), "\(outcome.output)")
    #expect(!outcome.output.contains("nan") && !outcome.output.contains("inf"), "\(outcome.output)")
    #expect(outcome.errors.contains("was not promoted"))
    #expect(!folder.exists("models/vast/champion"))
  }

  @Test(arguments: [
    (["--passes", "2"], "--passes is \"2\"; expected none for standard input"),
    (["--test", ".2"], "--test is \"0.2\"; expected none for standard input"),
    (["--cv", "3"], "--cv is \"3\"; expected none for standard input"),
    (["--grid", "l2=0,1"], "--grid is \"l2=0,1\"; expected none for standard input"),
    (["--learner", "exact", "--passes", "3"], "--passes is \"3\"; expected 1 with the learner"),
  ])
  func `refuses what it cannot do before it reads`(
    options: [String], evidence: String
  ) throws {
    // Nobody writes into it: who reads waits for ever.
    let pipe = Pipe()
    let outcome = try MillraceProcess.run(
      ["train", "-", "--format", "csv", "--label", "y"] + options, in: folder,
      input: pipe.fileHandleForReading)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(evidence), "\(outcome.errors)")
    try pipe.fileHandleForWriting.close()
  }

  @Test(arguments: [
    (["run", "data.csv", "--label", "y", "--model", "m", "--until-end"], "metrics"),
    (["run", "data.csv", "--label", "y", "--model", "m", "--until-end"], "dead-letter"),
    (["replay", "data.csv"], "to"),
  ])
  func `and the others call a compressed output by its option`(
    command: [String], option: String
  ) throws {
    let outcome = try MillraceProcess.run(
      command + ["--\(option)", "new/x.jsonl.gz"], in: folder)
    #expect(outcome.status == 2)
    #expect(
      outcome.errors.contains("--\(option) is \"new/x.jsonl.gz\"; expected a file that is not"),
      "\(outcome.errors)")
    #expect(!folder.exists("new"))
  }

  @Test func `and the demonstration ends with its result as JSON`() throws {
    let outcome = try MillraceProcess.run("demo", "--json", "--quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.json["command"] as? String == "demo")
    #expect(outcome.json["rows"] as? Int == 40_000)
    #expect(outcome.errors.contains("demo/report.html"))
  }
}
