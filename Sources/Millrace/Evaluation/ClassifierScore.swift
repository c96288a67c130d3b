internal import CMillraceKernels

/// Log-loss and accuracy of one classifier, as sums that merge.
///
/// The probability given to the true class is clipped to [ε, 1 − ε] with ε = 2⁻⁵², as scikit-learn's
/// `log_loss` does; one that is not a number counts as ε.
public struct ClassifierScore: Sendable, Equatable {
  /// The total weight of the records.
  public internal(set) var weight = 0.0
  /// Σ w · (−ln p of the true class).
  public internal(set) var lossSum = 0.0
  /// Σ w · (ln p of the true class)².
  public internal(set) var lossSquareSum = 0.0
  /// The weight of the records whose class was predicted.
  public internal(set) var correctWeight = 0.0

  /// A score of no record.
  public init() {}

  fileprivate init(
    weight: Double, lossSum: Double, lossSquareSum: Double, correctWeight: Double
  ) {
    (self.weight, self.lossSum) = (weight, lossSum)
    (self.lossSquareSum, self.correctWeight) = (lossSquareSum, correctWeight)
  }

  /// Takes in what another score saw.
  public mutating func merge(_ other: ClassifierScore) {
    weight += other.weight
    lossSum += other.lossSum
    lossSquareSum += other.lossSquareSum
    correctWeight += other.correctWeight
  }

  /// The mean of −ln p of the true class; `nil` before the first record.
  public var logLoss: Double? { weight > 0 ? lossSum / weight : nil }

  /// The share of records whose class was predicted; `nil` before the first record.
  public var accuracy: Double? { weight > 0 ? correctWeight / weight : nil }
}

/// A classifier's score and those of two predictors that look at labels only.
public struct ClassifierComparison: Sendable, Equatable {
  /// The number of records.
  public internal(set) var rows = 0
  /// The classifier.
  public internal(set) var model = ClassifierScore()
  /// The running frequencies of the classes, predicted before each record.
  public internal(set) var baseRate = ClassifierScore()
  /// The class of the record before, with the running share of repeats as its probability.
  public internal(set) var noChange = ClassifierScore()

  /// A comparison over no record.
  public init() {}

  mutating func add(_ outcomes: UnsafeBufferPointer<ClassifierOutcome>) {
    rows += outcomes.count
    // The three classifiers are lanes of a vector.
    // Not by key paths, which are looked up while the program runs.
    let (a, b, c) = (model, baseRate, noChange)
    var weights = SIMD4(a.weight, b.weight, c.weight, 0)
    var losses = SIMD4(a.lossSum, b.lossSum, c.lossSum, 0)
    var squares = SIMD4(a.lossSquareSum, b.lossSquareSum, c.lossSquareSum, 0)
    var correct = SIMD4(a.correctWeight, b.correctWeight, c.correctWeight, 0)
    for outcome in outcomes {
      let weight = SIMD4(repeating: outcome.weight)
      let loss = SIMD4(outcome.loss, outcome.baseRateLoss, outcome.noChangeLoss, 0)
      let weighted = weight * loss
      let said = SIMD4<Int64>(
        Int64(outcome.predicted), Int64(outcome.mostFrequent), Int64(outcome.last), -1)
      weights += weight
      losses += weighted
      squares += weighted * loss
      correct += weight.replacing(with: 0, where: said .!= Int64(outcome.truth))
    }
    func score(_ lane: Int) -> ClassifierScore {
      ClassifierScore(
        weight: weights[lane], lossSum: losses[lane], lossSquareSum: squares[lane],
        correctWeight: correct[lane])
    }
    (model, baseRate, noChange) = (score(0), score(1), score(2))
  }

  mutating func merge(_ other: ClassifierComparison) {
    rows += other.rows
    model.merge(other.model)
    baseRate.merge(other.baseRate)
    noChange.merge(other.noChange)
  }

  var summary: MetricSummary {
    MetricSummary(
      rows: rows, logLoss: model.logLoss, accuracy: model.accuracy,
      intervals: MetricIntervals(
        logLoss: MetricIntervals.ofMean(
          model.logLoss, meanSquare: model.lossSquareSum / model.weight, rows: rows),
        accuracy: MetricIntervals.ofShare(model.accuracy, rows: rows)),
      baseRate: .init(logLoss: baseRate.logLoss, accuracy: baseRate.accuracy),
      noChange: .init(logLoss: noChange.logLoss, accuracy: noChange.accuracy))
  }
}

/// What is worth knowing of one classified record. Without padding: it is saved as its bytes.
struct ClassifierOutcome: BitwiseCopyable, Sendable {
  /// The probability of the second class; for several classes, of the true one.
  var probability = 0.0
  var weight = 0.0
  /// The log-losses of the classifier and its baselines; until `complete`, what they gave to the
  /// true class.
  var loss = 0.0
  var baseRateLoss = 0.0
  var noChangeLoss = 0.0
  var truth: Int32 = 0
  var predicted: Int32 = 0
  /// What the base rate predicts.
  var mostFrequent: Int32 = 0
  /// What no change predicts; −1 before the first label.
  var last: Int32 = -1

  /// Turns probabilities into losses, a block of outcomes at once.
  static func complete(_ outcomes: UnsafeMutableBufferPointer<ClassifierOutcome>) {
    let count = outcomes.count
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 6 * count + 1) { buffer in
      guard let probabilities = buffer.baseAddress else { return }
      let losses = probabilities + 3 * count
      for (row, outcome) in outcomes.enumerated() {
        probabilities[row] = outcome.loss
        probabilities[count + row] = outcome.baseRateLoss
        probabilities[2 * count + row] = outcome.noChangeLoss
      }
      millrace_log_loss(probabilities, 3 * count, losses)
      for row in 0..<count {
        outcomes[row].loss = losses[row]
        outcomes[row].baseRateLoss = losses[count + row]
        outcomes[row].noChangeLoss = losses[2 * count + row]
      }
    }
  }
}

/// The labels seen before a record, from which the two baselines predict it.
struct ClassBaselines: Sendable {
  var weight = 0.0
  var classWeights: [Double]
  /// The first class of the greatest weight.
  var mostFrequent = 0
  var transitions = 0.0
  var repeats = 0.0
  var last = -1

  /// Predicts the record of class `truth`, then learns it.
  ///
  /// ½ is added to every count (Krichevsky and Trofimov 1981): never certain, uniform at first.
  @inline(__always)
  mutating func predict(_ truth: Int, weight: Double, into outcome: inout ClassifierOutcome) {
    while classWeights.count <= truth { classWeights.append(0) }
    let classCount = Double(classWeights.count)
    let stay = (repeats + 0.5) / (transitions + 1)
    // A number, not a condition: nothing can foresee a branch on it.
    let change = Double(min(1, UInt(bitPattern: truth ^ last)))
    outcome.baseRateLoss = (classWeights[truth] + 0.5) / (self.weight + classCount / 2)
    outcome.mostFrequent = Int32(mostFrequent)
    outcome.noChangeLoss = abs(change - stay) / (1 + change * (classCount - 2))
    outcome.last = Int32(last)

    self.weight += weight
    classWeights[truth] += weight
    let lead = classWeights[truth] - classWeights[mostFrequent]
    if lead > 0 || lead == 0 && truth < mostFrequent { mostFrequent = truth }
    repeats += 1 - change
    transitions += last >= 0 ? 1 : 0
    last = truth
  }
}
