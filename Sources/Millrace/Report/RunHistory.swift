/// What a run remembers of its course: recorded as it goes, and kept in its checkpoint.
///
/// Bounded: its size depends on the number of features, not on the number of rows. Everything is
/// placed by row number, counted from 0 in the order in which rows are learnt, never by the clock.
public struct RunHistory: Codable, Equatable, Sendable {
  /// The loss per row of the learner as it learnt (test, then train): log-loss or squared error.
  public internal(set) var learnerLoss = DecimatedSeries()
  /// The loss per row of the version that was being served.
  public internal(set) var servedLoss = DecimatedSeries()
  /// The loss per row of predicting the label's running mean or class frequencies.
  public internal(set) var baseRateLoss = DecimatedSeries()
  /// The loss per row of predicting that the label does not change.
  public internal(set) var noChangeLoss = DecimatedSeries()
  /// The Kolmogorov-Smirnov distance from the reference, per drift check and column: the features,
  /// then the prediction and the label, as in `DriftMonitor.columns`.
  public internal(set) var driftStatistics: DecimatedGrid
  /// The share of each expert, for learners that mix several.
  public internal(set) var expertWeights: DecimatedGrid?
  /// The names of the experts, in the order of `expertWeights`.
  public internal(set) var expertNames: [String] = []
  /// What happened, in order.
  public internal(set) var events = BoundedList<RunEvent>(limit: 100)
  /// How often each kind of event happened.
  public internal(set) var eventCounts: [RunEvent.Kind: Int] = [:]
  /// How often each kind of event happened over time, in the order of `RunEvent.Kind.allCases`.
  public internal(set) var eventDensity = DecimatedGrid(
    numbers: RunEvent.Kind.allCases.count, merge: .sum)
  /// The first row at which each column (or `DriftAlarm.error`) alarmed.
  public internal(set) var firstAlarmRows: [String: Int] = [:]
  /// The versions that passed the gate, and those that did not.
  public internal(set) var versions = BoundedList<VersionRecord>(limit: 40)
  /// How many versions were published.
  public internal(set) var publishedVersions = 0
  /// Records that did not become rows, by reason.
  public internal(set) var deadLetters = ReasonCounts()

  /// The history of a run that has not begun.
  public init(featureCount: Int) {
    driftStatistics = DecimatedGrid(numbers: featureCount + 2, merge: .maximum)
  }

  /// Rows learnt so far.
  public var rows: Int { learnerLoss.rowCount }

  /// Records the next row's losses; NaN where one is not known.
  public mutating func record(
    learner: Double, served: Double = .nan, baseRate: Double, noChange: Double, weight: Double = 1
  ) {
    learnerLoss.append(learner, weight: weight)
    servedLoss.append(served, weight: weight)
    baseRateLoss.append(baseRate, weight: weight)
    noChangeLoss.append(noChange, weight: weight)
  }

  /// Records what a drift check found: one statistic per column, NaN where it could not be tested.
  public mutating func record(driftStatistics statistics: [Float], atRow row: Int) {
    driftStatistics.record(atRow: row, statistics)
  }

  /// Records the weight of each expert at a row, where that is news for a picture of the run.
  ///
  /// - Parameter experts: as `Learner.experts` tells them; asked for only where it is news. An
  ///   expert that joins later had no weight before; the order of those there are does not change.
  public mutating func recordExperts(atRow row: Int, _ experts: () -> [Expert]) {
    if let expertWeights, !expertWeights.wantsMeasurement(atRow: row) { return }
    let experts = experts()
    if experts.isEmpty { return }
    if expertNames.count != experts.count {
      expertNames = experts.map(\.name)
      var grid = expertWeights ?? DecimatedGrid(numbers: 0, merge: .mean)
      grid.setNumberCount(experts.count)
      expertWeights = grid
    }
    expertWeights?.record(atRow: row, experts.map { Float($0.weight) })
  }

  /// Notes that something happened.
  public mutating func note(_ event: RunEvent) {
    events.append(event)
    eventCounts[event.kind, default: 0] += 1
    eventDensity.record(
      atRow: event.atRow, RunEvent.Kind.allCases.map { $0 == event.kind ? 1 : .nan })
    if event.kind == .alarm, let feature = event.feature, firstAlarmRows[feature] == nil {
      firstAlarmRows[feature] = event.atRow
    }
  }

  /// Notes a version that was published or rejected.
  public mutating func note(_ version: VersionRecord) {
    versions.append(version)
    if version.rejection == nil { publishedVersions += 1 }
  }

  /// Notes a record that did not become a row.
  public mutating func noteDeadLetter(reason: String) { deadLetters.add(reason) }
}

/// Something that happened in a run.
public struct RunEvent: Codable, Equatable, Sendable {
  /// What happened.
  public enum Kind: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    /// Drift was found.
    case alarm
    /// A challenger was trained.
    case retraining
    /// A version began to be served.
    case swap
    /// A version did not pass the gate.
    case rejected
    /// The job went on from its checkpoint.
    case restart
    /// The learner diverged and started again with shorter steps.
    case divergence
  }

  /// What happened.
  public var kind: Kind
  /// Before which row.
  public var atRow: Int
  /// The feature that alarmed.
  public var feature: String?
  /// The version that was trained, served or rejected.
  public var version: Int?
  /// More, in words: the statistic, the reason.
  public var detail: String

  /// An event.
  public init(
    _ kind: Kind, atRow: Int, feature: String? = nil, version: Int? = nil, detail: String = ""
  ) {
    self.kind = kind
    self.atRow = atRow
    self.feature = feature
    self.version = version
    self.detail = detail
  }
}

/// A version and the decision about it.
public struct VersionRecord: Codable, Equatable, Sendable {
  /// What the gate measured: losses on the latest rows, all seen by neither as a lesson.
  public struct Gate: Codable, Equatable, Sendable {
    /// The loss of the version that asked to be served.
    public var challengerLoss: Double?
    /// The loss of the version being served; `nil` for the first one.
    public var championLoss: Double?
    /// The rows measured.
    public var rows: Int

    /// A measurement.
    public init(challengerLoss: Double?, championLoss: Double?, rows: Int) {
      self.challengerLoss = challengerLoss
      self.championLoss = championLoss
      self.rows = rows
    }
  }

  /// The version's number; `nil` for one that was rejected before it got any.
  public var version: Int?
  /// Before which row it was decided on.
  public var atRow: Int
  /// The rows it learnt from.
  public var learntRows: Range<Int>
  /// The version it grew from.
  public var parent: Int?
  /// Why it was made.
  public var reason: String
  /// What the gate measured; `nil` when there was none to pass.
  public var gate: Gate?
  /// Why it was not published; `nil` when it was.
  public var rejection: String?

  /// A version and the decision about it.
  public init(
    version: Int?, atRow: Int, learntRows: Range<Int>, parent: Int?, reason: String,
    gate: Gate? = nil, rejection: String? = nil
  ) {
    self.version = version
    self.atRow = atRow
    self.learntRows = learntRows
    self.parent = parent
    self.reason = reason
    self.gate = gate
    self.rejection = rejection
  }
}

/// How often each of some reasons came; beyond `limit` distinct ones they are counted together.
public struct ReasonCounts: Codable, Equatable, Sendable {
  /// The most distinct reasons.
  public static let limit = 50

  /// How often each came, in the order in which they first came.
  public internal(set) var reasons: [String] = []
  /// The counts, in the order of `reasons`.
  public internal(set) var counts: [Int] = []
  /// How often others came.
  public internal(set) var others = 0

  /// No reason yet.
  public init() {}

  /// Counts a reason.
  public mutating func add(_ reason: String) {
    if let index = reasons.firstIndex(of: reason) {
      counts[index] += 1
    } else if reasons.count < Self.limit {
      reasons.append(reason)
      counts.append(1)
    } else {
      others += 1
    }
  }

  /// All together.
  public var total: Int { counts.reduce(others, +) }
}
