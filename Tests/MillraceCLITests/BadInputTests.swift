import Foundation
import Testing

/// Whatever comes from outside: each command ends with the right status, says what it found, and
/// goes on where it can. Every case runs the built command as a process.
@Suite struct `Bad input` {
  /// A dataset with something wrong in it.
  struct Dataset: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The file's lines or bytes.
    var bytes: Data
    var options: [String] = []
    var status: Int32 = 0
    /// What the messages must contain.
    var evidence: [String] = []
    var badRecords = 0

    init(
      _ name: String, _ lines: [String], _ options: [String] = [], status: Int32 = 0,
      badRecords: Int = 0, evidence: String...
    ) {
      testDescription = name
      bytes = Data(lines.map { $0 + "\n" }.joined().utf8)
      (self.options, self.status, self.badRecords) = (options, status, badRecords)
      self.evidence = evidence
    }

    /// The same with a line of any bytes in its middle.
    func inserting(_ line: [UInt8]) -> Dataset {
      var dataset = self
      let middle = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      dataset.bytes.insert(contentsOf: line + [UInt8(ascii: "\n")], at: middle)
      return dataset
    }
  }

  static let datasets = [
    Dataset("an empty file", [], status: 1, evidence: "data.csv: it is empty"),
    Dataset("a header alone", ["a,b,y"], status: 1, evidence: "it has a header and no records"),
    Dataset(
      "a ragged row", stream(40) + ["1,2"] + stream(40).dropFirst(), badRecords: 1,
      evidence: "the record has 2 fields; expected 3"),
    Dataset(
      "a label that is text, for a regression", ["a,y"] + (0..<50).map { "\($0),red" },
      ["--task", "regression"], status: 1, evidence: "'y'", "\"red\"", "needs numbers"),
    Dataset(
      "a class that comes after 1,000 rows", stream(1_000) + ["0,0,2"], badRecords: 1,
      evidence: "'y' is \"2\"; expected one of \"0\", \"1\""),
    Dataset(
      "three classes for a binary task", stream(40) + ["0,0,2"], ["--task", "binary"], status: 1,
      evidence: "'y'", "has 3 distinct values"),
    Dataset(
      "a column that is always missing", stream(300) { a, _, y in "\(a),,\(Int(y))" },
      evidence: "'b' has no value"),
    Dataset("a constant column", stream(300) { a, _, y in "\(a),7,\(Int(y))" }),
    Dataset(
      "numbers that are not finite",
      stream(300) { a, b, y in "\(a > 1 ? "inf" : a < -1 ? "-inf" : "nan"),\(b),\(Int(y))" }),
    Dataset(
      "a label that is not finite", stream(300) { a, b, _ in "\(a),\(b),\(b)" } + ["1,1,inf"],
      badRecords: 1, evidence: "'y' is \"inf\"; expected a finite number"),
    Dataset(
      "a label that is missing", stream(300) + ["1,1,"], badRecords: 1, evidence: "'y' is missing"),
    Dataset(
      "a label that is always missing", stream(30) { a, b, _ in "\(a),\(b)," },
      status: 1, evidence: "'y'", "has no value"),
    Dataset(
      "a line of 1 MB", stream(300), badRecords: 1, evidence: "'a' is \"xxx", "(1048576 bytes)"
    ).inserting(Array(repeating: UInt8(ascii: "x"), count: 1 << 20) + Array(",1,1".utf8)),
    Dataset(
      "bytes that are not UTF-8", stream(300), badRecords: 1,
      evidence: "the record is not valid UTF-8"
    )
    .inserting([0xFF, 0xFE, 0x80] + Array(",1,1".utf8)),
    Dataset("a NUL byte", stream(300), badRecords: 1, evidence: "'a' is")
      .inserting([0x31, 0, 0x32] + Array(",1,1".utf8)),
    Dataset(
      "a weight below 0", stream(300) + ["1,-1,1"], ["--weight", "b"], status: 3,
      evidence: "'b' is", "at least 0"),
    Dataset(
      "no such label", stream(30), ["--label", "z"], status: 2,
      evidence: "--label is \"z\"; expected one of the fields of data.csv: 'a', 'b', 'y'"),
    Dataset(
      "no such feature", stream(30), ["--features", "a,q"], status: 2,
      evidence: "--features is \"q\"", "'a', 'b', 'y'"),
    Dataset(
      "nothing to exclude", stream(30) { a, b, y in "\(a),\(b),\(Int(y))" },
      ["--exclude", "bb"], status: 2, evidence: "--exclude is \"bb\"", "(did you mean b?)"),
    Dataset(
      "no such weight", stream(30), ["--weight", "w"], status: 2, evidence: "--weight is \"w\""),
    Dataset("no such key", stream(30), ["--key", "k"], status: 2, evidence: "--key is \"k\""),
    Dataset(
      "no such time", stream(30), ["--timestamp", "t"], status: 2,
      evidence: "--timestamp is \"t\""),
    Dataset(
      "no such factor", stream(30), ["--interactions", "a:q"], status: 2,
      evidence: "--interactions is \"q\""),
    Dataset(
      "nothing to learn from", ["y", "0", "1"], status: 1, evidence: "no field is left as a feature"
    ),
    Dataset(
      "too many bad records", stream(2_000) { a, b, y in "\(a)\(b > 0 ? "" : ",\(b)"),\(Int(y))" },
      status: 3,
      evidence: "records were bad", "--max-bad-records is 0.1, but", "the record has 2 fields"),
  ]

  @Test(arguments: datasets, ["train", "run", "exact"]) func `ends as it should`(
    dataset: Dataset, command: String
  ) throws {
    let folder = try Folder()
    try dataset.bytes.write(to: URL(fileURLWithPath: "\(folder.path)/data.csv"))
    let common = ["--label", "y", "--model", "m", "--json", "--quiet"] + dataset.options
    let job =
      switch command {
      case "run": ["run", "data.csv", "--until-end"]
      case "exact": ["train", "data.csv", "--learner", "exact", "--l2", "0.01"]
      default: ["train", "data.csv"]
      }
    let outcome = try MillraceProcess.run(job + common, in: folder)
    #expect(outcome.status == dataset.status, "\(outcome.errors)")
    for evidence in dataset.evidence {
      #expect(outcome.errors.contains(evidence), "\(outcome.errors)")
    }
    #expect(!outcome.errors.contains("crashed"), "\(outcome.errors)")
    if dataset.status == 0 {
      #expect(outcome.json["badRecords"] as? Int == dataset.badRecords)
      #expect(folder.exists("models/m/1/model.safetensors"))
      let lineCount = dataset.bytes.count { $0 == UInt8(ascii: "\n") }
      #expect(outcome.json["rows"] as? Int == lineCount - 1 - dataset.badRecords)
    }
  }

  @Test(arguments: [
    (["train", "data.csv", "--lable", "y"], ["--lable", "did you mean --label?"]),
    (["tarin", "data.csv"], ["\"tarin\"", "did you mean train?"]),
    (["train", "--label", "y"], ["train needs DATA"]),
    (["train", "data.csv", "--label"], ["--label needs a value"]),
    (
      ["train", "data.csv", "--label", "y", "--learning-rate", "fast"],
      ["--learning-rate is \"fast\"", "a number above 0"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--schedule", "fast"],
      ["--schedule is \"fast\"", "constant, invscaling, optimal"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--learner", "sgd", "--schedule", "optimal"],
      ["--l2 is \"0\"", "a positive number"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--learner", "exact", "--l1", "1"],
      ["--l1 is \"1.0\"", "sgd, adagrad, adam, ftrl"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--learner", "sgd", "--forgetting", "0.99"],
      ["--forgetting is \"0.99\"", "only with newton"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--learner", "sgd", "--loss", "huber"],
      ["--loss is \"huber\"", "logistic for the task binary"]
    ),
    (
      ["train", "data.csv", "--label", "y", "--averaging"],
      ["--averaging is \"true\"", "sgd, adagrad, adam, ftrl, newton"]
    ),
    (
      ["train", "data.csv", "--label", "a", "--learner", "sgd", "--quantile", "0.9"],
      ["--quantile is \"0.9\"", "the loss quantile"]
    ),
    (
      ["train", "data.csv", "--label", "a", "--learner", "sgd", "--class-weights", "1,2"],
      ["--class-weights is \"[1.0, 2.0]\"", "task regression"]
    ),
    (["train", "data.csv", "--label", "y", "--test", "1.5"], ["--test is \"1.5\""]),
    (["train", "data.xyz", "--label", "y"], ["data.xyz", ".csv"]),
    (["train", "-", "--label", "y"], ["--format is missing", "csv"]),
    (["train", "data.csv"], ["--label is missing; expected the field to predict"]),
    (["train", "data.csv", "--label", "y", "--model", "a/b"], ["--model is \"a/b\""]),
    (
      ["run", "data.csv", "--label", "y", "--model", "../x", "--until-end"], ["--model is \"../x\""]
    ),
    (["predict", "data.csv", "--model", "../x"], ["--model is \"../x\""]),
    (["replay", "data.csv", "--to", "log/", "--key", "k"], ["--key is \"k\"", "'a', 'b', 'y'"]),
    (["drift", "data.csv", "data.csv", "--features", "q"], ["--features is \"q\""]),
    (
      ["run", "kafka://host:9092/topic", "--label", "y", "--model", "m"],
      ["kafka://host:9092/topic"]
    ),
    (
      ["run", "data.csv", "--label", "y", "--model", "m", "--publish-every", "often"],
      ["--publish-every is \"often\""]
    ),
    (
      ["run", "data.csv", "--label", "y", "--model", "m", "--learner", "exact", "--until-end"],
      ["--learner is \"exact\""]
    ),
    (
      ["run", "data.csv", "--label", "y", "--model", "m", "--config", "job.yaml"],
      ["job.yaml:2: maxBadRecords", "\"lots\"", "0"]
    ),
  ])
  func `a wrong command line has status 2, the key, the value and what is allowed`(
    arguments: [String], evidence: [String]
  ) throws {
    let folder = try Folder()
    try folder.write(stream(50), to: "data.csv")
    try folder.write(["seed: 3", "maxBadRecords: lots"], to: "job.yaml")
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 2, "\(outcome.errors)")
    for part in evidence { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
  }

  @Test(arguments: [
    ["train", "nothing.csv", "--label", "y"],
    ["run", "nothing.csv", "--label", "y", "--model", "m", "--until-end"],
    ["predict", "nothing.csv", "--model", "m"],
  ])
  func `a missing file is named`(arguments: [String]) throws {
    let folder = try Folder()
    try folder.write(stream(50), to: "data.csv")
    try MillraceProcess.run(["train", "data.csv", "--label", "y", "--model", "m"], in: folder)
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("'nothing.csv': No such file or directory"))
  }

  @Test func `a bad record becomes a dead letter with everything needed to find it`() throws {
    let folder = try Folder()
    let before = stream(40)
    try folder.write(before + ["1,\"two\",0"] + stream(40).dropFirst(), to: "data.csv")
    let outcome = try MillraceProcess.run(
      [
        "run", "data.csv", "--label", "y", "--model", "m", "--until-end", "--dead-letter",
        "dead.jsonl",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let letter = try JSONSerialization.jsonObject(with: folder.read("dead.jsonl"))
    let fields = try #require(letter as? [String: Any])
    #expect(Set(fields.keys) == ["partition", "position", "reason", "column", "payload"])
    #expect(fields["partition"] as? Int == 0)
    #expect(fields["position"] as? Int == before.reduce(0) { $0 + $1.utf8.count + 1 })
    #expect(fields["reason"] as? String == "'b' is \"two\"; expected a number")
    #expect(fields["column"] as? String == "b")
    #expect(fields["payload"] as? String == "1,\"two\",0")
  }

  @Test func `predict answers every row in order, also one that cannot be read`() throws {
    let folder = try Folder()
    try folder.write(stream(500), to: "data.csv")
    try MillraceProcess.run(["train", "data.csv", "--label", "y", "--model", "m"], in: folder)
    try folder.write(["a,b", "2,2", "two,2", "-2,-2", "1", "2,2"], to: "new.csv")
    let outcome = try MillraceProcess.run(["predict", "new.csv", "--model", "m"], in: folder)
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.map { String($0.prefix(2)) } == ["pr", "1,", ",", "0,", ",", "1,"])
    #expect(lines.first == "prediction,probability")
    #expect(lines[1] == lines[5])
    #expect(outcome.errors.contains("new.csv at byte 8: 'a' is \"two\"; expected a number"))
    let json = try MillraceProcess.run(
      ["predict", "new.csv", "--model", "m", "--output", "new.jsonl", "--json"], in: folder)
    #expect(json.json["rows"] as? Int == 3)
    #expect(json.json["badRecords"] as? Int == 2)
    let answers = String(decoding: try folder.read("new.jsonl"), as: UTF8.self)
    #expect(
      answers.split(separator: "\n")[1] == "{\"prediction\":null,\"probability\":null}")
  }

  @Test func `predict stops at too many bad records where a limit is given`() throws {
    let folder = try Folder()
    try folder.write(stream(500), to: "data.csv")
    try MillraceProcess.run(["train", "data.csv", "--label", "y", "--model", "m"], in: folder)
    try folder.write(["a,b", "2,2", "two,2", "-2,-2", "1", "2,2"], to: "new.csv")
    for (limit, status) in [("0.4", 0), ("0.3", 3)] as [(String, Int32)] {
      let outcome = try MillraceProcess.run(
        ["predict", "new.csv", "--model", "m", "--max-bad-records", limit], in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.output.split(separator: "\n").count == 6)
      #expect(
        outcome.errors.contains(
          "--max-bad-records is 0.3, but 2 of 5 records were bad; the first reason: 'a' is")
          == (status == 3), "\(outcome.errors)")
    }
    // Of many records it does not read on.
    let lines = (0..<20_000).map { _ in "two,2" }
    try folder.write(["a,b"] + lines, to: "many.csv")
    let outcome = try MillraceProcess.run(
      [
        "predict", "many.csv", "--model", "m", "--max-bad-records", "0.5", "--output", "out.csv",
        "--log-level", "error",
      ], in: folder)
    #expect(outcome.status == 3, "\(outcome.errors)")
    let answers = try folder.read("out.csv").count { $0 == UInt8(ascii: "\n") }
    #expect((1_001..<20_000).contains(answers))
  }

  @Test func `predict says which columns have no value`() throws {
    let folder = try Folder()
    try folder.write(stream(500), to: "data.csv")
    try MillraceProcess.run(["train", "data.csv", "--label", "y", "--model", "m"], in: folder)
    try folder.write(["a", "1", "2"], to: "new.csv")
    try folder.write(["{\"a\":1}", "{\"a\":2,\"b\":null}"], to: "new.jsonl")
    try folder.write("", to: "empty.csv")
    for file in ["new.csv", "new.jsonl"] {
      let outcome = try MillraceProcess.run(["predict", file, "--model", "m"], in: folder)
      #expect(outcome.status == 0)
      #expect(
        outcome.errors.contains("\(file): no value for 'b' in the first 2 records"),
        "\(outcome.errors)")
    }
    let whole = try MillraceProcess.run(["predict", "data.csv", "--model", "m"], in: folder)
    #expect(whole.errors == "")
    let empty = try MillraceProcess.run(["predict", "empty.csv", "--model", "m"], in: folder)
    #expect(empty.status == 1 && empty.errors.contains("there are no fields"), "\(empty.errors)")
  }

  @Test func `a held-out part without a record is said`() throws {
    let folder = try Folder()
    try folder.write(["a,y", "1,2"], to: "one.csv")
    let outcome = try MillraceProcess.run(
      ["train", "one.csv", "--label", "y", "--test", ".5", "--json"], in: folder)
    #expect(outcome.status == 0 && outcome.json["test"] == nil)
    #expect(outcome.errors.contains("there is nothing to measure by"), "\(outcome.errors)")
  }

  @Test func `a record of JSON that is no object is called that`() throws {
    let folder = try Folder()
    let lines = (0..<40).map { "{\"a\":\($0),\"y\":\($0 % 2)}" }
    try folder.write(lines + ["[1,2]"], to: "data.jsonl")
    let outcome = try MillraceProcess.run(["train", "data.jsonl", "--label", "y"], in: folder)
    #expect(outcome.errors.contains("the record is no JSON object"), "\(outcome.errors)")
  }

  @Test func `values of several kinds are not called numbers`() throws {
    let folder = try Folder()
    let values = ["1", "0", "true", "false"]
    try folder.write(
      (0..<80).map { "{\"a\":\($0),\"y\":\(values[$0 % 4])}" }, to: "data.jsonl")
    let outcome = try MillraceProcess.run(["train", "data.jsonl", "--label", "y"], in: folder)
    #expect(
      outcome.errors.contains(
        "has 4 distinct values (\"0\", \"1\", \"false\", …), taken for classes"),
      "\(outcome.errors)")
  }
}

/// Lines of `a,b,y` with y = 1 where a + b > 0, after their header.
func stream(
  _ count: Int, _ line: (Double, Double, Double) -> String = { "\($0),\($1),\(Int($2))" }
) -> [String] {
  var state: UInt64 = 1
  func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (Double(state >> 44) / 131_072 - 4) / 2
  }
  return ["a,b,y"]
    + (0..<count).map { _ in
      let (a, b) = (uniform(), uniform())
      return line(a, b, a + b > 0 ? 1 : 0)
    }
}
