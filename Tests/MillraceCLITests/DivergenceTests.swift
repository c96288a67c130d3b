import Foundation
import Testing

/// A learning rate that is too large: noticed, reported, replaced, never published.
@Suite struct `A diverging setting` {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(stream(6_000), to: "data.csv")
  }

  @Test(arguments: [["train"], ["run", "--until-end", "--report", "run.html"]])
  func `is reported and replaced by one that learns`(command: [String]) throws {
    let arguments = [
      "data.csv", "--label", "a", "--learner", "sgd", "--loss", "squared", "--learning-rate",
      "1e6", "--schedule", "constant", "--model", "m", "--quiet",
    ]
    let outcome = try MillraceProcess.run(command + arguments + ["--json"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let divergence = try #require(outcome.json["divergence"] as? [String: Any])
    let restarts = try #require(divergence["restarts"] as? Int)
    #expect(divergence["learningRateFactor"] as? Double == pow(0.5, Double(restarts)))
    let row = try #require(divergence["atRow"] as? Int)
    #expect(restarts >= 10 && row < 6_000)
    #expect(outcome.errors.contains("the learner diverged by row"), "\(outcome.errors)")

    // What is served is finite and predicts no worse than a constant: a spreads by about 0.58.
    let served = try MillraceProcess.run(
      ["predict", "data.csv", "--model", "m", "--output", "answers.jsonl"], in: folder)
    #expect(served.status == 0, "\(served.errors)")
    let answers = try String(contentsOfFile: "\(folder.path)/answers.jsonl", encoding: .utf8)
      .split(separator: "\n").compactMap { line in
        (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["prediction"]
          as? Double
      }
    #expect(answers.count == 6_000 && answers.allSatisfy { abs($0) < 10 })
    if command[0] == "run" {
      let page = try String(contentsOfFile: "\(folder.path)/run.html", encoding: .utf8)
      #expect(page.contains("diverged"))
    }
    let text = try MillraceProcess.run(command + arguments, in: folder)
    #expect(text.output.contains("diverged"), "\(text.output)")
  }

  @Test func `is told of where the log ends in the middle of a step, and once`() throws {
    // A step is 256 rows; the later passes are no part of one.
    try folder.write(stream(200), to: "short.csv")
    let arguments = [
      "run", "short.csv", "--label", "a", "--learner", "sgd", "--loss", "squared",
      "--learning-rate", "1e6", "--schedule", "constant", "--model", "m", "--until-end",
      "--checkpoint", "state", "--report", "run.html", "--passes", "2", "--json", "--quiet",
    ]
    let outcome = try MillraceProcess.run(arguments, in: folder)
    let divergence = try #require(outcome.json["divergence"] as? [String: Any])
    let (restarts, row) = (divergence["restarts"] as? Int, divergence["atRow"] as? Int)
    let detail = "start \(try #require(restarts) + 1), with"
    #expect(
      outcome.errors.contains("the learner diverged by row \(try #require(row)): \(detail)"),
      "\(outcome.errors)")
    #expect(String(decoding: try folder.read("run.html"), as: UTF8.self).contains(detail))

    let again = try MillraceProcess.run(arguments, in: folder)
    #expect(again.status == 0 && again.json["divergence"] != nil)
    #expect(!again.errors.contains("diverged by row"), "\(again.errors)")
  }

  @Test func `of few records is stored aside and not served`() throws {
    try folder.write(Array(stream(40).prefix(20)), to: "few.csv")
    let outcome = try MillraceProcess.run(
      [
        "train", "few.csv", "--label", "a", "--learner", "sgd", "--learning-rate", "1e6",
        "--schedule", "constant", "--model", "m", "--json", "--quiet",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rejected = try #require(outcome.json["rejected"] as? [[String: Any]])
    #expect((rejected.first?["reason"] as? String)?.contains("diverges") == true)
    #expect(!folder.exists("models/m/champion"))
  }
}
