/// Metrics of a classifier of several classes, as sums that merge: log-loss,
/// accuracy and the confusion of the classes, which may come late, with two baselines beside them.
public struct MulticlassMetrics: Sendable, Equatable {
  /// The classifier beside its baselines.
  public internal(set) var scores = ClassifierComparison()
  /// The weight of records by true class, then by predicted class.
  public internal(set) var confusion: [[Double]] = []

  /// Metrics of nothing.
  public init() {}

  /// Takes in what other metrics saw.
  public mutating func merge(_ other: MulticlassMetrics) {
    scores.merge(other.scores)
    grow(to: other.confusion.count)
    for (truth, row) in other.confusion.enumerated() {
      for (predicted, weight) in row.enumerated() { confusion[truth][predicted] += weight }
    }
  }

  /// The share of the records of a class that were predicted to be of it; `nil` when none came.
  public func recall(_ index: Int) -> Double? {
    let support = confusion[index].reduce(0, +)
    return support > 0 ? confusion[index][index] / support : nil
  }

  /// The share of the records predicted to be of a class that are of it; `nil` without any.
  public func precision(_ index: Int) -> Double? {
    let predicted = confusion.reduce(0) { $0 + $1[index] }
    return predicted > 0 ? confusion[index][index] / predicted : nil
  }

  private mutating func grow(to count: Int) {
    guard confusion.count < count else { return }
    for row in confusion.indices {
      confusion[row].append(contentsOf: repeatElement(0, count: count - confusion.count))
    }
    while confusion.count < count { confusion.append(Array(repeating: 0, count: count)) }
  }
}

extension MulticlassMetrics: RecordMetrics {
  static var noBaselines: ClassBaselines { ClassBaselines(classWeights: [0, 0]) }

  static func isLabel(_ label: Double) -> Bool { (0..<Double(UInt16.max)).contains(label) }

  static func outcome(
    prediction: UnsafePointer<Double>, width: Int, label: Double, weight: Double,
    baselines: inout ClassBaselines
  ) -> ClassifierOutcome {
    let truth = Int(label)
    var predicted = 0
    for index in 1..<max(1, width) where prediction[index] > prediction[predicted] {
      predicted = index
    }
    let p = truth < width ? prediction[truth] : 0
    var outcome = ClassifierOutcome(probability: p, weight: weight)
    outcome.loss = p
    outcome.truth = Int32(truth)
    outcome.predicted = Int32(predicted)
    baselines.predict(truth, weight: weight, into: &outcome)
    return outcome
  }

  mutating func add(_ outcomes: UnsafeBufferPointer<ClassifierOutcome>) {
    scores.add(outcomes)
    for outcome in outcomes {
      let (truth, predicted) = (Int(outcome.truth), Int(outcome.predicted))
      grow(to: max(truth, predicted) + 1)
      confusion[truth][predicted] += outcome.weight
    }
  }

  var summary: MetricSummary { scores.summary }
}
