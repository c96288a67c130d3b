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
  /// Sets what a flag of the command line would set.
  ///
  /// - Throws: `configuration` for an unknown key or a value that the setting cannot have.
  mutating func set(_ key: String, to text: String) throws(MillraceError) {
    func refuse(_ expected: String) -> MillraceError {
      .setting("grid", "\(key)=\(text)", expected: "\(expected) for \(key)")
    }
    func choice<Choice: RawRepresentable & CaseIterable>() throws(MillraceError) -> Choice
    where Choice.RawValue == String {
      guard let choice = Choice(rawValue: text) else {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw refuse(names)
      }
      return choice
    }
    func number() throws(MillraceError) -> Double {
      guard let number = Double(text), number.isFinite else {
        throw refuse("a number")
      }
      return number
    }
    switch key {
    case "learner": learner = try choice()
    case "basis": basis = try choice()
    case "schedule": schedule = try choice()
    case "loss": loss = try choice() as Loss
    case "learning-rate": learningRate = try number()
    case "l1": l1 = try number()
    case "l2": l2 = try number()
    case "huber-threshold": huberThreshold = try number()
    case "quantile": quantile = try number()
    case "gradient-limit": gradientLimit = try number()
    case "forgetting": forgetting = try number()
    case "drift-variance": driftVariance = try number()
    case "prior-variance": priorVariance = try number()
    case "batch-size":
      guard let count = Int(text) else { throw refuse("an integer") }
      batchSize = count
    case "averaging":
      guard let flag = Bool(text) else { throw refuse("true or false") }
      averaging = flag
    default:
      throw .setting(
        "grid", key,
        expected:
          "learner, basis, schedule, loss, learning-rate, l1, l2, huber-threshold, quantile,"
          + " gradient-limit, forgetting, drift-variance, prior-variance,"
          + " batch-size or averaging")
    }
  }
}
