import Foundation
import Testing

/// Classes that come while the job runs, through the commands.
@Suite struct `Several classes` {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func run(_ arguments: String...) throws -> [String: Any] {
    let outcome = try MillraceProcess.run(arguments, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  /// Points about the corners of a square, the fourth only from row 2,000 on.
  private func write(_ name: String, rows: Range<Int>) throws {
    var state: UInt64 = 3
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24)
    }
    let lines = (0..<rows.upperBound).map { row in
      let k = Int(uniform() * (row < 2_000 ? 3 : 4))
      let (x, y) = (Double(k % 2) + 1.2 * uniform(), Double(k / 2) + 1.2 * uniform())
      return "\(x),\(y),corner\(k)"
    }
    try folder.write(["x,y,label"] + lines[rows], to: name)
  }

  @Test func `that come late are learnt, stored and served, the job interrupted or not`() throws {
    try write("whole.csv", rows: 0..<5_000)
    try write("growing.csv", rows: 0..<1_900)
    let options = ["--label", "label", "--until-end", "--json", "--quiet"]
    func follow(_ log: String, model: String, _ predictions: String) throws -> [String: Any] {
      let outcome = try MillraceProcess.run(
        ["run", log, "--model", model, "--checkpoint", model, "--predictions", predictions]
          + options, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.json
    }
    _ = try follow("whole.csv", model: "one", "one.jsonl")
    _ = try follow("growing.csv", model: "two", "two.jsonl")
    try write("growing.csv", rows: 0..<5_000)
    let resumed = try follow("growing.csv", model: "two", "two.jsonl")
    #expect(resumed["resumedFrom"] != nil)
    func answers(_ name: String) throws -> [NSDictionary] {
      try String(decoding: folder.read(name), as: UTF8.self).split(separator: "\n").map {
        let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        return try #require(line?["probabilities"]) as? NSDictionary ?? [:]
      }
    }
    let (one, two) = (try answers("one.jsonl"), try answers("two.jsonl"))
    #expect(one.count == 5_000 && two.count == 5_000)
    #expect(one.last == two.last && one.last?.count == 4)

    try folder.write(["x,y", "0.5,0.5", "1.6,1.6"], to: "new.csv")
    let served = try MillraceProcess.run(["predict", "new.csv", "--model", "two"], in: folder)
    let lines = served.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.dropFirst().map { $0.prefix(7) } == ["corner0", "corner3"])
  }

  @Test func `have coefficients each`() throws {
    try write("data.csv", rows: 0..<3_000)
    let result = try run(
      "train", "data.csv", "--label", "label", "--model", "m", "--coefficients", "--json")
    let classes = try #require(result["coefficients"] as? [String: [String: Double]])
    #expect(classes.keys.sorted() == (0..<4).map { "corner\($0)" })
    #expect(classes.values.allSatisfy { $0.keys.sorted() == ["intercept", "x", "y"] })
    let slopes = (0..<4).map { classes["corner\($0)"]?["x"] ?? 0 }
    #expect(min(slopes[1], slopes[3]) > max(slopes[0], slopes[2]))
  }
}
