import Foundation
import Testing

/// A job whose model's champion was learnt from other data.
@Suite struct `A champion of other data` {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func train(_ data: String, task: String) throws -> [String: Any] {
    let outcome = try MillraceProcess.run(
      ["train", data, "--label", "label", "--task", task, "--model", "m", "--json", "--quiet"],
      in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  /// Rows of `columns` numbers, and a label by the row's number.
  private func write(_ name: String, columns: Int, label: (Int) -> String) throws {
    let header = (0..<columns).map { "x\($0)" } + ["label"]
    let rows = (0..<3_000).map { row in
      (0..<columns).map { "\((row * (2 * $0 + 3)) % 101)" } + [label(row)]
    }
    try folder.write(([header] + rows).map { $0.joined(separator: ",") }, to: name)
  }

  @Test(arguments: ["binary", "multiclass", "regression"])
  func `is not measured on rows that it has other columns for`(task: String) throws {
    let label: (Int) -> String = { "\($0 % (task == "binary" ? 2 : 3))" }
    try write("wide.csv", columns: 60, label: label)
    try write("narrow.csv", columns: 4, label: label)
    _ = try train("wide.csv", task: task)
    let result = try train("narrow.csv", task: task)
    let rejected = try #require(result["rejected"] as? [[String: Any]])
    #expect((rejected.first?["reason"] as? String)?.contains("columns") == true)
    #expect(result["served"] == nil)
  }

  @Test func `is measured where its classes have the same order only`() throws {
    // The second log shows other classes in the sample that the schema is inferred from.
    try write("one.csv", columns: 4) { "c\($0 % 3)" }
    try write("two.csv", columns: 4) { $0 < 2_000 ? "c\(1 + $0 % 2)" : "c\($0 % 3)" }
    _ = try train("one.csv", task: "multiclass")
    #expect(try train("one.csv", task: "multiclass")["served"] != nil)
    #expect(try train("two.csv", task: "multiclass")["served"] == nil)
  }
}
