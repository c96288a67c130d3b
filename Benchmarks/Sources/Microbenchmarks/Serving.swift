internal import FoundationEssentials
internal import Millrace

/// What answering costs.
enum Serving {
  /// A plain reference, to compare with.
  private final class Reference {
    let served: ServedModel
    init(_ served: ServedModel) { self.served = served }
  }

  /// Answers of stored models, and the reads through a handle.
  static func measurements(rowCount: Int) throws -> [Measurement] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("millrace-microbenchmarks-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var linear = try makePredictor(.sgd, columnCount: 64, in: folder)
    let rows = Problem(rowCount: rowCount, columnCount: 63).features
    var predictions = [Double](repeating: 0, count: rowCount)
    var result = reads(of: linear.served)
    result += [
      try one("sgd of 64 columns", &linear, Array(rows.prefix(64))),
      try Measurement("batch predict, \(rowCount) × 64", count: rowCount, repeats: 15) {
        var target = predictions.mutableSpan
        try linear.predict(rows.span, into: &target)
      },
    ]
    for columnCount in [6, 64] {
      var bank = try makePredictor(.auto, columnCount: columnCount, in: folder)
      result.append(
        try one("auto of \(columnCount) columns", &bank, Array(rows.prefix(columnCount))))
    }
    return result
  }

  private static func one(
    _ name: String, _ predictor: inout Predictor, _ row: [Float]
  ) throws -> Measurement {
    let count = 20_000
    var sum = 0.0
    let measurement = try Measurement("one row predicted, \(name)", count: count, repeats: 40) {
      for _ in 0..<count { sum += try predictor.predict(row) }
    }
    precondition(sum.isFinite)
    return measurement
  }

  /// Each read is followed by a call that the compiler cannot see through.
  private static func reads(of served: ServedModel) -> [Measurement] {
    let count = 5_000_000
    let reference = Reference(served)
    var reader = ModelHandle(served).makeReader()
    return [
      Measurement("read of a plain class reference", count: count, repeats: 20) {
        for _ in 0..<count { use(reference.served) }
      },
      Measurement("read through ModelHandle.Reader.refresh()", count: count, repeats: 20) {
        for _ in 0..<count {
          reader.refresh()
          use(reader.served)
        }
      },
    ]
  }

  @inline(never) @_optimize(none)
  private static func use(_ served: borrowing ServedModel) {}

  /// Trains a model into a store in a folder.
  private static func makePredictor(
    _ learner: LearnerSettings.Kind, columnCount: Int, in folder: String
  ) throws -> Predictor {
    let name = "\(learner)-\(columnCount)"
    let data = "\(folder)/\(name).csv"
    try SyntheticStream(.logistic, rows: 5_000, features: columnCount).write(to: data)
    var settings = PipelineSettings()
    settings.learner.learner = learner
    var job = TrainingJob(
      data: data, format: nil, settings: settings,
      inference: SchemaInference.Options(label: SyntheticStream.label))
    job.modelName = name
    job.store = ModelStore(path: folder)
    _ = try job.run()
    return try Predictor(name, store: folder)
  }
}
