/// Every combination of some values of some settings: `learning-rate=0.01,0.1 l2=0,1e-4`.
public struct SettingsGrid: Sendable {
  /// A combination: the learner's settings, and what in them is the grid's.
  public struct Candidate: Sendable {
    /// All settings of the learner.
    public var settings: LearnerSettings
    /// The grid's values by their keys.
    public var values: [String: String]
  }

  /// The combinations, the last key varying fastest.
  public let candidates: [Candidate]

  /// The most combinations.
  public static let limit = 1_000

  /// Parses a grid.
  ///
  /// - Parameters:
  ///   - text: `KEY=VALUE,…` several times with spaces between them; keys are those of the flags.
  ///   - base: the settings that the grid leaves alone.
  /// - Throws: `configuration` for a key that is no setting of a learner, a value it cannot have,
  ///   or more than `limit` combinations.
  public init(_ text: String, base: LearnerSettings) throws(MillraceError) {
    var candidates = [Candidate(settings: base, values: [:])]
    for axis in text.split(whereSeparator: \.isWhitespace) {
      guard let equals = axis.firstIndex(of: "=") else {
        throw .setting("grid", String(axis), expected: "KEY=VALUE,VALUE,…")
      }
      let key = String(axis[..<equals])
      let values = axis[axis.index(after: equals)...].split(separator: ",").map(String.init)
      guard !values.isEmpty, values.count * candidates.count <= Self.limit else {
        throw .setting(
          "grid", text, expected: "values for \(key), and at most \(Self.limit) combinations")
      }
      var next: [Candidate] = []
      for candidate in candidates {
        for value in values {
          var candidate = candidate
          try candidate.settings.set(key, to: value)
          candidate.values[key] = value
          next.append(candidate)
        }
      }
      candidates = next
    }
    guard candidates.first?.values.isEmpty == false else {
      throw .setting("grid", text, expected: "KEY=VALUE,VALUE,…")
    }
    self.candidates = candidates
  }
}

extension LearnerSettings {
  /// Sets a setting from text; what is allowed, where the text is not.
  private typealias Setter = @Sendable (inout LearnerSettings, String) -> String?

  /// The settings that a grid may vary, by the names of their flags.
  private static let axes: [(key: String, set: Setter)] = [
    ("learner", choice { $0.learner = $1 }),
    ("basis", choice { $0.basis = $1 }),
    ("schedule", choice { $0.schedule = $1 }),
    ("loss", choice { $0.loss = $1 }),
    ("learning-rate", number { $0.learningRate = $1 }),
    ("l1", number { $0.l1 = $1 }),
    ("l2", number { $0.l2 = $1 }),
    ("huber-threshold", number { $0.huberThreshold = $1 }),
    ("quantile", number { $0.quantile = $1 }),
    ("gradient-limit", number { $0.gradientLimit = $1 }),
    ("forgetting", number { $0.forgetting = $1 }),
    ("drift-variance", number { $0.driftVariance = $1 }),
    ("prior-variance", number { $0.priorVariance = $1 }),
    ("batch-size", value("an integer", Int.init) { $0.batchSize = $1 }),
    ("averaging", value("true or false", Bool.init) { $0.averaging = $1 }),
  ]

  /// Sets what a flag of the command line would set.
  ///
  /// - Throws: `configuration` for an unknown key or a value that the setting cannot have.
  mutating func set(_ key: String, to text: String) throws(MillraceError) {
    guard let axis = Self.axes.first(where: { $0.key == key }) else {
      throw .setting(
        "grid", key, expected: "one of " + Self.axes.map(\.key).joined(separator: ", "))
    }
    if let expected = axis.set(&self, text) {
      throw .setting("grid", "\(key)=\(text)", expected: "\(expected) for \(key)")
    }
  }

  private static func value<Value>(
    _ expected: String, _ read: @escaping @Sendable (String) -> Value?,
    _ write: @escaping @Sendable (inout LearnerSettings, Value) -> Void
  ) -> Setter {
    { settings, text in
      guard let value = read(text) else { return expected }
      write(&settings, value)
      return nil
    }
  }

  private static func number(
    _ write: @escaping @Sendable (inout LearnerSettings, Double) -> Void
  ) -> Setter {
    value("a number", { Double($0).flatMap { $0.isFinite ? $0 : nil } }, write)
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ write: @escaping @Sendable (inout LearnerSettings, Choice) -> Void
  ) -> Setter {
    value(
      Choice.allCases.map(\.rawValue).joined(separator: ", "), { Choice(rawValue: $0) }, write)
  }
}
