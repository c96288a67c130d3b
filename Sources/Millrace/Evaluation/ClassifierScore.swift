#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Log-loss and accuracy of one classifier, as sums that merge.
///
/// The probability given to the true class is clipped to [ε, 1 − ε] with ε = 2⁻⁵², as
/// scikit-learn's `log_loss` does; one that is not a number counts as ε.
public struct ClassifierScore: Sendable, Equatable {
  /// The total weight of the records.
  public internal(set) var weight = 0.0
  /// The weight of the records whose class was predicted.
  public internal(set) var correctWeight = 0.0
  /// −Σ w ln p over the records that `product` does not hold.
  var lossSum = 0.0
  /// Π p over the latest records of weight 1: one logarithm for many records.
  var product = 1.0

  /// The smallest probability that a true class is given.
  static let clip = Double.ulpOfOne

  /// A score of no record.
  public init() {}

  /// Takes in the probability that was given to the true class.
  @inline(__always)
  mutating func add(probabilityOfTruth: Double, isCorrect: Bool, weight: Double) {
    let clipped = max(Self.clip, min(1 - Self.clip, probabilityOfTruth))
    let p = probabilityOfTruth.isNaN ? Self.clip : clipped
    self.weight += weight
    correctWeight += isCorrect ? weight : 0
    if weight == 1 {
      product *= p
      if product < 0x1p-900 {
        lossSum -= log(product)
        product = 1
      }
    } else {
      lossSum -= weight * log(p)
    }
  }

  /// Takes in what another score saw.
  public mutating func merge(_ other: ClassifierScore) {
    weight += other.weight
    correctWeight += other.correctWeight
    lossSum += other.lossSum - log(other.product)
  }

  /// The mean of −ln p(true class); `nil` before the first record.
  public var logLoss: Double? { weight > 0 ? (lossSum - log(product)) / weight : nil }

  /// The share of records whose class was predicted; `nil` before the first record.
  public var accuracy: Double? { weight > 0 ? correctWeight / weight : nil }
}
