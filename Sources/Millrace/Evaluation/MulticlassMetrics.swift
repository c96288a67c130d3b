/// Metrics of a classifier of several classes, as sums that merge: log-loss and accuracy, and per
/// class support, precision and recall, with two baselines beside them. Classes may come late.
public struct MulticlassMetrics: Sendable, Equatable {
  /// What one class received, by weight.
  public struct ClassCounts: Codable, Equatable, Sendable {
    /// Records of the class.
    public var support = 0.0
    /// Records predicted to be of the class.
    public var predicted = 0.0
    /// Records of the class predicted to be of it.
    public var correct = 0.0

    /// Correct over predicted; `nil` when never predicted.
    public var precision: Double? { predicted > 0 ? correct / predicted : nil }
    /// Correct over support; `nil` when the class never came.
    public var recall: Double? { support > 0 ? correct / support : nil }
  }

  /// The number of records.
  public internal(set) var rows = 0
  /// The classifier.
  public internal(set) var model = ClassifierScore()
  /// The running frequencies of the classes, predicted before each record.
  public internal(set) var baseRate = ClassifierScore()
  /// The class of the record before, with the running share of repeats as its probability.
  public internal(set) var noChange = ClassifierScore()
  /// Per class, by its index.
  public internal(set) var classes: [ClassCounts] = []

  /// Metrics of nothing.
  public init() {}

  /// Takes in what other metrics saw.
  public mutating func merge(_ other: MulticlassMetrics) {
    rows += other.rows
    model.merge(other.model)
    baseRate.merge(other.baseRate)
    noChange.merge(other.noChange)
    grow(to: other.classes.count)
    for (index, counts) in other.classes.enumerated() {
      classes[index].support += counts.support
      classes[index].predicted += counts.predicted
      classes[index].correct += counts.correct
    }
  }

  private mutating func grow(to count: Int) {
    while classes.count < count { classes.append(ClassCounts()) }
  }
}

extension MulticlassMetrics: TaskMetrics {
  struct Baselines: LabelBaselines {
    var weight = 0.0
    var classWeights: [Double] = []
    var transitions = 0.0
    var repeats = 0.0
    var last = -1
  }

  /// The probability of the true class, the predicted class, the label and the weight; then each
  /// baseline's probability of the true class and whether it was right.
  static let outcomeWidth = 8

  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout Baselines, into outcome: UnsafeMutablePointer<Double>
  ) {
    let truth = Int(label)
    var predicted = 0
    for index in 1..<max(1, width) where prediction[index] > prediction[predicted] {
      predicted = index
    }
    while baselines.classWeights.count < max(width, truth + 1) { baselines.classWeights.append(0) }
    let classCount = Double(baselines.classWeights.count)
    let seen = baselines.classWeights
    let mostFrequent = seen.indices.reduce(0) { seen[$1] > seen[$0] ? $1 : $0 }
    // ½ added to every count, as for two classes.
    let stay = (baselines.repeats + 0.5) / (baselines.transitions + 1)
    let repeated = truth == baselines.last
    outcome[0] = truth < width ? prediction[truth] : 0
    outcome[1] = Double(predicted)
    outcome[2] = label
    outcome[3] = weight
    outcome[4] = (seen[truth] + 0.5) / (baselines.weight + classCount / 2)
    outcome[5] = mostFrequent == truth ? 1 : 0
    outcome[6] = repeated ? stay : (1 - stay) / max(1, classCount - 1)
    outcome[7] = repeated ? 1 : 0
    baselines.weight += weight
    baselines.classWeights[truth] += weight
    baselines.repeats += repeated ? 1 : 0
    baselines.transitions += baselines.last >= 0 ? 1 : 0
    baselines.last = truth
  }

  mutating func add(_ outcome: UnsafePointer<Double>) {
    let (predicted, truth, weight) = (Int(outcome[1]), Int(outcome[2]), outcome[3])
    rows += 1
    model.add(probabilityOfTruth: outcome[0], isCorrect: predicted == truth, weight: weight)
    baseRate.add(probabilityOfTruth: outcome[4], isCorrect: outcome[5] == 1, weight: weight)
    noChange.add(probabilityOfTruth: outcome[6], isCorrect: outcome[7] == 1, weight: weight)
    grow(to: max(predicted, truth) + 1)
    classes[truth].support += weight
    classes[predicted].predicted += weight
    if predicted == truth { classes[truth].correct += weight }
  }

  var summary: MetricSummary {
    MetricSummary(
      rows: rows, logLoss: model.logLoss, accuracy: model.accuracy,
      baseRate: .init(logLoss: baseRate.logLoss, accuracy: baseRate.accuracy),
      noChange: .init(logLoss: noChange.logLoss, accuracy: noChange.accuracy))
  }
}
