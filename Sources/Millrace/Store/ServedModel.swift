/// A model as it was published, ready to answer.
public final class ServedModel: Sendable {
  /// The model.
  public let model: Model
  /// Which version it is; `nil` for a model that is in no store.
  public let version: ModelVersion?

  /// Wraps a model and warms it: its first answer has been given.
  ///
  /// - Throws: `store` when it holds numbers that are not finite.
  public init(_ model: Model, version: ModelVersion? = nil) throws(MillraceError) {
    var model = model
    model.freeze()
    self.model = model
    self.version = version
    let features = [Float](repeating: 0, count: max(model.columnCount, 1))
    var answer = [Double](repeating: 0, count: max(model.outputWidth, 1))
    answer.withUnsafeMutableBufferPointer { answer in
      guard let base = answer.baseAddress else { return }
      model.predict(
        features, into: PredictionRows(base: base, count: 1, width: model.outputWidth))
    }
    guard model.isFinite, answer.allSatisfy(\.isFinite) else {
      let name = version.map { "version \($0)" } ?? "the model"
      throw MillraceError(.store, "\(name) holds numbers that are not finite")
    }
  }

  /// Loads a version from a store, verifies it and warms it.
  ///
  /// - Throws: `store` with the reason when it is missing, damaged or not finite.
  public convenience init(
    _ version: ModelVersion, from store: ModelStore
  ) throws(MillraceError) {
    try self.init(store.model(version), version: version)
  }
}

extension ModelStore {
  /// A stored version as a model.
  ///
  /// - Throws: `store` with the reason when it is missing or damaged.
  public func model(_ version: ModelVersion) throws(MillraceError) -> Model {
    let (manifest, archive) = try load(version)
    let model: Model
    do throws(MillraceError) {
      model = try Model(schema: manifest.schema, settings: manifest.settings, decoding: archive)
    } catch {
      throw refusal(version, error)
    }
    guard model.isFinite else {
      throw MillraceError(.store, "version \(version) holds numbers that are not finite")
    }
    return model
  }

  /// Stores a model; see `publish(_:manifest:as:expectedVersion:alias:)`.
  ///
  /// - Throws: `store` for a name that is not one; `system` when it cannot be written.
  public func publish(
    _ model: Model, metrics: [String: Double], lineage: Manifest.Lineage, as name: String,
    expectedVersion: Int? = nil
  ) throws(MillraceError) -> ModelVersion {
    var archive = TensorArchive()
    model.encode(into: &archive)
    let manifest = Manifest(
      schema: model.schema, settings: model.settings, metrics: metrics, lineage: lineage,
      rows: model.rowCount)
    return try publish(archive, manifest: manifest, as: name, expectedVersion: expectedVersion)
  }
}
