/// A checkpoint holds everything learnt up to its positions, and how long the sinks were then: a
/// job that goes on from it is as if it had never stopped.
extension Pipeline {
  private var checkpointDirectory: String { checkpoints?.directory ?? "" }

  /// Makes sinks and state durable, in this order: a checkpoint never knows of outputs that could
  /// be lost.
  func checkpoint() throws(MillraceError) {
    let start = ContinuousClock.now
    defer {
      checkpointedAt = .now
      checkpointCost = start.duration(to: checkpointedAt)
    }
    let lengths = try sinks.flush()
    guard checkpoints != nil, let state else { return }
    var archive = TensorArchive()
    archive.metadata["kind"] = "millrace checkpoint"
    archive.metadata["format"] = "\(Manifest.currentFormat)"
    archive.metadata["sinks"] = String(decoding: try JSONCoding.encode(lengths), as: UTF8.self)
    archive.metadata["state"] = String(decoding: try JSONCoding.encode(state), as: UTF8.self)
    archive.set(partitions.keys.sorted(), as: "partitions")
    for partition in orderedPartitions {
      try partition.encode(into: &archive, prefix: "partition\(partition.number).")
    }
    try checkpoints?.save(archive)
  }

  /// Goes on from a checkpoint.
  func restore(from archive: TensorArchive) throws(MillraceError) {
    // Read first: the rest of another format may look different.
    let format = archive.metadata["format"] ?? "2 or earlier"
    guard format == "\(Manifest.currentFormat)" else {
      throw MillraceError(
        .checkpoint,
        "the checkpoint in '\(checkpointDirectory)' is in format \(format); millrace "
          + "\(Millrace.version) reads format \(Manifest.currentFormat)")
    }
    let state: RunState = try decode(archive, "state")
    try checkJob(of: state)
    var positions: [Int: Int64] = [:]
    try serve { (publisher) throws(MillraceError) in
      try publisher.restore(state.servedVersion)
    }
    for number in try archive.integers("partitions").map(Int.init) {
      let partition = try Partition(
        number: number, settings: settings, schema: state.schema,
        decoding: archive, prefix: "partition\(number).")
      positions[number] = partition.position
      partitions[number] = partition
      badRecordCount += partition.badRecordCount
      bytesRead += partition.position
    }
    try source.seek(to: positions)
    let lengths: [String: [Int: Int64]] = try decode(archive, "sinks")
    try sinks.truncate(to: lengths)
    self.state = state
    self.state?.history.note(RunEvent(.restart, atRow: state.rowCount))
    resumedFrom = positions
  }

  /// Checks that a checkpoint is of this job.
  ///
  /// - Throws: `configuration`, with what it was made with.
  private func checkJob(of state: RunState) throws(MillraceError) {
    let remedy = "the checkpoint in '\(checkpointDirectory)' was made; or another checkpoint"
    let (before, now) = (state.settings, settings)
    let pairs = [
      ("model", state.modelName, job.modelName),
      ("label", state.schema.label, inference.label ?? SchemaInference.indexedLabel),
      ("learner", before.learner.learner.rawValue, now.learner.learner.rawValue),
      ("retrain", before.retrain.rawValue, now.retrain.rawValue),
    ]
    for (key, before, now) in pairs where before != now {
      throw .setting(key, now, expected: "\"\(before)\", with which \(remedy)")
    }
    try checkAsked(state.asked, remedy)
    guard before.learner == now.learner, before.drift == now.drift else {
      let what = before.learner == now.learner ? "drift detection" : "the learner"
      throw .setting(
        "checkpoint", checkpointDirectory, expected: "the settings of \(what) with which \(remedy)")
    }
  }

  /// What the job is asked of its columns and its store, by the settings' keys; what is not asked
  /// is left out. The store is the way to it from the checkpoints: both may be moved.
  var asked: [String: String] {
    func list(_ texts: [String]?) -> String? { texts?.joined(separator: ",") }
    let asked = [
      "task": inference.task?.rawValue,
      "features": list(inference.features),
      "exclude": inference.exclude.isEmpty ? nil : list(inference.exclude),
      "hashBits": inference.hashBits.map { "\($0)" },
      "interactions": inference.interactions.isEmpty
        ? nil : list(inference.interactions.map { $0.joined(separator: ":") }),
      "weight": inference.weight,
      "key": inference.key,
      "timestamp": inference.timestamp,
      "store": publisher.map { Directory.relative($0.store.path, to: checkpointDirectory) },
    ]
    return asked.compactMapValues(\.self)
  }

  private func checkAsked(_ before: [String: String], _ remedy: String) throws(MillraceError) {
    let now = asked
    for key in Set(before.keys).union(now.keys).sorted() where before[key] != now[key] {
      var (found, wanted) = (now[key], before[key])
      if key == "store" {
        found = publisher?.store.path
        wanted = wanted.map { Directory.resolved("\(checkpointDirectory)/\($0)") }
      }
      throw .setting(
        key, found, expected: "\(wanted.map { "\"\($0)\"" } ?? "none"), with which \(remedy)")
    }
  }

  private func decode<Value: Decodable>(
    _ archive: TensorArchive, _ key: String
  ) throws(MillraceError) -> Value {
    try JSONCoding.decode(
      Value.self, from: (archive.metadata[key] ?? "").utf8,
      subject: "\(key) of the checkpoint in '\(checkpointDirectory)'")
  }
}

extension Partition {
  func encode(into archive: inout TensorArchive, prefix: String) throws(MillraceError) {
    archive.set(
      [
        position, Int64(rowCount), Int64(badRecordCount), isFrozen ? 1 : 0, Int64(toldRestarts),
      ], as: "\(prefix)counts")
    archive.metadata["\(prefix)classes"] = String(
      decoding: try JSONCoding.encode(model.schema.classes), as: UTF8.self)
    model.encode(into: &archive, prefix: "\(prefix)model.")
    recent.encode(into: &archive, prefix: "\(prefix)recent.")
    metrics.encode(into: &archive, prefix: "\(prefix)metrics.")
    servedMetrics.encode(into: &archive, prefix: "\(prefix)servedMetrics.")
    monitor?.encode(into: &archive, prefix: "\(prefix)monitor.")
    if let challenger {
      archive.set(challenger.alarmRow, as: "\(prefix)challenger.alarmRow")
      challenger.model.encode(into: &archive, prefix: "\(prefix)challenger.model.")
      challenger.metrics.encode(into: &archive, prefix: "\(prefix)challenger.metrics.")
    }
  }

  init(
    number: Int, settings: PipelineSettings, schema: Schema,
    decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    var schema = schema
    schema.classes = try JSONCoding.decode(
      [String].self, from: (archive.metadata["\(prefix)classes"] ?? "").utf8,
      subject: "the classes of partition \(number) in the checkpoint")
    try self.init(
      number: number, settings: settings,
      model: try Model(
        schema: schema, settings: settings.learner, decoding: archive,
        prefix: "\(prefix)model."))
    let counts = try archive.integers("\(prefix)counts", count: 5)
    position = counts[0]
    rowCount = Int(counts[1])
    badRecordCount = Int(counts[2])
    isFrozen = counts[3] != 0
    toldRestarts = Int(counts[4])
    recent = try RecentRows(
      capacity: recent.capacity, columnCount: recent.columnCount, decoding: archive,
      prefix: "\(prefix)recent.")
    try metrics.decode(from: archive, prefix: "\(prefix)metrics.")
    try servedMetrics.decode(from: archive, prefix: "\(prefix)servedMetrics.")
    try monitor?.decode(from: archive, prefix: "\(prefix)monitor.")
    if archive.contains("\(prefix)challenger.alarmRow") {
      var challengerMetrics = metrics
      try challengerMetrics.decode(from: archive, prefix: "\(prefix)challenger.metrics.")
      challenger = Challenger(
        model: try Model(
          schema: schema, settings: settings.learner, decoding: archive,
          prefix: "\(prefix)challenger.model."),
        alarmRow: Int(try archive.integer("\(prefix)challenger.alarmRow")),
        metrics: challengerMetrics)
    }
  }
}
