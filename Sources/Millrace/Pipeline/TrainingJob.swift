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
  private var inference: SchemaInference.Options
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
  /// Whether the result has what the coefficients of an exact solution are worth.
  public var wantsSummary = false
  /// Into how many folds the data are cut for cross-validation; `nil` for none.
  public var foldCount: Int?
  /// Settings to try (see `SettingsGrid`): the best combination is what is stored. Without folds all
  /// are learnt in one pass and the progressive loss decides.
  public var grid: String? {
    // Not every learner of a grid may be able to.
    didSet { inference.mayBeSparse = inference.mayBeSparse && grid == nil }
  }
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
    shouldStop: @escaping () -> Bool = { false }, warn: @escaping (String) -> Void = { _ in },
    progress: @escaping (Pipeline.Progress) -> Void = { _ in }
  ) throws(MillraceError) -> RunResult {
    try checkSelection()
    let watch = Watch(shouldStop: shouldStop, warn: warn, progress: progress)
    var ends: [Int: Int64] = [:]
    if case .lastFraction(let fraction) = holdout {
      ends = try BoundedSource.split(try open(data), lastFraction: fraction)
    }
    func source() throws(MillraceError) -> any LogSource {
      let source = try open(data)
      return ends.isEmpty ? source : BoundedSource(source, ends: ends)
    }
    let heldOut = try openHeldOut(source, from: ends, watch)
    var job = self
    var points: [RunResult.GridPoint]?
    if let grid {
      let candidates = try SettingsGrid(grid, base: settings.learner).candidates
      let tried = try search(candidates, source, watch)
      guard !shouldStop(), let best = tried.indices.min(by: { tried[$0].loss < tried[$1].loss })
      else { return RunResult(command: "train", learner: settings.learner.learner) }
      guard tried[best].loss.isFinite else {
        throw MillraceError(.numerical, "every combination of the grid diverged: \(grid)")
      }
      job.settings.learner = candidates[best].settings
      points = tried
    }
    // Measured first: what cannot be, stores nothing.
    let crossValidation =
      if let foldCount, points == nil { try job.crossValidate(foldCount, source, watch) } else {
        CrossValidation?.none
      }
    let store = modelName == nil ? nil : store
    guard let learnt = try job.learn(source(), store: store, watch) else {
      return RunResult(command: "train", learner: settings.learner.learner)
    }
    var result = learnt.result
    result.grid = points
    result.chosen = points?.min { $0.loss < $1.loss }?.settings
    result.crossValidation = crossValidation
    let learning = result.calibration?.progressive
    if let heldOut {
      var scoring = Scoring(model: learnt.model)
      try scoring.run(over: heldOut, shouldStop: shouldStop) { warn("the held-out data: \($0)") }
      result.test = scoring.metrics
      if result.test == nil, !shouldStop() {
        warn("no record is held out that has a label: there is nothing to measure by")
      }
      result.calibration = .init(progressive: learning, test: scoring.calibration)
    }
    if wantsCoefficients {
      result.coefficients = .init(learnt.coefficients, of: learnt.model)
    }
    if wantsSummary { result.summary = learnt.summary }
    for version in result.rejected ?? [] {
      warn("version \(version.version) was not promoted: \(version.reason)")
    }
    return result
  }

  private func checkSelection() throws(MillraceError) {
    if wantsSummary, settings.learner.learner != .exact || settings.learner.l2 > 0 {
      throw .setting(
        "learner", settings.learner.learner.rawValue,
        expected: "exact, without an L2 penalty, where a summary is wanted")
    }
    if settings.learner.learner == .exact, settings.passes > 1 {
      throw .setting(
        "passes", "\(settings.passes)",
        expected: "1 with the learner exact, which reads the data as often as it has to")
    }
    if try isStandardInput {
      let rereading: [(key: String, value: String?)] = [
        ("cv", foldCount.map { "\($0)" }), ("grid", grid), ("test", lastFraction.map { "\($0)" }),
        ("passes", settings.passes > 1 ? "\(settings.passes)" : nil),
      ]
      for (key, value) in rereading {
        guard let value else { continue }
        throw .setting(
          key, value, expected: "none for standard input, which cannot be read a second time")
      }
    }
    if grid != nil, foldCount == nil, settings.learner.learner == .exact {
      throw .setting(
        "learner", "exact",
        expected: "another one in a grid, or folds (cv): exact solutions differ on new data only")
    }
  }

  private var isStandardInput: Bool {
    get throws(MillraceError) {
      if case .standard = try LogAddress(data, format: format) { true } else { false }
    }
  }

  /// The share of the data that is held out at their end; `nil` for none.
  private var lastFraction: Double? {
    if case .lastFraction(let fraction) = holdout { fraction } else { nil }
  }

  /// Opens what is held out, before anything is learnt: what cannot be measured by stores nothing.
  ///
  /// - Parameter ends: where the last part of the data begins.
  /// - Throws: `system` or `input` when it cannot be read, or has none of the data's columns.
  private func openHeldOut(
    _ source: () throws(MillraceError) -> any LogSource, from ends: [Int: Int64], _ watch: Watch
  ) throws(MillraceError) -> (any LogSource)? {
    switch holdout {
    case nil: return nil
    case .lastFraction:
      let heldOut = try open(data)
      try heldOut.seek(to: ends)
      return heldOut
    case .file(let path):
      let heldOut = try open(path)
      // Of standard input the columns are known too late.
      guard try !isStandardInput, let schema = try inferSchema(source, watch) else {
        return heldOut
      }
      for partition in heldOut.partitions {
        _ = try Scoring.decoder(of: heldOut, partition: partition, schema: schema)
      }
      return heldOut
    }
  }

  /// The schema that will be learnt; `nil` when told to stop.
  private func inferSchema(
    _ source: () throws(MillraceError) -> any LogSource, _ watch: Watch
  ) throws(MillraceError) -> Schema? {
    try SampledSource(try source()).inferSchema(
      name: data, options: inference, shouldStop: watch.shouldStop, warn: { _ in })
  }

  // MARK: - Learning

  /// Whoever watches the job.
  private struct Watch {
    let shouldStop: () -> Bool
    let warn: (String) -> Void
    let progress: (Pipeline.Progress) -> Void
  }

  /// What learning a source gave.
  private struct Learnt {
    var result: RunResult
    var model: Model
    var coefficients: [(intercept: Double, columns: [Double])]
    var summary: CoefficientSummary?
  }

  /// Learns a source to its end; `nil` when stopped before there was a model.
  private func learn(
    _ source: any LogSource, store: ModelStore?, _ watch: Watch
  ) throws(MillraceError) -> Learnt? {
    let job = Pipeline.Job(command: "train", source: data, modelName: modelName ?? "")
    if settings.learner.learner == .exact {
      if let reportPath {
        throw .setting(
          "report", reportPath, expected: "none, as an exact solution has no course to show")
      }
      var solving = ExactJob(
        job: job, settings: settings, inference: inference, source: source, store: store,
        warn: watch.warn)
      let solution = try solving.run(shouldStop: watch.shouldStop, progress: watch.progress)
      return solution.map {
        Learnt(
          result: solving.result, model: $0.model, coefficients: $0.coefficients,
          summary: $0.summary)
      }
    }
    let pipeline = try Pipeline(
      job: job, settings: settings, inference: inference, source: source, store: store,
      warn: watch.warn)
    var result = try pipeline.run(shouldStop: watch.shouldStop, progress: watch.progress)
    guard let model = try pipeline.mergedModel() else { return nil }
    // Also one that was not promoted, and none where the job was stopped before.
    let version = result.published?.last ?? result.rejected?.last?.version
    result.model = version.flatMap { version in
      store.map { .init(ModelVersion(name: job.modelName, version: version), in: $0) }
    }
    result.calibration = pipeline.cumulativeMetrics().calibration.map { .init(progressive: $0) }
    if let reportPath, store != nil || modelName == nil {
      try pipeline.writeReport(to: reportPath, command: commandLine)
    }
    return Learnt(
      result: result, model: model,
      coefficients: wantsCoefficients ? model.coefficients() : [], summary: nil)
  }

  // MARK: - Selection

  /// Learns all folds but one and measures on that one, for each.
  private func crossValidate(
    _ foldCount: Int, _ source: () throws(MillraceError) -> any LogSource, _ watch: Watch
  ) throws(MillraceError) -> CrossValidation {
    var result = CrossValidation()
    guard let schema = try inferSchema(source, watch) else { return result }
    var silent = self
    silent.reportPath = nil
    let quiet = Watch(shouldStop: watch.shouldStop, warn: { _ in }, progress: watch.progress)
    for fold in 0..<foldCount where !watch.shouldStop() {
      func part(_ part: FoldSource.Part) throws(MillraceError) -> FoldSource {
        FoldSource(
          try source(), schema: schema, fold: fold, of: foldCount, part: part,
          seed: settings.learner.seed)
      }
      guard let learnt = try silent.learn(try part(.training), store: nil, quiet) else { break }
      var scoring = Scoring(model: learnt.model)
      try scoring.run(over: try part(.heldOut), shouldStop: watch.shouldStop)
      // Half a fold says nothing.
      if watch.shouldStop() { break }
      guard let metrics = scoring.metrics else {
        throw .setting(
          "cv", "\(foldCount)",
          expected: schema.task == .regression
            ? "no more folds than there are records"
            : "no more folds than the most frequent class has records, as every class is spread over"
              + " the folds: number \(fold + 1) has none")
      }
      result.folds.append(metrics)
    }
    return result
  }

  /// Tries every candidate: by folds where there are any, otherwise all in one pass.
  private func search(
    _ candidates: [SettingsGrid.Candidate],
    _ source: () throws(MillraceError) -> any LogSource, _ watch: Watch
  ) throws(MillraceError) -> [RunResult.GridPoint] {
    guard let foldCount else {
      let source = SampledSource(try source())
      let schema = try source.inferSchema(
        name: data, options: inference, shouldStop: watch.shouldStop, warn: { _ in })
      guard let schema else { return [] }
      var search = try GridSearch(
        candidates.map(\.settings), over: source, schema: schema, settings: settings)
      let startedAt = ContinuousClock.now
      let metrics = try search.run(shouldStop: watch.shouldStop) { rows in
        let seconds = startedAt.duration(to: .now) / .seconds(1)
        watch.progress(
          .init(rows: rows, rowsPerSecond: Double(rows) / max(seconds, 1e-9), alarms: 0))
      }
      return zip(candidates, metrics).map { .init(settings: $0.values, progressive: $1) }
    }
    var points: [RunResult.GridPoint] = []
    for candidate in candidates where !watch.shouldStop() {
      var job = self
      job.settings.learner = candidate.settings
      points.append(
        .init(
          settings: candidate.values,
          crossValidation: try job.crossValidate(foldCount, source, watch)))
    }
    return points
  }

  private func open(_ path: String) throws(MillraceError) -> any LogSource {
    try FileLog(LogAddress(path, format: format), hasHeader: hasHeader, untilEnd: true)
  }
}

extension RunResult.Coefficients {
  /// A model's coefficients by name; `nil` where it has none.
  init?(_ outputs: [(intercept: Double, columns: [Double])], of model: Model) {
    let named = outputs.map { output in
      RunResult.OutputCoefficients(
        intercept: output.intercept,
        columns: zip(model.coefficientNames, output.columns).compactMap { name, value in
          model.schema.sparseWidth != nil && value == 0 ? nil : (name, value)
        })
    }
    if model.schema.task == .multiclass {
      self = .classes(Array(zip(model.schema.classes, named)).map { ($0, $1) })
    } else {
      guard let output = named.last else { return nil }
      self = .single(output)
    }
  }
}
