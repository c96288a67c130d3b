#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// How drift is watched for. The JSON and YAML keys are the property names.
public struct DriftSettings: Codable, Equatable, Sendable {
  /// Rows of the reference sample.
  public var reference = 1_000
  /// Rows of the sliding window that is compared with it.
  public var window = 1_000
  /// Rows from one comparison to the next; `nil` is a quarter of the window, rounded up to 64s.
  public var checkInterval: Int? = nil
  /// False alarms per million rows that are tolerated on the features of a stationary stream.
  public var falseAlarmsPerMillion = 1.0
  /// The false discovery rate of one comparison of all features; `nil` follows from
  /// `falseAlarmsPerMillion`.
  public var alpha: Double? = nil
  /// The difference of distribution functions that does not matter, δ: an alarm needs
  /// D > δ + c(α)·√((n + m)/(nm)), or an index above `psiThreshold`.
  public var tolerance = 0.05
  /// The population stability index that matters whatever D is, τ.
  public var psiThreshold = 0.25
  /// The rise of the mean error per row that is tolerated, in its standard deviations.
  public var errorTolerance = 0.1
  /// The accumulated rise of the error that alarms (`PageHinkley`), in its standard deviations.
  public var errorThreshold = 100.0

  /// The defaults.
  public init() {}

  /// The largest samples: their comparison stays exact.
  private static let largestSample = 1_000_000

  /// - Throws: `configuration` when a setting is outside what is allowed.
  public func validate() throws(MillraceError) {
    func check(_ key: String, _ value: Double, _ isValid: Bool, _ expected: String)
      throws(MillraceError)
    {
      guard isValid else { throw .setting(key, "\(value)", expected: expected) }
    }
    for (key, value) in [("reference", reference), ("window", window)] {
      guard 20...Self.largestSample ~= value else {
        throw .setting(key, "\(value)", expected: "20 to \(Self.largestSample) rows")
      }
    }
    if let checkInterval, checkInterval < 1 {
      throw .setting("checkInterval", "\(checkInterval)", expected: "at least 1 row")
    }
    try check(
      "falseAlarms", falseAlarmsPerMillion,
      falseAlarmsPerMillion > 0 && falseAlarmsPerMillion.isFinite, "a positive number")
    if let alpha { try check("alpha", alpha, alpha > 0 && alpha < 1, "a share from 0 to 1") }
    try check("tolerance", tolerance, 0..<1 ~= tolerance, "0 to 1")
    try check("psiThreshold", psiThreshold, psiThreshold > 0, "a positive number")
    try check("errorTolerance", errorTolerance, errorTolerance >= 0, "0 or more")
    try check("errorThreshold", errorThreshold, errorThreshold > 0, "a positive number")
  }

  /// Rows from one comparison to the next.
  var interval: Int { checkInterval ?? (window + 255) / 256 * 64 }

  /// The false discovery rate of one comparison: on a stationary stream it is also the chance of a
  /// false alarm, and there are 10⁶/interval comparisons in a million rows.
  public var level: Double {
    alpha ?? min(0.05, falseAlarmsPerMillion * Double(interval) / 1e6)
  }

  /// The D above which a difference is large enough, for samples of n and m.
  func largeStatistic(_ n: Int, _ m: Int) -> Double {
    Self.largeStatistic(n, m, alpha: level, tolerance: tolerance)
  }

  /// δ + c(α)·√((n + m)/(nm)) with c(α) = √(ln(2/α)/2): the two-sample bound of a Kolmogorov-Smirnov
  /// test of "D ≤ δ" at level α.
  static func largeStatistic(_ n: Int, _ m: Int, alpha: Double, tolerance: Double) -> Double {
    guard n > 0, m > 0 else { return .infinity }
    let scale = (1 / Double(n) + 1 / Double(m)).squareRoot()
    return tolerance + (log(2 / alpha) / 2).squareRoot() * scale
  }
}

/// Something that has drifted, as drift events and results in JSON show it.
public struct DriftAlarm: Codable, Equatable, Sendable {
  /// What has changed.
  public enum Kind: String, Codable, Sendable {
    /// The distribution of a feature, of the predictions or of the labels.
    case distribution
    /// The share of missing values.
    case missing
    /// The mean of the learner's error has risen.
    case error
  }

  /// What is watched beside the features.
  public static let prediction = "(prediction)"
  /// The label, where it is known.
  public static let label = "(label)"
  /// The learner's error.
  public static let error = "(error)"

  /// The number of rows seen when the alarm was raised.
  public var atRow: Int
  /// The feature's name, or one of the constants above.
  public var feature: String
  /// What has changed.
  public var kind: Kind
  /// D: of the values, or the difference of the shares of missing ones.
  public var ks: Double?
  /// The p-value of D.
  public var pValue: Double?
  /// The population stability index, missing values included.
  public var psi: Double?
}

/// What one look at the watched columns found.
public struct DriftCheck: Equatable, Sendable {
  /// The number of rows seen.
  public var atRow: Int
  /// D of each column (see `DriftMonitor.columns`), NaN where there is none; empty for an alarm on
  /// the error, which may come at any row.
  public var statistics: [Float]
  /// What has drifted, in the order of the columns.
  public var alarms: [DriftAlarm]
}
