import Foundation
import Testing

/// What a job needs does not depend on how much it reads.
@Suite(.serialized) struct `A file larger than memory is meant for` {
  /// Writes rows of 64 numbers until the file is larger than 2 GB.
  private func writeRows(to name: String, in folder: Folder) throws -> Int {
    let rows = 20_000
    #expect(
      try MillraceProcess.run(
        "generate", "logistic", "--rows", "\(rows)", "--features", "64", "--output", "part.csv",
        in: folder
      ).status == 0)
    let part = try folder.read("part.csv")
    let header = try #require(part.firstIndex(of: UInt8(ascii: "\n"))) + 1
    let file = try FileHandle(forWritingTo: folder.create(name))
    try file.write(contentsOf: part[..<header])
    let copies = Int(2.05 * 1_073_741_824) / (part.count - header) + 1
    for _ in 0..<copies { try file.write(contentsOf: part[header...]) }
    try file.close()
    return copies * rows
  }

  @Test func `trains below 100 MB, with what it maps of the file`() throws {
    let folder = try Folder()
    let rows = try writeRows(to: "large.csv", in: folder)
    let (process, output, errors) = try MillraceProcess.start(
      [
        "train", "large.csv", "--label", "label", "--learner", "sgd", "--model", "m", "--json",
        "--quiet",
      ], in: folder)
    // The kernel's own high-water mark; it never falls, so that the last look is the peak.
    var peak = 0
    while process.isRunning {
      let status = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      peak = max(peak, line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0)
      usleep(20_000)
    }
    process.waitUntilExit()
    let messages = try String(contentsOf: errors, encoding: .utf8)
    #expect(process.terminationStatus == 0, "\(messages)")
    #expect(try String(contentsOf: output, encoding: .utf8).contains("\"rows\":\(rows),"))
    #expect(peak > 5_000 && peak < 100_000, "the peak was \(peak) kB")
  }
}
