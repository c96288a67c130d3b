import Foundation
import Testing

/// Kill -9 at any point, start again: the final model is the uninterrupted run's, byte for byte;
/// the outputs have neither gaps nor duplicates.
@Suite(.serialized) struct `A job that is killed` {
  /// A generated stream with a change, as a complete log.
  private func stream(in folder: Folder, rows: Int) throws {
    try #require(
      MillraceProcess.run(
        "generate", "hyperplane", "--rows", "\(rows)", "--features", "6", "--drift-at",
        "\(rows / 2)", "--noise", "0.05", "--seed", "7", "--output", "stream.csv", in: folder
      ).status == 0)
  }

  private func job(_ log: String, _ name: String, _ extra: [String] = []) -> [String] {
    [
      "run", log, "--label", "label", "--model", "wheel", "--store", "\(name)-store",
      "--checkpoint", "\(name)-checkpoint", "--predictions", "\(name)-predictions/",
      "--dead-letter", "\(name)-dead/", "--publish-every", "5000", "--json", "--quiet",
    ] + extra
  }

  private func run(_ arguments: [String], in folder: Folder) throws -> MillraceProcess.Outcome {
    let (process, output, errors) = try MillraceProcess.start(arguments, in: folder)
    process.waitUntilExit()
    return .init(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  private func newestModel(_ store: String, in folder: Folder) throws -> (Int, Data) {
    let versions = try FileManager.default.contentsOfDirectory(
      atPath: "\(folder.path)/\(store)/wheel"
    ).compactMap(Int.init)
    let newest = try #require(versions.max())
    return (newest, try folder.read("\(store)/wheel/\(newest)/model.safetensors"))
  }

  @Test(arguments: [1, 2]) func `equals one that ran in peace, also while its log grows`(
    partitions: Int
  ) throws {
    let folder = try Folder()
    let rows = 40_000
    try stream(in: folder, rows: rows)
    // The log in peace, complete before the job begins.
    let calm = [
      "replay", "stream.csv", "--to", "calm/", "--partitions", "\(partitions)", "--quiet",
    ]
    #expect(try run(calm, in: folder).status == 0)
    let peaceful = try run(job("calm/", "calm", ["--until-end"]), in: folder)
    #expect(peaceful.status == 0, "\(peaceful.errors)")

    // The same records, fed at a pace while the job is killed again and again.
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/wild", withIntermediateDirectories: true)
    let feed = try MillraceProcess.start(
      [
        "replay", "stream.csv", "--to", "wild/", "--partitions", "\(partitions)", "--rate", "8000",
        "--quiet",
      ], in: folder)
    var generator = SystemRandomNumberGenerator()
    for kill in 0..<50 {
      // Other micro-batches and lingers each time: they decide when, never what.
      let (process, _, errors) = try MillraceProcess.start(
        job(
          "wild/", "wild",
          [
            "--batch-size", "\([1, 100, 777, 8192][kill % 4])", "--linger",
            "\([0, 5, 50][kill % 3])",
          ]),
        in: folder)
      usleep(UInt32.random(in: 5_000...120_000, using: &generator))
      let early = process.isRunning
      #expect(
        early,
        "the job stopped by itself: \((try? String(contentsOf: errors, encoding: .utf8)) ?? "")")
      kill_(process.processIdentifier)
      process.waitUntilExit()
    }
    feed.process.waitUntilExit()
    #expect(feed.process.terminationStatus == 0)
    let finished = try run(job("wild/", "wild", ["--until-end"]), in: folder)
    #expect(finished.status == 0, "\(finished.errors)")

    #expect(finished.json["rows"] as? Int == rows)
    let (calmVersion, calmModel) = try newestModel("calm-store", in: folder)
    let (wildVersion, wildModel) = try newestModel("wild-store", in: folder)
    #expect(wildVersion == calmVersion)
    #expect(wildModel == calmModel)
    for partition in 0..<partitions {
      let file = "predictions/\(partition).jsonl"
      #expect(try folder.read("wild-\(file)") == folder.read("calm-\(file)"))
    }
  }

  @Test func `micro-batches and lingers change nothing`() throws {
    let folder = try Folder()
    try stream(in: folder, rows: 12_000)
    #expect(
      try run(["replay", "stream.csv", "--to", "log/", "--partitions", "2", "--quiet"], in: folder)
        .status == 0)
    var models: [Data] = []
    var predictions: [Data] = []
    for (name, extra) in [
      ("a", []), ("b", ["--batch-size", "1"]),
      ("c", ["--batch-size", "1000", "--linger", "1"]), ("d", ["--batch-size", "333"]),
    ] {
      let outcome = try run(job("log/", name, ["--until-end"] + extra), in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      models.append(try newestModel("\(name)-store", in: folder).1)
      predictions.append(
        try folder.read("\(name)-predictions/0.jsonl")
          + folder.read("\(name)-predictions/1.jsonl"))
    }
    #expect(Set(models).count == 1)
    #expect(Set(predictions).count == 1)
  }

  private func kill_(_ process: Int32) { kill(process, SIGKILL) }
}
