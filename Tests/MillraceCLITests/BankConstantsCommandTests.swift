import Foundation
import Testing

@Suite struct `The option --bank-constants` {
  private let folder: Folder
  private let drifts = [0.2, 0.01, 0.001, 0, 0, 0, 0, 0]

  init() throws {
    folder = try Folder()
    try folder.write(
      ["x,y"] + (0..<200).map { "\($0 * 37 % 101),\($0 * 37 % 101 > 50 ? "a" : "b")" },
      to: "data.csv")
  }

  private func shown(_ model: String) throws -> [String: [Double]] {
    let outcome = try MillraceProcess.run("models", "show", model, "--json", in: folder)
    return try #require(outcome.json["bankConstants"] as? [String: [Double]])
  }

  @Test func `replaces what the model would be made with`() throws {
    let list = drifts.map { "\($0)" }.joined(separator: ",")
    let outcome = try MillraceProcess.run(
      "train", "data.csv", "--label", "y", "--model", "m", "--bank-constants",
      "filter-drifts=\(list)", "--bank-constants", "last-share=0.5", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let shown = try shown("m")
    #expect(shown["filter-drifts"] == drifts)
    #expect(shown["last-share"] == [0.5])
    #expect(shown["learning-rates"] == [0.001, 0.004, 0.016, 0.064])
  }

  @Test func `is a key of the configuration`() throws {
    try folder.write(
      ["label: y", "model: m", "bankConstants:", "  - last-share=0.25"], to: "run.yaml")
    let outcome = try MillraceProcess.run(
      "run", "data.csv", "--config", "run.yaml", "--until-end", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shown("m@1")["last-share"] == [0.25])
  }

  @Test func `names what there is when it is wrong`() throws {
    let outcome = try MillraceProcess.run(
      "train", "data.csv", "--label", "y", "--bank-constants", "last-shares=0.25", in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("last-share (1)"), "\(outcome.errors)")
  }
}
