/// The one path of every job, batch, online or replayed: poll, decode, predict, measure, watch,
/// learn, checkpoint, publish.
///
/// Driven by one thread: it never reacts to events, it asks at its own pace. Given the same log
/// and settings it learns the same, bit for bit, however the records were cut into micro-batches
/// and however often it was killed and started again from its checkpoint.
public final class Pipeline {
  /// Where a job's inputs and outputs are.
  public struct Job: Sendable {
    /// The subcommand, for the result.
    public var command: String
    /// The source's address, for lineage.
    public var source: String
    /// The model's name in the store.
    public var modelName: String

    /// A job.
    public init(command: String, source: String, modelName: String) {
      self.command = command
      self.source = source
      self.modelName = modelName
    }
  }

  /// How far a job is: for a progress line.
  public struct Progress: Sendable {
    /// Rows so far, all partitions and runs together.
    public var rows: Int
    /// The share of the source that is read; `nil` where its size is not known.
    public var share: Double?
    /// Rows of this process per second.
    public var rowsPerSecond: Double
    /// Seconds until the source is read, at the pace so far.
    public var secondsLeft: Double?
    /// The learner's loss as it learnt.
    public var loss: Double?
    /// Alarms so far.
    public var alarms: Int
    /// The version being served.
    public var version: Int?
  }

  let job: Job
  let settings: PipelineSettings
  let source: SampledSource
  var sinks: RunSinks
  let inference: SchemaInference.Options
  var publisher: Publisher?
  var checkpoints: CheckpointStore?
  /// Called with each warning: a damaged checkpoint, a new class.
  let warn: (String) -> Void

  /// `nil` until the schema is known.
  var state: RunState?
  var partitions: [Int: Partition] = [:]
  /// What every partition's model begins as.
  private var beginning: Model?
  /// Bad records, and bytes read, of all partitions: asking each of many after every micro-batch
  /// would cost more than learning.
  var badRecordCount = 0
  var bytesRead: Int64 = 0
  var resumedFrom: [Int: Int64]?

  private let startedAt = ContinuousClock.now
  private var rowsAtStart = 0
  private var publishedAt = ContinuousClock.now
  var checkpointedAt = ContinuousClock.now
  var checkpointCost = Duration.zero

  /// Opens a job, from its checkpoint where there is one.
  ///
  /// - Parameters:
  ///   - settings: checked by `PipelineSettings.validate`.
  ///   - inference: the label, and what else of the schema is given.
  ///   - store: where versions are published; `nil` publishes nothing.
  ///   - checkpoints: where the job's state is kept; `nil` keeps none.
  ///   - warn: told of what a person should know and the job survives.
  /// - Throws: `configuration`, also where the checkpoint is of another job; `checkpoint`, `store`,
  ///   `system`.
  public init(
    job: Job, settings: PipelineSettings, inference: SchemaInference.Options,
    source: any LogSource, sinks: RunSinks = RunSinks(), store: ModelStore? = nil,
    checkpoints: consuming CheckpointStore? = nil, warn: @escaping (String) -> Void = { _ in }
  ) throws(MillraceError) {
    try settings.validate()
    self.job = job
    self.settings = settings
    self.inference = inference
    self.source = SampledSource(source)
    self.sinks = sinks
    self.warn = warn
    publisher = store.map { Publisher(store: $0, job: job, keepVersions: settings.keepVersions) }
    self.checkpoints = checkpoints
    if let restored = try self.checkpoints?.load() {
      restored.warnings.forEach(warn)
      try restore(from: restored.archive)
    } else {
      try self.sinks.truncate(to: [:])
      try serve { (publisher) throws(MillraceError) in try publisher.loadChampion() }
    }
  }

  /// Takes a version into service. One that cannot be read is passed over: the learner does not
  /// need it, and the next version takes its place.
  func serve(
    _ load: (inout Publisher) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    guard var publisher else { return }
    do throws(MillraceError) {
      try load(&publisher)
    } catch {
      guard error.kind == .store else { throw error }
      warn("\(error.message); nothing is served until the next version")
    }
    self.publisher = publisher
  }

  // MARK: - Running

  /// Works until the source has ended or `shouldStop` says so; then leaves a checkpoint.
  ///
  /// A source that has ended also leaves a last version.
  ///
  /// - Parameters:
  ///   - shouldStop: asked between micro-batches.
  ///   - progress: told after each micro-batch.
  /// - Throws: `badRecords` when too many records were bad; `input`, `system`, `store`.
  public func run(
    shouldStop: () -> Bool = { false }, progress: (Progress) -> Void = { _ in }
  ) throws(MillraceError) -> RunResult {
    rowsAtStart = state?.rowCount ?? 0
    if state == nil { try begin(shouldStop: shouldStop) }
    guard let state, !shouldStop() else { return result() }
    let reader = ReadAhead(
      RecordReader(
        source: source, schema: state.schema, settings: settings,
        taken: partitions.mapValues { $0.rowCount + $0.badRecordCount },
        knownClasses: partitions.mapValues(\.model.schema.classes), pass: state.pass),
      buffers: settings.threads == 1 ? 1 : 3)
    defer { reader.stop() }
    reading: while !shouldStop() {
      switch try reader.next(milliseconds: 100) {
      case .batch(let decoded):
        try process(decoded)
        progress(currentProgress(sourceBytes: decoded.sourceBytes))
        reader.recycle(consume decoded)
      case .idle: break
      case .end:
        try finish()
        break reading
      }
      try doWhatIsDue()
    }
    try checkpoint()
    return result()
  }

  /// Publications by the clock, and checkpoints: at most 2 % of the time goes into them.
  private func doWhatIsDue() throws(MillraceError) {
    if case .seconds(let interval) = settings.publishEvery, settings.retrain == .continuous,
      publishedAt.duration(to: .now) > .seconds(interval), let state,
      state.rowCount > state.publishedRows
    {
      try publish(reason: "\(interval) seconds have passed")
      publishedAt = .now
    }
    let interval = max(.seconds(settings.checkpointSeconds), checkpointCost * 50)
    if checkpointedAt.duration(to: .now) > interval { try checkpoint() }
  }

  /// The log has ended: the last step may be incomplete, and what was learnt since the last version
  /// becomes one.
  private func finish() throws(MillraceError) {
    try checkBadRecords(atEnd: true)
    guard let state, state.rowCount > 0 else {
      throw MillraceError(.input, "\(job.source) has no record that can be learnt from")
    }
    for number in partitions.keys.sorted() {
      guard var partition = partitions[number], let divergence = partition.newDivergence() else {
        continue
      }
      partitions[number] = partition
      try handle(.diverged(divergence), of: partition)
    }
    let hasNews = state.rowCount > state.publishedRows || state.pass > state.publishedPass
    if let warning = cumulativeMetrics().summary.warning { warn("\(job.source): \(warning)") }
    if settings.retrain == .continuous, hasNews { try publish(reason: "the log ended") }
  }

  /// Infers the schema and opens the partitions there are.
  private func begin(shouldStop: () -> Bool) throws(MillraceError) {
    let schema: Schema
    if settings.retrain == .never {
      guard let served = publisher?.served else {
        throw MillraceError(
          .store,
          "there is no model \"\(job.modelName)\" to score with; --retrain never needs a champion")
      }
      schema = served.schema
    } else {
      let inferred = try source.inferSchema(
        name: job.source, options: inference, shouldStop: shouldStop, warn: warn)
      guard let inferred else { return }
      schema = inferred
    }
    var state = RunState(
      schema: schema, settings: settings, modelName: job.modelName, asked: asked)
    state.nextVersion = try publisher?.nextVersion() ?? 1
    self.state = state
    try checkpoint()
  }

  /// The state of a partition, made when its first records come.
  private func partition(_ number: Int, _ state: RunState) throws(MillraceError) -> Partition {
    if let partition = partitions[number] { return partition }
    if settings.retrain == .never, let served = publisher?.served {
      return try Partition(number: number, settings: settings, model: served)
    }
    // Copies of one model share the memory of what they do not change.
    let model =
      if let beginning { beginning } else {
        try Model(schema: state.schema, settings: settings.learner)
      }
    beginning = model
    return try Partition(number: number, settings: settings, model: model)
  }

  /// Bad records of a partition that are told of one by one.
  private static let toldBadRecords = 3

  /// Takes a micro-batch through its partition, in slices that end where anything but learning
  /// happens: at the end of a step, at a publication, before a class that is new.
  private func process(_ decoded: DecodedBatch) throws(MillraceError) {
    guard var rowCount = state?.rowCount, let state else { return }
    let (records, batch, number) = (decoded.records, decoded.rows, decoded.records.partition)
    var partition = try partition(number, state)
    partitions[number] = nil  // One owner, so that arrays are changed in place.
    bytesRead += records.nextPosition - partition.position
    self.state?.microBatches += 1
    self.state?.pass = decoded.pass
    guard decoded.pass == 0 else {
      partition.know(decoded.classes)
      partition.learnAgain(batch)
      partition.position = records.nextPosition
      partitions[number] = partition
      return
    }
    try setAside(decoded.rejected, of: records, &partition)
    var format = PredictionFormat(schema: partition.model.schema)

    var (row, spanEnd) = (0, 0)
    while row < batch.count {
      if row == spanEnd {
        let span = decoded.span(from: row, known: partition.model.schema.classes.count)
        spanEnd = span.end
        partition.know(span.classes)
        format = PredictionFormat(schema: partition.model.schema)
      }
      let publication = rowsLeftToPublication(rowCount)
      let report = settings.metricsEvery - rowCount % settings.metricsEvery
      let rows = row..<row + min(partition.rowsLeftInStep, publication, report, spanEnd - row)
      // Another job's version may have other columns, or its classes in another order.
      let served = publisher?.served.flatMap {
        $0.schema.isComparable(to: partition.model.schema) ? $0 : nil
      }
      partition.advance(batch, rows: rows, served: served)
      try sinks.writePredictions(
        partition.predictions, width: partition.model.outputWidth, rows: rows, of: batch,
        records: records, format: format, version: publisher?.servedVersion)
      self.state?.history.record(
        partition.losses, served: partition.servedLosses, weights: batch.weights[rows])
      row = rows.upperBound
      rowCount += rows.count
      self.state?.rowCount = rowCount
      partition.position =
        row < batch.count ? records.positions[batch.recordIndices[row]] : records.nextPosition
      let isStepEnd = partition.rowsLeftInStep == Partition.stepRows
      let events = isStepEnd ? try partition.finishStep() : []
      if isStepEnd {
        self.state?.history.recordExperts(atRow: rowCount) {
          partition.model.learner.experts(horizon: .immediate)
        }
      }
      if !events.isEmpty || rows.count == publication || rows.count == report {
        partitions[number] = partition
        for event in events { try handle(event, of: partition) }
        if rows.count == report { try writeMetrics() }
        if rows.count == publication { try publish(reason: "\(rowCount) records were learnt") }
        partitions[number] = nil
      }
    }
    partition.know(decoded.classes)
    partition.position = records.nextPosition
    partitions[number] = partition
    try checkBadRecords(atEnd: false)
  }

  /// Writes what did not become rows to the dead letters, and tells of the first ones.
  private func setAside(
    _ rejected: [RejectedRecord], of records: RecordBatch, _ partition: inout Partition
  ) throws(MillraceError) {
    let toldBefore = min(partition.badRecordCount, Self.toldBadRecords)
    for record in rejected.prefix(Self.toldBadRecords - toldBefore) {
      warn("\(job.source) at byte \(record.position): \(record.reason)")
    }
    for record in rejected {
      try sinks.writeDeadLetter(record, of: records)
      state?.history.noteDeadLetter(reason: record.reason)
    }
    partition.badRecordCount += rejected.count
    badRecordCount += rejected.count
  }

  /// Rows until the next publication by count; never 0.
  private func rowsLeftToPublication(_ rowCount: Int) -> Int {
    guard settings.retrain == .continuous, publisher != nil,
      case .records(let interval) = settings.publishEvery
    else { return .max }
    return interval - rowCount % interval
  }

  /// Stops the job when too many records were bad.
  private func checkBadRecords(atEnd: Bool) throws(MillraceError) {
    let bad = badRecordCount
    let error = MillraceError.badRecords(
      bad, of: bad + (state?.rowCount ?? 0), limit: settings.maxBadRecords, atEnd: atEnd,
      reason: state?.history.deadLetters.reasons.first)
    if let error {
      try checkpoint()
      throw error
    }
  }

  // MARK: - What steps lead to

  private func handle(
    _ event: PartitionEvent, of partition: Partition
  ) throws(MillraceError) {
    guard var state else { return }
    let row = state.rowCount
    switch event {
    case .checked(let check):
      if !check.statistics.isEmpty {
        state.history.record(driftStatistics: check.statistics, atRow: row)
      }
      for alarm in check.alarms {
        let alarm = RunAlarm(partition: partition.number, alarm: alarm)
        state.alarms.append(alarm, keepingNewest: RunState.listLimit)
        let sinceAlarm = partition.rowCount - alarm.alarm.atRow
        state.history.note(RunEvent(alarm: alarm.alarm, atRow: row - sinceAlarm))
        try sinks.writeAlarm(alarm)
      }
    case .diverged(let divergence):
      let detail =
        "start \(divergence.restarts + 1), with \(divergence.learningRateFactor) of the learning rate"
      warn("the learner diverged by row \(divergence.atRow): \(detail)")
      state.history.note(RunEvent(.divergence, atRow: row, detail: detail))
    case .warmedUp:
      self.state = state
      return try publish(reason: "the first \(partition.rowCount) records were learnt")
    case .challengerStarted(let windowRows):
      state.retrainings += 1
      state.history.note(
        RunEvent(.retraining, atRow: row, detail: "from the latest \(windowRows) records"))
    case .challengerWon(let measurement):
      self.state = state
      return try publish(
        reason: "drift: a challenger from the recent window predicts better",
        measurement: measurement)
    case .challengerLost(_, let reason):
      state.history.note(RunEvent(.rejected, atRow: row, detail: "the challenger: \(reason)"))
    }
    self.state = state
  }

  // MARK: - Telling

  private func currentProgress(sourceBytes: Int64?) -> Progress {
    let share = sourceBytes.map { $0 > 0 ? min(1, Double(bytesRead) / Double($0)) : 1 }
    let seconds = startedAt.duration(to: .now) / .seconds(1)
    let rows = state?.rowCount ?? 0
    return Progress(
      rows: rows, share: share, rowsPerSecond: Double(rows - rowsAtStart) / max(seconds, 1e-9),
      secondsLeft: share.flatMap { $0 > 0 ? seconds * (1 - $0) / $0 : nil },
      loss: state?.history.learnerLoss.mean, alarms: state?.history.eventCounts[.alarm] ?? 0,
      version: publisher?.servedVersion)
  }

  private func result() -> RunResult {
    var result = RunResult()
    result.command = job.command
    result.learner = settings.learner.learner.rawValue
    let elapsed = startedAt.duration(to: .now)
    result.seconds = elapsed / .seconds(1)
    guard let state else { return result }
    result.rows = state.rowCount
    result.rowsPerSecond = Double(state.rowCount - rowsAtStart) / max(result.seconds, 1e-9)
    result.badRecords = badRecordCount
    result.task = state.schema.task
    result.features = state.schema.featureNames
    result.progressive = cumulativeMetrics().summary
    var divergence = Divergence()
    for partition in orderedPartitions { divergence.merge(partition.model.learner.divergence) }
    result.divergence = divergence.restarts > 0 ? divergence : nil
    if let publisher, let version = state.published.last ?? publisher.servedVersion {
      result.model = .init(
        ModelVersion(name: job.modelName, version: version), in: publisher.store)
    }
    result.served = servedMetrics()?.summary
    result.microBatches = state.microBatches
    func named(_ positions: [Int: Int64]) -> [String: Int64] {
      Dictionary(uniqueKeysWithValues: positions.map { ("\($0)", $1) })
    }
    result.resumedFrom = resumedFrom.map(named)
    result.positions = named(partitions.mapValues(\.position))
    result.drift = .init(alarms: state.alarms)
    result.retrainings = state.retrainings
    result.swaps = state.swaps
    result.published = state.published
    result.rejected = state.rejected
    return result
  }
}
