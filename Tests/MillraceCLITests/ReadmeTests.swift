import Foundation
import Millrace
import Testing

/// The library program that the README shows.
private func readmeProgram() throws -> Double {
  // README
  var predictor = try Predictor("sea", store: "models")
  let probability = try predictor.predict([1.5, 4.2, 7.0])
  // README
  return probability
}

@Suite struct `The README` {
  private let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  private func lines(of path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  @Test func `shows the program that is compiled here`() throws {
    let parts = try lines(of: #filePath).split { $0 == "  // README" }
    try #require(parts.count == 3)
    let program = parts[1].map { String($0.dropFirst(2)) }.joined(separator: "\n")
    #expect(program.contains("Predictor"))
    #expect(
      try lines(of: "\(root)/README.md").joined(separator: "\n")
        .contains("```swift\nimport Millrace\n\n\(program)\n```"))
  }

  @Test func `answers in the library what the command line answers, to the bit`() throws {
    try #require(FileManager.default.changeCurrentDirectoryPath(root))
    let folder = try Folder()
    try folder.write("x1,x2,x3\n1.5,4.2,7.0\n", to: "row.csv")
    let outcome = try MillraceProcess.run(
      "predict", "row.csv", "--model", "sea", "--store", "\(root)/models", in: folder)
    #expect(outcome.status == 0)
    let fields = outcome.output.split(separator: "\n").map { $0.split(separator: ",") }
    try #require(fields.count == 2 && fields[0] == ["prediction", "probability"])
    #expect(Double(fields[1][1]) == (try readmeProgram()))
  }

  @Test func `names only commands and options that exist`() throws {
    let text = try lines(of: "\(root)/README.md")
    let commands = text.compactMap { line in
      line.firstMatch(of: /^(?:\$ )?millrace ([a-z]+)/).map { String($0.output.1) }
    }
    try #require(!commands.isEmpty)
    for command in Set(commands) {
      #expect(try run(millrace, "help", command).status == 0, "\(command)")
    }
    for line in text {
      guard let command = line.firstMatch(of: /^(?:\$ )?millrace ([a-z]+)/)?.output.1 else {
        continue
      }
      let help = try run(millrace, String(command), "--help").output
      for option in line.matches(of: /--[a-z-]+/).map(\.output) {
        #expect(help.contains(option), "\(line)")
      }
    }
  }
}
