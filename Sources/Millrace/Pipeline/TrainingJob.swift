/// A batch job: a dataset is learnt to its end, measured, and stored as a version.
///
/// The same pipeline as every job, over a log that ends.
public struct TrainingJob {
  /// What is held out to be measured by.
  public enum Holdout: Sendable {
    /// The records of another file.
    case file(String)
    /// The last part of the data, in its order: what comes later is what will be predicted.
    case lastFraction(Double)
  }

  private let data: String
  private let format: DataFormat?
  private var settings: PipelineSettings
  private let inference: SchemaInference.Options
  /// Whether the first line of CSV names the columns (see `FileLog`).
  public var hasHeader = true
  /// The model's name in the store; `nil` stores nothing.
  public var modelName: String?
  /// Where the version goes.
  public var store = ModelStore(path: "models")
  /// What is held out.
  public var holdout: Holdout?
  /// Whether the result has the coefficients.
  public var wantsCoefficients = false
  /// Where a report goes; `nil` writes none.
  public var reportPath: String?
  /// What was typed, so that the report says how to reproduce it.
  public var commandLine: [String] = []

  /// A job over a dataset.
  ///
  /// - Parameter settings: drift and publication are set aside: nothing is watched, one version
  ///   is made.
  public init(
    data: String, format: DataFormat?, settings: PipelineSettings,
    inference: SchemaInference.Options
  ) {
    self.data = data
    self.format = format
    self.settings = settings
    self.settings.drift = nil
    self.settings.publishEvery = .atEnd
    self.inference = inference
  }

  /// Learns, measures, stores.
  ///
  /// - Throws: `badRecords` when too many records were bad; `configuration`, `input`, `system`,
  ///   `store`; `numerical` when an exact solution does not exist.
  public func run(
    shouldStop: () -> Bool = { false }, warn: @escaping (String) -> Void = { _ in },
    progress: (Pipeline.Progress) -> Void = { _ in }
  ) throws(MillraceError) -> RunResult {
    var source: any LogSource = try open(data)
    var ends: [Int: Int64] = [:]
    if case .lastFraction(let fraction) = holdout {
      ends = try BoundedSource.split(source, lastFraction: fraction)
      source = BoundedSource(source, ends: ends)
    }
    let job = Pipeline.Job(command: "train", source: data, modelName: modelName ?? "")
    let store = modelName == nil ? nil : store
    var result: RunResult
    let model: Model
    let coefficients: [(intercept: Double, columns: [Double])]
    if settings.learner.learner == .exact {
      if let reportPath {
        throw .setting(
          "report", reportPath, expected: "none, as an exact solution has no course to show")
      }
      var solving = ExactJob(
        job: job, settings: settings, inference: inference, source: source, store: store,
        warn: warn)
      let solution = try solving.run(shouldStop: shouldStop, progress: progress)
      result = solving.result
      guard let solution else { return result }
      (model, coefficients) = solution
    } else {
      let pipeline = try Pipeline(
        job: job, settings: settings, inference: inference, source: source, store: store,
        warn: warn)
      result = try pipeline.run(shouldStop: shouldStop, progress: progress)
      guard let merged = try pipeline.mergedModel() else { return result }
      (model, coefficients) = (merged, wantsCoefficients ? merged.coefficients() : [])
      if let reportPath { try pipeline.writeReport(to: reportPath, command: commandLine) }
    }
    if let holdout {
      let heldOut: any LogSource
      switch holdout {
      case .file(let path): heldOut = try open(path)
      case .lastFraction:
        heldOut = try open(data)
        try heldOut.seek(to: ends)
      }
      var scoring = Scoring(model: model)
      try scoring.run(over: heldOut, shouldStop: shouldStop)
      result.test = scoring.metrics
    }
    if wantsCoefficients, let output = coefficients.last {
      result.coefficients = RunResult.Coefficients(
        intercept: output.intercept,
        columns: zip(model.coefficientNames, output.columns).compactMap { name, value in
          model.schema.sparseWidth != nil && value == 0 ? nil : (name, value)
        })
    }
    return result
  }

  private func open(_ path: String) throws(MillraceError) -> any LogSource {
    try FileLog(LogAddress(path, format: format), hasHeader: hasHeader, untilEnd: true)
  }
}
