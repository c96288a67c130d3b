import Millrace
import Testing

@Suite struct `The demonstration` {
  private func run(in directory: String) throws -> RunResult? {
    var demonstration = Demonstration(directory: directory)
    (demonstration.rows, demonstration.ratePerSecond) = (6_000, 1e6)
    var result: RunResult?
    try demonstration.run(progress: { _ in }) { (sight) throws(MillraceError) in
      if case .finished(let finished, _) = sight { result = finished }
    }
    return result
  }

  @Test func `may be seen again, and leaves alone what is not its own`() throws {
    try withTemporaryDirectory { directory in
      let first = try #require(try run(in: directory))
      #expect(first.rows == 6_000 && first.published?.first == 1)
      try DurableFile.writeMakingDirectory("mine", to: "\(directory)/models/other/1/manifest.json")
      let second = try #require(try run(in: directory))
      #expect(second.rows == 6_000 && second.published == first.published)
      #expect(
        try DurableFile.read("\(directory)/models/other/1/manifest.json") == Array("mine".utf8))
    }
  }

  @Test(arguments: ["events/0.jsonl", "models/demo/1/manifest.json", "checkpoint/checkpoint-1"])
  func `is not made over somebody's own files`(file: String) throws {
    try withTemporaryDirectory { directory in
      try DurableFile.writeMakingDirectory("mine", to: "\(directory)/\(file)")
      let message = errorMessage(.configuration) { try run(in: directory) }
      #expect(message.contains("which no demonstration left there"), "\(message)")
      #expect(try DurableFile.read("\(directory)/\(file)") == Array("mine".utf8))
    }
  }
}
