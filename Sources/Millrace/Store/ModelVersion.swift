/// A stored version of a model: `elec@3`.
public struct ModelVersion: Hashable, Sendable, CustomStringConvertible {
  /// The model's name.
  public let name: String
  /// The version: 1, 2, ….
  public let version: Int

  /// A version, which need not be in any store.
  package init(name: String, version: Int) {
    self.name = name
    self.version = version
  }

  /// `elec@3`.
  public var description: String { "\(name)@\(version)" }
}

/// A name that points to a version and can be moved.
public enum ModelAlias: String, Sendable, CaseIterable {
  /// The version that is served.
  case champion
  /// The version that is being compared with it.
  case challenger
}
