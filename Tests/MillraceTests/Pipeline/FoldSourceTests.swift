import Foundation
import Millrace
import Testing

@Suite struct `Folds of a source` {
  /// The records of each fold, held out in turn; with each the records it is not told of.
  private func folds(
    _ path: String, task: Task, label: String, of count: Int, seed: UInt64 = 1, format: DataFormat,
    maxRecords: Int = 700
  ) throws -> [(heldOut: [String], training: [String])] {
    let schema = Schema(task: task, columns: [], label: label)
    return try (0..<count).map { fold in
      func records(_ part: FoldSource.Part) throws -> [String] {
        let log = try FileLog(LogAddress(path, format: format), hasHeader: true, untilEnd: true)
        return try FoldSource(log, schema: schema, fold: fold, of: count, part: part, seed: seed)
          .readAll(maxRecords: maxRecords).map(\.text)
      }
      return (try records(.heldOut), try records(.training))
    }
  }

  private func withFile(_ lines: [String], _ name: String, body: (String) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      try Data(lines.map { $0 + "\n" }.joined().utf8)
        .write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
      try body("\(directory)/\(name)")
    }
  }

  @Test func `each have their share of a rare class, whatever the order`() throws {
    // 1 % of 2,000 records: spread, at the end, and in between with records that have no class.
    let rare: [(Int) -> Bool] = [
      { $0 % 100 == 37 }, { $0 >= 1_980 }, { (1_000..<1_020).contains($0) },
    ]
    for isRare in rare {
      let rows = (0..<2_000).map { (id: $0, label: isRare($0) ? "fraud" : "fine") }
      let csv = ["id,y"] + rows.map { "\($0.id),\($0.label)" }
      try withFile(csv, "data.csv") { path in
        let folds = try folds(path, task: .binary, label: "y", of: 10, format: .csv)
        for fold in folds {
          #expect(fold.heldOut.count { $0.hasSuffix("fraud") } == 2)
          #expect(fold.heldOut.count { $0.hasSuffix("fine") } == 198)
          #expect((fold.heldOut + fold.training).sorted() == csv.dropFirst().sorted())
        }
        #expect(folds.flatMap(\.heldOut).sorted() == csv.dropFirst().sorted())
      }
    }
  }

  @Test func `have every class's share to one record, in every format`() throws {
    // Of the 7 classes the later ones are rarer, and the decoder knows none of them before.
    let labels = (0..<3_000).map { row in (0..<7).first { row % (2 << $0) != 0 } ?? 6 }
    let counts = (0..<7).map { label in labels.count { $0 == label } }
    let files: [(String, DataFormat, [String])] = [
      ("data.csv", .csv, ["id,y"] + labels.enumerated().map { "\($0),c\($1)" }),
      ("data.jsonl", .jsonLines, labels.enumerated().map { #"{"y":"c\#($1)","id":\#($0)}"# }),
      ("data.svm", .libsvm, labels.enumerated().map { "\($1) 1:\($0) 4:1" }),
    ]
    for (name, format, lines) in files {
      try withFile(lines, name) { path in
        let folds = try folds(path, task: .multiclass, label: "y", of: 8, format: format)
        for fold in folds {
          for (label, count) in counts.enumerated() {
            let text = format == .libsvm ? "\(label) 1:" : "c\(label)"
            let share = fold.heldOut.count {
              format == .libsvm ? $0.hasPrefix(text) : $0.contains(text)
            }
            #expect(count / 8...(count + 7) / 8 ~= share)
          }
        }
      }
    }
  }

  @Test func `are decided by the seed, not by how records are read`() throws {
    let csv = ["id,y"] + (0..<900).map { "\($0),\($0 % 3)" }
    try withFile(csv, "data.csv") { path in
      for task in [Task.multiclass, .regression] {
        func heldOut(_ seed: UInt64, _ maxRecords: Int = 700) throws -> [[String]] {
          try folds(
            path, task: task, label: "y", of: 4, seed: seed, format: .csv, maxRecords: maxRecords
          ).map(\.heldOut)
        }
        let first = try heldOut(1)
        #expect(try heldOut(1, 13) == first)
        #expect(try heldOut(2) != first)
        #expect(first.allSatisfy { $0.count == 225 })
      }
    }
  }

  @Test func `take records without a class too`() throws {
    let csv = ["id,y"] + (0..<400).map { "\($0),\($0 % 4 == 0 ? "" : $0 % 2 == 0 ? "a" : "b")" }
    try withFile(csv, "data.csv") { path in
      let folds = try folds(path, task: .binary, label: "y", of: 5, format: .csv)
      #expect(folds.flatMap(\.heldOut).sorted() == csv.dropFirst().sorted())
      #expect(folds.allSatisfy { $0.heldOut.count { $0.hasSuffix(",") } == 20 })
    }
  }
}
