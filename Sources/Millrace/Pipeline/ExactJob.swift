/// The batch job of an exact solution: the source is read as often as the solver wants.
struct ExactJob {
  let job: Pipeline.Job
  let settings: PipelineSettings
  let inference: SchemaInference.Options
  let source: SampledSource
  let store: ModelStore?
  let warn: (String) -> Void
  /// What came of it so far.
  private(set) var result = RunResult()

  private let startedAt = ContinuousClock.now
  /// What was wrong with the first bad record.
  private var firstReason: String?
  private var positions: [Int: Int64] = [:]

  init(
    job: Pipeline.Job, settings: PipelineSettings, inference: SchemaInference.Options,
    source: any LogSource, store: ModelStore?, warn: @escaping (String) -> Void
  ) {
    self.job = job
    self.settings = settings
    self.inference = inference
    self.source = SampledSource(source)
    self.store = store
    self.warn = warn
    result.command = job.command
    result.learner = settings.learner.learner.rawValue
  }

  /// Solves and stores a version.
  ///
  /// - Returns: the model, and the solution's coefficients to full precision; `nil` when stopped.
  mutating func run(
    shouldStop: () -> Bool, progress: (Pipeline.Progress) -> Void
  ) throws(MillraceError) -> (
    model: Model, coefficients: [(intercept: Double, columns: [Double])],
    summary: CoefficientSummary?
  )? {
    try settings.validate()
    let schema = try source.inferSchema(
      name: job.source, options: inference, shouldStop: shouldStop, warn: warn)
    guard let schema else { return nil }
    if schema.sparseWidth != nil {
      throw .setting("learner", "exact", expected: LearnerSettings.sparseLearners)
    }
    var publisher = store.map {
      Publisher(store: $0, job: job, keepVersions: settings.keepVersions)
    }
    let version = try publisher?.nextVersion() ?? 1
    try publisher?.loadChampion()

    var exact = try ExactLearner(schema: schema, settings: settings.learner)
    while exact.wantsAnotherPass {
      let classes = try read(into: &exact, shouldStop: shouldStop, progress: progress)
      if shouldStop() { return nil }
      if classes.count > exact.schema.classes.count {
        // Classes that the first records did not show: from the beginning, with all of them.
        var schema = exact.schema
        schema.classes = classes
        exact = try ExactLearner(schema: schema, settings: settings.learner)
      } else {
        try exact.finishPass()
      }
      if exact.wantsAnotherPass { try source.seek(to: [:]) }
    }
    let model = try exact.makeModel()
    result.task = model.schema.task
    result.features = model.schema.featureNames
    if var publisher { try publish(model, by: &publisher, expectedVersion: version) }
    result.seconds = startedAt.duration(to: .now) / .seconds(1)
    result.rowsPerSecond = Double(result.rows) / max(result.seconds, 1e-9)
    return (model, exact.coefficients, exact.summary)
  }

  /// One pass over the source.
  ///
  /// - Returns: the classes met so far; when they are more than the learner's, it lacks the rows
  ///   from there on.
  private mutating func read(
    into exact: inout ExactLearner, shouldStop: () -> Bool, progress: (Pipeline.Progress) -> Void
  ) throws(MillraceError) -> [String] {
    var schema = exact.schema
    var records = RecordBatch()
    var batch = Batch(columnCount: schema.featureCount)
    var rejected: [RejectedRecord] = []
    result.rows = 0
    result.badRecords = 0
    for partition in source.partitions {
      let header = source.format.fieldNames(header: try source.header(partition: partition))
      var decoder = try RecordDecoder(
        schema: schema, format: source.format, header: header, wideFeatures: true)
      while !shouldStop(),
        try source.poll(
          partition: partition, maxRecords: settings.microBatchRecords,
          maxBytes: settings.microBatchBytes, linger: .milliseconds(100), into: &records)
      {
        try decoder.decode(records, into: &batch, rejected: &rejected)
        if firstReason == nil, let first = rejected.first {
          firstReason = first.reason
          warn("\(job.source) at byte \(first.position): \(first.reason)")
        }
        result.rows += batch.count
        result.badRecords += rejected.count
        if decoder.schema.classes.count == exact.schema.classes.count {
          try batch.wideFeatures.withVectorView { (all) throws(MillraceError) in
            try exact.add(
              MatrixView(all.base, rows: batch.count, columns: batch.columnCount),
              labels: batch.labels, weights: batch.weights)
          }
        }
        progress(progressSoFar)
      }
      schema.classes = decoder.schema.classes
      positions[partition] = records.nextPosition
    }
    let (bad, all) = (result.badRecords, result.badRecords + result.rows)
    let error = MillraceError.badRecords(
      bad, of: all, limit: settings.maxBadRecords, atEnd: true, reason: firstReason)
    if let error { throw error }
    return schema.classes
  }

  private var progressSoFar: Pipeline.Progress {
    let seconds = startedAt.duration(to: .now) / .seconds(1)
    return Pipeline.Progress(
      rows: result.rows, rowsPerSecond: Double(result.rows) / max(seconds, 1e-9), alarms: 0)
  }

  private mutating func publish(
    _ model: Model, by publisher: inout Publisher, expectedVersion: Int
  ) throws(MillraceError) {
    let (version, objection) = try publisher.publish(
      model, measurement: .init(rows: 0), metrics: [:], positions: positions,
      reason: "the exact solution", expectedVersion: expectedVersion)
    result.model = .init(
      ModelVersion(name: job.modelName, version: version), in: publisher.store)
    if let objection {
      result.rejected = [RejectedVersion(version: version, reason: objection)]
    } else {
      result.published = [version]
    }
  }
}
