/// Turns what is learnt into versions of a store, and knows the one that is being served.
struct Publisher {
  let store: ModelStore
  let job: Pipeline.Job
  let keepVersions: Int
  /// The version being served and its model.
  private(set) var servedVersion: Int?
  private(set) var served: Model?

  /// How much worse than the served version, relatively, a version may be: both learnt nearly the
  /// same, and a window's loss is noisy.
  static let tolerance = 0.02

  init(store: ModelStore, job: Pipeline.Job, keepVersions: Int) {
    self.store = store
    self.job = job
    self.keepVersions = keepVersions
  }

  /// The number that the next version will have unless another process takes it; the store is made
  /// where there is none, so that a job does not learn what it cannot keep.
  func nextVersion() throws(MillraceError) -> Int {
    try Directory.create(store.path)
    return try store.nextVersion(of: job.modelName)
  }

  /// Serves the champion where the store has one.
  mutating func loadChampion() throws(MillraceError) {
    guard try store.hasModel(job.modelName),
      let champion = try store.target(of: .champion, of: job.modelName)
    else { return }
    try serve(champion)
  }

  /// Serves the version that a checkpoint names.
  mutating func restore(_ version: Int?) throws(MillraceError) {
    if let version { try serve(ModelVersion(name: job.modelName, version: version)) }
  }

  private mutating func serve(_ version: ModelVersion) throws(MillraceError) {
    served = try store.model(version)
    servedVersion = version.version
  }

  /// Stores a version; promotes it when the gate lets it pass.
  ///
  /// - Parameters:
  ///   - expectedVersion: the number it had if it was published before a crash.
  /// - Returns: its number, and why it may not be served; `nil` when it is served now.
  mutating func publish(
    _ model: Model, measurement: PromotionGate.Measurement, metrics: [String: Double],
    positions: [Int: Int64], reason: String, expectedVersion: Int
  ) throws(MillraceError) -> (version: Int, objection: String?) {
    var archive = TensorArchive()
    model.encode(into: &archive)
    let manifest = Manifest(
      schema: model.schema, settings: model.settings, metrics: metrics,
      lineage: .init(
        source: job.source, positions: positions, parent: servedVersion, reason: reason),
      rows: model.rowCount)
    let objection = PromotionGate.objection(
      to: model, served: served, measurement: measurement, tolerance: Self.tolerance)
    let version = try store.publish(
      archive, manifest: manifest, as: job.modelName, expectedVersion: expectedVersion,
      alias: objection == nil ? .champion : .challenger)
    if objection == nil {
      served = model
      servedVersion = version.version
    }
    if keepVersions > 0 { _ = try store.prune(job.modelName, keeping: keepVersions) }
    return (version.version, objection)
  }
}
