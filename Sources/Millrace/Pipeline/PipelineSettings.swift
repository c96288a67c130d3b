/// When a model is learnt anew.
public enum RetrainPolicy: String, Codable, Sendable, CaseIterable {
  /// Every record is learnt. After a drift alarm a challenger that knows only the recent window
  /// runs beside the learner, and takes its place if it predicts the next records better.
  case continuous
  /// The first `reference` records are learnt; then nothing, until an alarm: a challenger is
  /// trained from the recent window, proves itself on the next records, and takes over.
  case onDrift = "on-drift"
  /// Nothing is learnt: the store's champion scores, and its input is watched.
  case never
}

/// How often what is learnt becomes a version.
public enum PublishInterval: Codable, Equatable, Sendable {
  /// After every so many records: at the same records in every run.
  case records(Int)
  /// After every so many seconds.
  case seconds(Double)
  /// Only when the log ends or a challenger wins.
  case atEnd
}

/// Everything a job can be told beside its addresses. Every field has a default.
public struct PipelineSettings: Codable, Equatable, Sendable {
  /// The learner.
  public var learner = LearnerSettings()
  /// The most records in a micro-batch. Decides when work is done, never what is learnt.
  public var microBatchRecords = 8192
  /// The most bytes in a micro-batch.
  public var microBatchBytes = 4 << 20
  /// How long an empty poll waits for a first record, in milliseconds.
  public var lingerMilliseconds = 100
  /// How long the ready records of a partition wait for one whose turn it is, in milliseconds.
  public var partitionIdleMilliseconds = 500
  /// When a model is learnt anew.
  public var retrain = RetrainPolicy.continuous
  /// How often what is learnt becomes a version.
  public var publishEvery = PublishInterval.records(10_000)
  /// Records between two lines of metrics.
  public var metricsEvery = 1_000
  /// How often the source is read; beyond the first time nothing is measured or watched.
  public var passes = 1
  /// 1 reads and learns in turn; otherwise a thread reads ahead. Changes no result.
  public var threads = 2
  /// Drift detection; `nil` watches nothing.
  public var drift: DriftSettings? = DriftSettings()
  /// The share of records that may be bad; above it the job stops.
  public var maxBadRecords = 0.1
  /// Seconds between checkpoints.
  public var checkpointSeconds = 1.0
  /// Versions kept in the store beside those an alias names; 0 keeps all.
  public var keepVersions = 50

  /// The defaults.
  public init() {}

  /// Checks every value but the learner's, which depend on the task (`LearnerSettings.validate`).
  ///
  /// - Throws: `configuration`, naming the key, the value and what is allowed.
  public func validate() throws(MillraceError) {
    func require(_ holds: Bool, _ key: String, _ value: Any, _ expected: String)
      throws(MillraceError)
    {
      guard holds else { throw .setting(key, "\(value)", expected: expected) }
    }
    try require(microBatchRecords > 0, "batchSize", microBatchRecords, "a positive integer")
    try require(microBatchBytes > 0, "batchBytes", microBatchBytes, "a positive integer")
    try require(lingerMilliseconds >= 0, "linger", lingerMilliseconds, "milliseconds, 0 or more")
    try require(
      (0...1).contains(maxBadRecords), "maxBadRecords", maxBadRecords, "a share from 0 to 1")
    try require(
      checkpointSeconds >= 0, "checkpointInterval", checkpointSeconds, "seconds, 0 or more")
    try require(metricsEvery > 0, "metricsEvery", metricsEvery, "a positive integer")
    try require(threads > 0, "threads", threads, "a positive integer")
    try require(passes > 0, "passes", passes, "a positive integer")
    try require(keepVersions >= 0, "keepVersions", keepVersions, "an integer, 0 or more")
    switch publishEvery {
    case .records(let records):
      try require(records > 0, "publishEvery", records, "a positive number of records")
    case .seconds(let seconds):
      try require(seconds > 0, "publishEvery", seconds, "a positive duration")
    case .atEnd: break
    }
  }
}

extension MillraceError {
  /// The error that so many bad records are; `nil` when they are tolerated.
  ///
  /// - Parameters:
  ///   - limit: the share that is.
  ///   - atEnd: whether these are all records; early on a few bad ones are no share yet.
  ///   - reason: what was wrong with the first one.
  static func badRecords(
    _ bad: Int, of all: Int, limit: Double, atEnd: Bool, reason: String?
  ) -> MillraceError? {
    guard bad > 0, atEnd || all >= 1_000, Double(bad) > limit * Double(all) else { return nil }
    return MillraceError(
      .badRecords, key: "maxBadRecords",
      "is \(limit), but \(bad) of \(all) records were bad; the first reason:"
        + " \(reason ?? "none")")
  }
}
