/// What a job as a whole remembers beside its partitions; kept in its checkpoint as JSON.
struct RunState: Codable {
  /// The most alarms, versions and rejections that are listed: the newest of a job without end.
  static let listLimit = 10_000

  /// The schema as inferred or given; partitions know which classes they have met since.
  let schema: Schema
  /// The settings the job began with.
  let settings: PipelineSettings
  /// The model whose versions it publishes.
  let modelName: String
  /// What it was asked of its columns and its store, by the settings' keys.
  let asked: [String: String]
  /// Rows of all partitions together.
  var rowCount = 0
  var microBatches = 0
  var alarms: [RunAlarm] = []
  var retrainings = 0
  var swaps = 0
  var published: [Int] = []
  var rejected: [RejectedVersion] = []
  /// The version that is served; `nil` before the first one.
  var servedVersion: Int?
  /// The rows at the last publication.
  var publishedRows = 0
  /// The number that the next version will have unless another process takes it.
  var nextVersion = 1
  /// The pass over the source, and the one that was last published; 0 is the first.
  var pass = 0
  var publishedPass = 0
  /// The course of the run, for its report.
  var history: RunHistory

  init(schema: Schema, settings: PipelineSettings, modelName: String, asked: [String: String]) {
    self.schema = schema
    self.settings = settings
    self.modelName = modelName
    self.asked = asked
    history = RunHistory(featureCount: schema.featureNames.count)
  }
}

/// A drift alarm and the partition that raised it.
public struct RunAlarm: Codable, Equatable, Sendable {
  /// The partition.
  public var partition: Int
  /// The alarm; its row counts that partition's rows.
  public var alarm: DriftAlarm

  /// One object: the alarm's fields and `partition`.
  public func encode(to encoder: any Encoder) throws {
    try alarm.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(partition, forKey: .partition)
  }

  /// Reads what `encode(to:)` wrote.
  public init(from decoder: any Decoder) throws {
    alarm = try DriftAlarm(from: decoder)
    partition = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .partition)
  }

  init(partition: Int, alarm: DriftAlarm) {
    self.partition = partition
    self.alarm = alarm
  }

  private enum CodingKeys: String, CodingKey { case partition, alarm }
}

/// A version that did not pass the gate.
public struct RejectedVersion: Codable, Equatable, Sendable {
  /// Its number in the store, where it stays for inspection.
  public var version: Int
  /// Why.
  public var reason: String
}

extension Array {
  /// Appends an element; beyond `limit` the oldest is dropped.
  mutating func append(_ element: Element, keepingNewest limit: Int) {
    if count >= limit { removeFirst(count - limit + 1) }
    append(element)
  }
}

extension RunHistory {
  /// Records rows in order.
  ///
  /// - Parameters:
  ///   - losses: per row the loss of the learner, of the base rate and of no change.
  ///   - served: the same with the served version first; may be empty.
  ///   - weights: the importance of each row.
  mutating func record(_ losses: [Double], served: [Double], weights: ArraySlice<Float>) {
    func append(_ losses: [Double], _ index: Int, to series: inout DecimatedSeries) {
      losses.withUnsafeBufferPointer { losses in
        weights.withUnsafeBufferPointer { weights in
          series.append(count: weights.count) { row in
            (losses[3 * row + index], Double(weights[row]))
          }
        }
      }
    }
    append(losses, 0, to: &learnerLoss)
    if served.isEmpty {
      servedLoss.skip(count: weights.count)
    } else {
      append(served, 0, to: &servedLoss)
    }
    append(losses, 1, to: &baseRateLoss)
    append(losses, 2, to: &noChangeLoss)
  }
}

extension RunEvent {
  init(alarm: DriftAlarm, atRow row: Int) {
    var evidence: [String] = []
    if let ks = alarm.ks { evidence.append("D \(ks.rounded(toDigits: 3))") }
    if let pValue = alarm.pValue { evidence.append("p \(pValue.rounded(toDigits: 3))") }
    if let psi = alarm.psi { evidence.append("PSI \(psi.rounded(toDigits: 3))") }
    self.init(
      .alarm, atRow: row, feature: alarm.feature, detail: evidence.joined(separator: ", "))
  }
}
