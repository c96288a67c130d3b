import Foundation
import Testing

/// What a compiler does not check, over the project's own files.
@Suite struct `The sources` {
  private struct File {
    /// The path from the project's top level.
    let path: String
    let lines: [String]

    /// The lines that are not comments, with their numbers; text inside them is left as it is.
    var code: [(number: Int, text: String)] {
      zip(1..., lines).filter { !$1.drop(while: \.isWhitespace).hasPrefix("//") }
        .map { (number: $0, text: $1) }
    }

    /// `path:line`, for the lines of code that match.
    func matches(of pattern: some RegexComponent) -> [String] {
      code.filter { $0.text.contains(pattern) }.map { "\(path):\($0.number): \($0.text)" }
    }
  }

  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The text files under a folder of the project.
  private func files(in folder: String, kinds: Set<String> = ["swift"]) throws -> [File] {
    let start = Self.root.appendingPathComponent(folder).path
    let paths = try #require(FileManager.default.enumerator(atPath: start)).compactMap {
      $0 as? String
    }
    // What was built lies in hidden folders.
    let ours = paths.filter { path in
      kinds.contains((path as NSString).pathExtension)
        && !path.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    let found = try ours.sorted().map { path in
      let text = try String(contentsOfFile: "\(start)/\(path)", encoding: .utf8)
      return File(
        path: "\(folder)/\(path)",
        lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }
    try #require(!found.isEmpty)
    return found
  }

  @Test func `only the linear algebra layer calls BLAS and LAPACK`() throws {
    for file in try files(in: "Sources")
    where !file.path.hasPrefix("Sources/Millrace/LinearAlgebra/") {
      #expect(file.matches(of: /\b(cblas|LAPACKE)_/).isEmpty)
    }
  }

  @Test func `the engine does not import Foundation`() throws {
    for file in try files(in: "Sources/Millrace") {
      #expect(file.matches(of: /\bimport Foundation\b/).isEmpty)
    }
  }

  @Test func `what the compiler is told to trust says why`() throws {
    for file in try files(in: "Sources") {
      for (number, text) in file.code
      where text.contains(/@unchecked Sendable|nonisolated\(unsafe\)/) {
        // The comment that belongs to the declaration: the lines right above it.
        let comment = file.lines[..<(number - 1)].reversed()
          .prefix { $0.drop(while: \.isWhitespace).hasPrefix("//") }.joined()
        #expect(
          comment.contains(/Sendable|thread|owner|touched/), "\(file.path):\(number): \(text)")
      }
    }
  }

  @Test func `nothing crashes on purpose`() throws {
    for file in try files(in: "Sources") {
      // A `!` after a name, a bracket or a parenthesis that is not `!=`.
      #expect(file.matches(of: /\btry!|\bas!|fatalError/).isEmpty)
      #expect(file.matches(of: /[A-Za-z0-9_)\]]!(?!=)[^"]*$/).isEmpty)
    }
  }

  @Test func `no file is longer than 500 lines`() throws {
    let kinds: Set = ["swift", "c", "cpp", "h", "hpp"]
    for file in try files(in: "Sources", kinds: kinds) + files(in: "Tests", kinds: kinds) {
      #expect(file.lines.count <= 501, "\(file.path)")
    }
  }

  @Test func `no path of somebody's machine is written down`() throws {
    let kinds: Set = ["swift", "c", "cpp", "h", "hpp", "md", "json", "py"]
    let homes = try Self.homes
    for folder in ["Sources", "Tests", "datasets", "models", "Benchmarks"] {
      for file in try files(in: folder, kinds: kinds) {
        for (number, line) in zip(1..., file.lines) {
          #expect(!line.contains(homes), "\(file.path):\(number): \(line)")
        }
      }
    }
  }

  /// Put together from parts, so that this file does not hold one itself.
  private static var homes: Regex<AnyRegexOutput> {
    get throws { try Regex("(?:^|[^A-Za-z0-9_.])/(" + "home|root|Users|work" + ")/[a-z]") }
  }

  /// What lies above a folder: it does not name their types.
  @Test(arguments: [
    ("LinearAlgebra", ["Models", "Optimizers", "Solvers", "Drift", "Data", "Store"]),
    ("Features", ["Models", "Optimizers", "Solvers", "Drift", "Data", "Store"]),
    ("Optimizers", ["Solvers", "Drift", "Evaluation", "Data", "Log"]),
    ("Solvers", ["Optimizers", "Drift", "Evaluation", "Log"]),
    ("Models", ["Drift", "Evaluation", "Log"]),
    ("Drift", ["Optimizers", "Solvers", "Evaluation", "Log"]),
    ("Evaluation", ["Optimizers", "Solvers", "Drift", "Log"]),
    ("Data", ["Optimizers", "Solvers", "Drift", "Evaluation"]),
    ("Log", ["Models", "Optimizers", "Solvers", "Drift", "Evaluation"]),
    ("Store", ["Optimizers", "Solvers", "Drift", "Evaluation", "Log"]),
    ("Report", ["Optimizers", "Solvers", "Log", "Store"]),
  ])
  func `the arrows between the engine's folders point one way`(
    folder: String, above: [String]
  ) throws {
    func declared(in file: File, by pattern: Regex<(Substring, Substring)>) -> [String] {
      file.code.compactMap { $0.text.firstMatch(of: pattern).map { String($0.output.1) } }
    }
    let folders = above + ["Pipeline", "Report"].filter { $0 != folder }
    let own = try files(in: "Sources/Millrace/\(folder)")
    let names = Set(
      try folders.flatMap { try files(in: "Sources/Millrace/\($0)") }.flatMap {
        declared(in: $0, by: /^(?:public |package |final )*(?:struct|class|enum|protocol) (\w+)/)
      }
    ).subtracting(
      own.flatMap { declared(in: $0, by: /(?:struct|class|enum|protocol|typealias) (\w+)/) })
    for file in own {
      for (number, text) in file.code {
        let used = text.replacing(/"[^"]*"/, with: "").matches(of: /\b[A-Z]\w+/).map {
          String($0.output)
        }
        #expect(names.isDisjoint(with: used), "\(file.path):\(number): \(text)")
      }
    }
  }
}
