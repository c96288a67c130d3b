/// Everything that the report of a run or of a training shows. What is `nil` or empty is left out.
public struct RunReport: Codable, Equatable, Sendable {
  /// What is reported.
  public enum Job: String, Codable, Sendable {
    /// A job that follows a log, watches for drift and publishes versions.
    case run
    /// A batch training.
    case training
  }

  /// What is reported.
  public var job: Job
  /// The name of the model.
  public var model: String
  /// What is learnt.
  public var task: Task
  /// The label's column.
  public var label: String
  /// The learner.
  public var learner: String
  /// Metrics, the headline loss first.
  public var metrics: [MetricComparison] = []
  /// Mean prediction over mean outcome, of the learner as it learnt: 1 when they agree.
  public var calibrationRatio: Double?
  /// The run's course.
  public var history: RunHistory
  /// What drift testing found, per feature.
  public var drift: [FeatureDrift] = []
  /// How good predictions are.
  public var quality = QualitySummary()
  /// The linear part of the model.
  public var coefficients: [Coefficient] = []
  /// The part of the model beyond the columns: hinges, products, waves.
  public var basis: [Coefficient] = []
  /// Missing values per column.
  public var missing: [MissingCount] = []
  /// What gives the same run again.
  public var reproduction: Reproduction

  /// A report with the parts that every job has.
  public init(
    job: Job = .run, model: String, task: Task, label: String, learner: String, history: RunHistory,
    reproduction: Reproduction
  ) {
    self.job = job
    self.model = model
    self.task = task
    self.label = label
    self.learner = learner
    self.history = history
    self.reproduction = reproduction
  }
}

extension RunReport {
  /// Fills in the metrics and the calibration ratio.
  ///
  /// - Parameters:
  ///   - learner: of the learner as it learnt, with its baselines.
  ///   - served: of the version that was being served.
  public mutating func setMetrics(learner: MetricSummary, served: MetricSummary?) {
    typealias Names = (
      name: String, lowerIsBetter: Bool, value: KeyPath<MetricSummary, Double?>,
      baseline: KeyPath<MetricSummary.Baseline, Double?>?
    )
    let names: [Names] = [
      ("log-loss", true, \.logLoss, \.logLoss), ("accuracy", false, \.accuracy, \.accuracy),
      ("AUC", false, \.auc, nil), ("RMSE", true, \.rmse, \.rmse), ("MAE", true, \.mae, \.mae),
      ("R²", false, \.r2, nil),
    ]
    metrics = names.compactMap { name, lowerIsBetter, value, baseline in
      guard let own = learner[keyPath: value] else { return nil }
      return MetricComparison(
        name, lowerIsBetter: lowerIsBetter, learner: own, served: served?[keyPath: value],
        baseRate: baseline.flatMap { learner.baseRate?[keyPath: $0] },
        noChange: baseline.flatMap { learner.noChange?[keyPath: $0] })
    }
    calibrationRatio = learner.calibrationRatio
  }
}

/// One metric of the learner, of what was served, and of what needs no learning.
public struct MetricComparison: Codable, Equatable, Sendable {
  /// The metric's name as people read it: `log-loss`.
  public var name: String
  /// Whether lower is better.
  public var lowerIsBetter: Bool
  /// The learner as it learnt (test, then train).
  public var learner: Double?
  /// The version that was being served.
  public var served: Double?
  /// Predicting the running mean or the class frequencies.
  public var baseRate: Double?
  /// Predicting that the label does not change.
  public var noChange: Double?

  /// A metric.
  public init(
    _ name: String, lowerIsBetter: Bool, learner: Double?, served: Double? = nil,
    baseRate: Double? = nil, noChange: Double? = nil
  ) {
    self.name = name
    self.lowerIsBetter = lowerIsBetter
    self.learner = learner
    self.served = served
    self.baseRate = baseRate
    self.noChange = noChange
  }
}

/// Missing values of one column.
public struct MissingCount: Codable, Equatable, Sendable {
  /// The column's name.
  public var name: String
  /// How many are missing.
  public var count: Int

  /// A count.
  public init(name: String, count: Int) {
    self.name = name
    self.count = count
  }
}

/// What gives the same run again.
public struct Reproduction: Codable, Equatable, Sendable {
  /// Where a partition was read.
  public struct Extent: Codable, Equatable, Sendable {
    /// The partition.
    public var partition: Int
    /// The position of its first record.
    public var start: Int64
    /// The position after its last record.
    public var end: Int64

    /// An extent.
    public init(partition: Int, start: Int64, end: Int64) {
      self.partition = partition
      self.start = start
      self.end = end
    }
  }

  /// The command line as it was typed.
  public var command: [String]
  /// All settings in force, as JSON.
  public var settings: String
  /// The seed of everything random.
  public var seed: UInt64
  /// The version of the software.
  public var softwareVersion: String
  /// The address of the data.
  public var source: String
  /// What was read of it.
  public var extents: [Extent]
  /// The SHA-256 of the model that came out.
  public var modelDigest: String?

  /// What gives the same run again.
  public init(
    command: [String], settings: String, seed: UInt64, softwareVersion: String = version,
    source: String, extents: [Extent] = [], modelDigest: String? = nil
  ) {
    self.command = command
    self.settings = settings
    self.seed = seed
    self.softwareVersion = softwareVersion
    self.source = source
    self.extents = extents
    self.modelDigest = modelDigest
  }
}
