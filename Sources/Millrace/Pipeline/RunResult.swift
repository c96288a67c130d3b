/// What came of a job: the last line of the command line's output with `--json`.
public struct RunResult: Encodable, Sendable {
  /// The version a job left in the store.
  public struct PublishedModel: Encodable, Sendable {
    /// The model's name.
    public var name: String
    /// The version's number.
    public var version: Int
    /// The version's folder.
    public var path: String

    init(_ version: ModelVersion, in store: ModelStore) {
      name = version.name
      self.version = version.version
      path = store.path(of: version)
    }
  }

  /// Drift over the run.
  public struct Drift: Encodable, Sendable {
    /// The alarms in the order in which they came.
    public var alarms: [RunAlarm]
  }

  /// One output's coefficients in the units of the input columns.
  public struct OutputCoefficients: Encodable, Sendable {
    /// The score where every column is 0.
    public var intercept: Double
    /// What one unit of each column adds to the score, by the column's name.
    public var columns: [(name: String, value: Double)]

    /// One object: `intercept` and a key per column.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: AnyCodingKey.self)
      try container.encode(intercept, forKey: AnyCodingKey("intercept"))
      for (name, value) in columns { try container.encode(value, forKey: AnyCodingKey(name)) }
    }
  }

  /// The coefficients: one output's, or those of each class.
  public enum Coefficients: Encodable, Sendable {
    case single(OutputCoefficients)
    case classes([(name: String, coefficients: OutputCoefficients)])

    /// The object of the one output, or one with a key per class.
    public func encode(to encoder: any Encoder) throws {
      switch self {
      case .single(let output): try output.encode(to: encoder)
      case .classes(let classes):
        var container = encoder.container(keyedBy: AnyCodingKey.self)
        for (name, output) in classes { try container.encode(output, forKey: AnyCodingKey(name)) }
      }
    }
  }

  /// A combination of a grid and how it did.
  public struct GridPoint: Encodable, Sendable {
    /// The grid's values by their keys.
    public var settings: [String: String]
    /// As it learnt, each record predicted before; `nil` where folds decided.
    public var progressive: MetricSummary?
    /// Over the folds; `nil` where there are none.
    public var crossValidation: CrossValidation?

    /// What decides: the smaller, the better; infinite for one that diverged.
    var loss: Double {
      let loss = crossValidation?.loss ?? progressive?.loss ?? .infinity
      return loss.isFinite ? loss : .infinity
    }
  }

  /// Mean outcomes by mean predictions: equal where probabilities mean what they say.
  public struct Calibration: Encodable, Sendable {
    /// Of the predictions while learning.
    public var progressive: [QualitySummary.Bin]?
    /// Of those on held-out data.
    public var test: [QualitySummary.Bin]?
  }

  /// The subcommand.
  public var command = ""
  /// Records that became rows.
  public var rows = 0
  /// Records that did not.
  public var badRecords = 0
  /// Seconds of this process's work.
  public var seconds = 0.0
  /// Rows of this process per second.
  public var rowsPerSecond = 0.0
  /// What was learnt.
  public var task: Task?
  /// The learner's name.
  public var learner = ""
  /// The columns of the matrix.
  public var features: [String] = []
  /// The learner's metrics: each record was predicted before it was learnt.
  public var progressive = MetricSummary()
  /// The served version's metrics on the same records.
  public var served: MetricSummary?
  /// Metrics on held-out data.
  public var test: MetricSummary?
  /// Mean outcomes by mean predictions, of two classes and of numbers.
  public var calibration: Calibration?
  /// What cross-validation measured, when asked for.
  public var crossValidation: CrossValidation?
  /// The grid's combinations, when there is a grid.
  public var grid: [GridPoint]?
  /// Of those, the settings that were chosen.
  public var chosen: [String: String]?
  /// What the exact solution's coefficients are worth, when asked for.
  public var summary: CoefficientSummary?
  /// How the learner diverged; `nil` when it did not.
  public var divergence: Divergence?
  /// The version that a batch job stored, promoted or not; of a job that goes on, the last one
  /// published.
  public var model: PublishedModel?
  /// Coefficients, when asked for.
  public var coefficients: Coefficients?
  /// Micro-batches processed.
  public var microBatches: Int?
  /// The positions of the checkpoint the job went on from.
  public var resumedFrom: [String: Int64]?
  /// The position after the last record, per partition.
  public var positions: [String: Int64]?
  /// Drift.
  public var drift: Drift?
  /// Challengers trained.
  public var retrainings: Int?
  /// Times a version took the place of another in serving.
  public var swaps: Int?
  /// The versions published.
  public var published: [Int]?
  /// The versions that did not pass the gate.
  public var rejected: [RejectedVersion]?

  /// A result with nothing in it.
  public init() {}

  init(command: String, learner: LearnerSettings.Kind) {
    self.command = command
    self.learner = learner.rawValue
  }
}

/// A coding key of any name.
struct AnyCodingKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
