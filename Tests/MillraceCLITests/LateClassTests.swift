import Foundation
import Testing

/// A class that the first records do not show: nothing before it knows of it.
@Suite struct `A class that comes late` {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(stream(lateClass: "c3"), to: "late.csv")
    try folder.write(stream(lateClass: "c0"), to: "never.csv")
  }

  /// Classes by the sector of a point; the last from row 2,000 on, long after the sample ended that
  /// the schema is inferred from.
  private func stream(lateClass: String) -> [String] {
    var state: UInt64 = 5
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24) - 0.5
    }
    return ["x,y,label"]
      + (0..<2_600).map { row in
        let (x, y) = (uniform(), uniform())
        let isLate = row >= 2_000 && x + y > 0.4
        return "\(x),\(y),\(isLate ? lateClass : x > 0 ? "c0" : y > 0 ? "c1" : "c2")"
      }
  }

  private func predictions(_ log: String, _ options: String...) throws -> [String] {
    let name = folder.unique("predictions") + ".jsonl"
    let model = URL(fileURLWithPath: folder.unique("model")).lastPathComponent
    let outcome = try MillraceProcess.run(
      ["run", log, "--label", "label", "--task", "multiclass", "--model", model]
        + ["--until-end", "--quiet", "--predictions", name] + options, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try String(contentsOfFile: name, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func `changes no prediction made before it`() throws {
    let late = try predictions("late.csv")
    let never = try predictions("never.csv")
    let arrival = try #require(late.firstIndex { $0.contains("\"c3\"") })
    #expect(arrival >= 2_000)
    // The record that brings it is predicted with what was kept for something new.
    #expect(late[..<arrival] == never[..<arrival])
    #expect(late[arrival...].allSatisfy { $0.contains("\"c3\"") })
  }

  @Test(arguments: ["auto", "adagrad"])
  func `is predicted alike however the log is split into micro-batches`(learner: String) throws {
    let whole = try predictions("late.csv", "--learner", learner)
    for size in ["1", "64", "1000"] {
      #expect(try predictions("late.csv", "--learner", learner, "--batch-size", size) == whole)
    }
  }
}
