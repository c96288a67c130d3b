import Foundation
import Testing

/// The same records learn the same model, byte for byte, however they are written.
@Suite struct `Input formats` {
  private let folder: Folder
  /// Named as columns without a header are: random functions of columns go with their names.
  private let lines = ["x1,x2,x3"] + stream(1_500).dropFirst()

  init() throws {
    folder = try Folder()
    try folder.write(lines, to: "data.csv")
    try folder.write(
      lines.map { $0.split(separator: ",").joined(separator: "\t") }, to: "data.tsv")
    try folder.write(Array(lines.dropFirst()), to: "bare.csv")
    try folder.write(
      lines.dropFirst().map { line in
        let fields = line.split(separator: ",")
        return "{\"x1\":\(fields[0]),\"x2\":\(fields[1]),\"x3\":\(fields[2])}"
      }, to: "data.jsonl")
    let gzip = try Process.run(
      URL(fileURLWithPath: "/usr/bin/env"), arguments: ["gzip", "-k", "\(folder.path)/data.csv"])
    gzip.waitUntilExit()
    try #require(gzip.terminationStatus == 0)
  }

  private func run(_ arguments: [String], input: String?) throws -> MillraceProcess.Outcome {
    let input = try input.map {
      try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(folder.path)/\($0)"))
    }
    return try MillraceProcess.run(arguments, in: folder, input: input)
  }

  @Test(arguments: ["train", "run"], ["auto", "exact"])
  func `teach the same`(command: String, learner: String) throws {
    // Following a log is no batch job: it has no exact solution.
    if command == "run" && learner == "exact" { return }
    let options =
      (command == "run" ? ["--until-end"] : []) + (learner == "exact" ? ["--l2", "0.01"] : [])
      + ["--learner", learner, "--quiet", "--model"]
    let forms: [(name: String, address: [String], input: String?)] = [
      ("csv", ["data.csv"], nil), ("tsv", ["data.tsv"], nil),
      ("gz", ["data.csv.gz"], nil), ("jsonl", ["data.jsonl"], nil),
      ("bare", ["bare.csv", "--no-header"], nil),
    ]
    // A stream is read once; the exact solution of a logistic regression reads again and again.
    let streams: [(name: String, address: [String], input: String?)] =
      learner == "exact"
      ? []
      : [
        ("stdin", ["-", "--format", "csv"], "data.csv"),
        ("stdin-jsonl", ["-", "--format", "jsonl"], "data.jsonl"),
        ("stdin-gz", ["-", "--format", "csv"], "data.csv.gz"),
      ]
    var models: [Data] = []
    var answers: [String] = []
    for (name, address, input) in forms + streams {
      let outcome = try run(
        [command] + address + ["--label", "x3"] + options + [name], input: input)
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      models.append(try folder.read("models/\(name)/1/model.safetensors"))
      let predicted = try run(["predict"] + address + ["--model", name], input: input)
      #expect(predicted.status == 0, "\(name): \(predicted.errors)")
      #expect(predicted.output.split(separator: "\n").count == lines.count)
      answers.append(predicted.output)
    }
    #expect(Set(models).count == 1)
    #expect(Set(answers).count == 1)
  }

  @Test func `an exact solution recovers the coefficients that made the data`() throws {
    let rows = 20_000
    let noise = 0.1
    try MillraceProcess.run(
      "generate", "linear", "--rows", "\(rows)", "--features", "4", "--noise", "\(noise)",
      "--output", "linear.csv", in: folder)
    let truth = try JSONSerialization.jsonObject(with: folder.read("linear.truth.json"))
    let segments = (truth as? [String: Any])?["segments"] as? [[String: Any]]
    let expected = try #require(segments?.first?["coefficients"] as? [String: Double])
    let outcome = try MillraceProcess.run(
      "train", "linear.csv", "--label", "label", "--learner", "exact", "--coefficients", "--json",
      in: folder)
    let found = try #require(outcome.json["coefficients"] as? [String: Double])
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, value) in expected {
      // Columns have unit variance: an estimate's standard error is noise / √rows.
      #expect(abs((found[name] ?? .nan) - value) < 5 * noise / Double(rows).squareRoot())
    }
  }
}
