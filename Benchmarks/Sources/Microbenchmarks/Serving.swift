internal import FoundationEssentials
internal import Millrace

/// What answering costs.
enum Serving {
  private static let columnCount = 64

  /// A plain reference, to compare with.
  private final class Reference {
    let served: ServedModel
    init(_ served: ServedModel) { self.served = served }
  }

  /// Answers of a stored logistic model, and the reads through a handle.
  static func measurements(rowCount: Int) throws -> [Measurement] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("millrace-microbenchmarks-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try storeModel(in: folder)
    var predictor = try Predictor("linear", store: folder)
    let rows = LogisticProblem(rowCount: rowCount, columnCount: columnCount - 1).features
    var predictions = [Double](repeating: 0, count: rowCount)
    return reads(of: predictor.served) + [
      try one(&predictor, Array(rows.prefix(columnCount))),
      try Measurement("batch predict, \(rowCount) × 64", count: rowCount, repeats: 15) {
        var target = predictions.mutableSpan
        try predictor.predict(rows.span, into: &target)
      },
    ]
  }

  private static func one(_ predictor: inout Predictor, _ row: [Float]) throws -> Measurement {
    let count = 20_000
    var sum = 0.0
    let measurement = try Measurement("one row predicted, 64 features", count: count, repeats: 40) {
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

  /// Trains a logistic model into a store in a folder.
  private static func storeModel(in folder: String) throws {
    let data = folder + "/data.csv"
    try SyntheticStream(.logistic, rows: 5_000, features: columnCount).write(to: data)
    var settings = PipelineSettings()
    settings.learner.learner = .sgd
    var job = TrainingJob(
      data: data, format: nil, settings: settings,
      inference: SchemaInference.Options(label: SyntheticStream.label))
    job.modelName = "linear"
    job.store = ModelStore(path: folder)
    _ = try job.run()
  }
}
