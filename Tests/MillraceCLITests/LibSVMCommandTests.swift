import Foundation
import Testing

/// LibSVM records with more features than there are columns for, through the commands.
@Suite struct `Sparse records` {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Lines whose label depends on which of 3,000 features there are.
  private func write(_ name: String, rows: Int, label: (Double) -> String) throws {
    var state: UInt64 = 7
    func next(below limit: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % limit)
    }
    try folder.write(
      (0..<rows).map { _ in
        let features = Set((0..<12).map { _ in next(below: 60) * next(below: 50) + 1 }).sorted()
        let score = features.reduce(0.0) { $0 + ($1 % 3 == 0 ? 1 : $1 % 3 == 1 ? -1 : 0) }
        return label(score) + features.map { " \($0):\($0 % 7 + 1)" }.joined()
      }, to: name)
  }

  private func run(_ arguments: String...) throws -> MillraceProcess.Outcome {
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome
  }

  @Test(arguments: ["binary", "multiclass", "regression"])
  func `are learnt, served and predicted`(task: String) throws {
    try write("data.svm", rows: 4_000) { score in
      switch task {
      case "binary": score > 0 ? "1" : "-1"
      case "multiclass": score > 1 ? "high" : score < -1 ? "low" : "middle"
      default: "\(10 + 1.37 * score)"
      }
    }
    let trained = try run("train", "data.svm", "--model", "m", "--test", "0.25", "--json")
    #expect(trained.json["task"] as? String == task)
    let test = try #require(trained.json["test"] as? [String: Any])
    if task == "regression" {
      #expect(try #require(test["r2"] as? Double) > 0.9)
    } else {
      let accuracy = try #require(test["accuracy"] as? Double)
      #expect(accuracy > (task == "binary" ? 0.92 : 0.82))
    }
    let answers = try run("predict", "data.svm", "--model", "m").output.split(separator: "\n")
    #expect(answers.count == 4_001)
    #expect(answers[1].split(separator: ",").count == ["binary": 2, "multiclass": 4][task] ?? 1)

    let gzip = try Process.run(
      URL(fileURLWithPath: "/usr/bin/env"), arguments: ["gzip", "-k", "\(folder.path)/data.svm"])
    gzip.waitUntilExit()
    let file = try run("train", "data.svm", "--model", "whole", "--json").json
    let packed = try run("train", "data.svm.gz", "--model", "packed", "--label", "y", "--json")
    #expect(packed.json["rows"] as? Int == 4_000)
    #expect(
      (packed.json["progressive"] as? NSDictionary) == (file["progressive"] as? NSDictionary))
    #expect(
      try folder.read("models/packed/1/model.safetensors")
        == folder.read("models/whole/1/model.safetensors"))
  }

  @Test func `show the coefficients of the features that were seen`() throws {
    try write("data.svm", rows: 500) { $0 > 0 ? "1" : "0" }
    let outcome = try run("train", "data.svm", "--model", "m", "--coefficients", "--json")
    let coefficients = try #require(outcome.json["coefficients"] as? [String: Double])
    #expect(coefficients["intercept"] != nil && coefficients.count > 500)
    #expect(coefficients.values.allSatisfy { $0 != 0 })
    #expect(try run("models", "show", "m").output.contains("262144, sparse"))
  }

  @Test func `go on from a checkpoint as if nothing had happened`() throws {
    try write("data.svm", rows: 6_000) { $0 > 0 ? "1" : "0" }
    let lines = try String(decoding: folder.read("data.svm"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    for log in ["calm", "wild"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(log)", withIntermediateDirectories: true)
    }
    func job(_ name: String) throws -> MillraceProcess.Outcome {
      try run(
        "run", "\(name)/", "--format", "libsvm", "--model", name, "--checkpoint", "\(name)-state",
        "--predictions", "\(name).jsonl", "--publish-every", "1000", "--until-end", "--reference",
        "500", "--window", "500", "--json")
    }
    try folder.write(lines, to: "calm/0.svm")
    _ = try job("calm")
    // The log ends twice, in the middle of a block and of a window.
    for end in [1_234, 3_777, 6_000] {
      try folder.write(Array(lines[..<end]), to: "wild/0.svm")
      #expect(try job("wild").json["rows"] as? Int == end)
    }
    #expect(try folder.read("wild.jsonl").count > 0)
    let newest = try ["calm", "wild"].map { name in
      let versions = try FileManager.default.contentsOfDirectory(
        atPath: "\(folder.path)/models/\(name)"
      ).compactMap(Int.init)
      return try folder.read("models/\(name)/\(versions.max() ?? 0)/model.safetensors")
    }
    #expect(newest[0] == newest[1])
  }

  @Test func `come from columns and words that are hashed`() throws {
    let words = (0..<500).map { "word\($0)" }
    var state: UInt64 = 3
    func next(below limit: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % limit)
    }
    var (csv, json) = (["city,note,y"], [String]())
    for _ in 0..<4_000 {
      let picks = (0..<6).map { _ in next(below: 500) }
      let city = next(below: 200)
      let score = picks.reduce(0) { $0 + ($1 % 2 == 0 ? 1 : -1) } + (city % 2 == 0 ? 2 : -2)
      let note = picks.map { words[$0] }.joined(separator: " ")
      csv.append("town \(city),\(note),\(score > 0 ? "up" : "down")")
      json.append(
        #"{"city":"town \#(city)","note":"\#(note)","y":"\#(score > 0 ? "up" : "down")"}"#)
    }
    try folder.write(csv, to: "data.csv")
    try folder.write(json, to: "data.jsonl")
    var losses: [Double] = []
    for name in ["csv", "jsonl"] {
      let trained = try run(
        "train", "data.\(name)", "--label", "y", "--hash-bits", "18", "--interactions",
        "city:note", "--model", name, "--json")
      let progressive = try #require(trained.json["progressive"] as? [String: Any])
      losses.append(try #require(progressive["logLoss"] as? Double))
      let answers = try run("predict", "data.\(name)", "--model", name)
      #expect(answers.output.split(separator: "\n").count == 4_001)
    }
    #expect(losses[0] < 0.52 && losses[0] == losses[1])
    #expect(
      try folder.read("models/csv/1/model.safetensors")
        == folder.read("models/jsonl/1/model.safetensors"))
    // Without hashing the notes are left out.
    let dense = try run("train", "data.csv", "--label", "y", "--json")
    let progressive = try #require(dense.json["progressive"] as? [String: Any])
    #expect(try #require(progressive["logLoss"] as? Double) > losses[0])
  }

  @Test func `refuse what they cannot do`() throws {
    try write("data.svm", rows: 200) { $0 > 0 ? "1" : "0" }
    for (option, value) in [
      ("--learner", "exact"), ("--learner", "newton"), ("--features", "3"),
      ("--interactions", "1:2"),
    ] {
      let outcome = try MillraceProcess.run("train", "data.svm", option, value, in: folder)
      #expect(outcome.status == 2 && outcome.errors.contains("where features are sparse"))
    }
  }
}
