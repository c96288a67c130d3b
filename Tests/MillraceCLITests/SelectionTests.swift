import Foundation
import Testing

/// Choosing settings, and knowing what a fit is worth, by the built command.
@Suite struct `Model selection` {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(stream(3_000), to: "data.csv")
  }

  private func train(_ extra: String...) throws -> MillraceProcess.Outcome {
    try MillraceProcess.run(
      ["train", "data.csv", "--label", "y", "--json", "--quiet"] + extra, in: folder)
  }

  @Test func `every record is held out once, and all of them are learnt`() throws {
    let outcome = try train("--cv", "7", "--model", "m")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let validation = try #require(outcome.json["crossValidation"] as? [String: Any])
    let folds = try #require(validation["folds"] as? [[String: Any]])
    let sizes = folds.compactMap { $0["rows"] as? Int }
    #expect(sizes.count == 7 && sizes.reduce(0, +) == 3_000)
    // Each class's share may be a record more or less.
    #expect(sizes.allSatisfy { 427...430 ~= $0 })
    let losses = folds.compactMap { $0["logLoss"] as? Double }
    let mean = losses.reduce(0, +) / 7
    let squares = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let metrics = try #require(validation["metrics"] as? [String: [String: Double]])
    let spread = try #require(metrics["logLoss"])
    #expect(abs((spread["mean"] ?? 0) - mean) < 1e-12)
    #expect(abs((spread["standardDeviation"] ?? 0) - (squares / 6).squareRoot()) < 1e-12)
    #expect(outcome.json["rows"] as? Int == 3_000)

    let again = try train("--cv", "7")
    let other = try train("--cv", "7", "--seed", "2")
    let first = try #require(again.json["crossValidation"] as? NSDictionary)
    #expect(first == validation as NSDictionary, "the seed decides the folds")
    #expect(first != other.json["crossValidation"] as? NSDictionary)
  }

  @Test func `a grid's candidates learn what they would learn alone, and the best is stored`()
    throws
  {
    let outcome = try train(
      "--learner", "sgd", "--grid", "learning-rate=0.01,0.3 averaging=false,true", "--model", "m")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let points = try #require(outcome.json["grid"] as? [[String: Any]])
    #expect(points.count == 4)
    let losses = try points.map { point in
      try #require((point["progressive"] as? [String: Any])?["logLoss"] as? Double)
    }
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(outcome.json["chosen"] as? NSDictionary == points[best]["settings"] as? NSDictionary)
    let alone = try train("--learner", "sgd", "--learning-rate", "0.01")
    #expect((alone.json["progressive"] as? [String: Any])?["logLoss"] as? Double == losses[0])
    let progressive = outcome.json["progressive"] as? [String: Any]
    #expect(progressive?["logLoss"] as? Double == losses[best])
  }

  @Test func `folds choose among exact solutions`() throws {
    let outcome = try train("--learner", "exact", "--grid", "l2=0.001,10", "--cv", "3")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.json["chosen"] as? [String: String] == ["l2": "0.001"])
  }

  @Test func `a summary tells what coefficients are worth`() throws {
    // y is a function of a and b but for the boundary: a third column is worth nothing.
    let lines = stream(400) { a, b, y in
      "\(a),\(b),\(Int(a * 64) & 1),\((abs(a) * 7).truncatingRemainder(dividingBy: 1) < 0.1 ? 1 - y : y)"
    }
    try folder.write(["a,b,c,y"] + lines.dropFirst(), to: "noisy.csv")
    let outcome = try MillraceProcess.run(
      [
        "train", "noisy.csv", "--label", "y", "--learner", "exact", "--summary", "--json",
        "--quiet",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try #require(outcome.json["summary"] as? [String: Any])
    #expect(summary["statistic"] as? String == "z" && summary["degreesOfFreedom"] as? Int == 396)
    let rows = try #require(summary["coefficients"] as? [[String: Any]])
    #expect(rows.map { $0["name"] as? String } == ["intercept", "a", "b", "c"])
    let pValues = rows.compactMap { $0["pValue"] as? Double }
    #expect(pValues.count == 4 && pValues[1] < 1e-6 && pValues[2] < 1e-6 && pValues[3] > 0.01)
  }

  @Test(arguments: [(8, 0), (9, 2)]) func `there are as many folds as a class has records`(
    count: Int, status: Int32
  ) throws {
    try folder.write(["a,y"] + (0..<10).map { "\($0),\($0 < 2 ? 1 : 0)" }, to: "ten.csv")
    let outcome = try MillraceProcess.run(
      ["train", "ten.csv", "--label", "y", "--cv", "\(count)", "--model", "ten", "--json"],
      in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    let folds = (outcome.json["crossValidation"] as? [String: Any])?["folds"] as? [Any]
    #expect(folds?.count == (status == 0 ? count : nil))
    #expect(
      outcome.errors.contains("--cv is \"9\"; expected no more folds than the most frequent class")
        == (status == 2), "\(outcome.errors)")
    #expect(folder.exists("models/ten/1") == (status == 0))
  }

  @Test(arguments: [
    (["--grid", "depth=3"], ["--grid is \"depth\"", "learning-rate"]),
    (["--grid", "l2"], ["--grid is \"l2\"", "KEY=VALUE"]),
    (["--grid", "l2=a"], ["--grid is \"l2=a\"", "a number"]),
    (
      ["--grid", "l2=1", "--learner", "exact"],
      ["--learner is \"exact\"", "in a grid, or folds (cv)"]
    ),
    (["--cv", "1"], ["--cv is \"1\""]),
    (["--summary"], ["--learner is \"auto\"", "exact", "summary"]),
  ])
  func `a choice that cannot be made is refused`(options: [String], evidence: [String]) throws {
    let outcome = try MillraceProcess.run(
      ["train", "data.csv", "--label", "y"] + options, in: folder)
    #expect(outcome.status == 2, "\(outcome.errors)")
    for part in evidence { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
  }
}
