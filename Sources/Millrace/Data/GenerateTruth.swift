internal import FoundationEssentials
internal import Glibc

/// What is true of a synthetic stream: written beside it as `NAME.truth.json`.
public struct SyntheticStreamTruth: Codable, Equatable, Sendable {
  /// What holds from one row up to another.
  public struct Segment: Codable, Equatable, Sendable {
    /// The segment's first row, from 0.
    public var fromRow: Int
    /// The row after its last.
    public var toRow: Int
    /// `intercept` and each column's coefficient, in the columns' own units, of the score: what the
    /// label is at least 0 of (`sea`, `hyperplane`), what the logistic function is taken of
    /// (`logistic`), the mean of the label (`linear`).
    public var coefficients: [String: Double]
    /// Where the coefficients move to evenly, reached at `toRow`; missing where they stay.
    public var endCoefficients: [String: Double]?
    /// Each column's mean, where columns are normal.
    public var means: [String: Double]?
  }

  /// How well the true model does on these very rows: nobody can do better, but by chance.
  public struct Performance: Codable, Equatable, Sendable {
    /// The mean log-loss of the true probabilities.
    public var logLoss: Double?
    /// The share of labels that are the likelier one.
    public var accuracy: Double?
    /// The root of the mean squared noise.
    public var rmse: Double?
  }

  /// How labels come from features.
  public var stream: SyntheticStream.Kind
  /// What is learnt.
  public var task: Task
  /// The label's column.
  public var label: String
  /// The number of records.
  public var rows: Int
  /// The number of feature columns.
  public var features: Int
  /// See `SyntheticStream`.
  public var noise: Double
  /// See `SyntheticStream`.
  public var seed: UInt64
  /// The rows (from 0) at which another concept begins.
  public var driftRows: [Int]
  /// The share of labels that the best rule gets wrong, where that is known in advance.
  public var bayesError: Double?
  /// The log-loss of the true probabilities, where that is known in advance.
  public var bayesLogLoss: Double?
  /// The true model on these rows.
  public var trueModel: Performance
  /// One for each concept.
  public var segments: [Segment]

  init(_ stream: SyntheticStream, _ rows: SyntheticRows) {
    self.stream = stream.kind
    task = stream.kind.task
    label = SyntheticStream.label
    self.rows = stream.rowCount
    features = stream.featureCount
    noise = stream.noise
    seed = stream.seed
    driftRows = stream.driftRows
    if stream.kind == .sea || stream.kind == .hyperplane {
      bayesError = noise
      bayesLogLoss =
        noise == 0 ? 0 : (-noise * log(noise) - (1 - noise) * log(1 - noise)).rounded9
    }
    trueModel =
      stream.kind == .linear
      ? Performance(rmse: rows.truth.rootMeanSquare.rounded9)
      : Performance(logLoss: rows.truth.meanLogLoss.rounded9, accuracy: rows.truth.accuracy)
    segments = rows.concepts.map { concept in
      Segment(concept, names: stream.featureNames, isCentred: stream.kind == .hyperplane)
    }
  }

  func json() throws(MillraceError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
      return try Array(encoder.encode(self)) + [10]
    } catch {
      throw MillraceError(.system, "cannot write the truth as JSON: \(error)")
    }
  }
}

extension SyntheticStreamTruth.Segment {
  fileprivate init(_ concept: SyntheticConcept, names: [String], isCentred: Bool) {
    func named(_ weights: [Int64]) -> [String: Double] {
      let intercept =
        isCentred ? -Double(weights.reduce(0, +)) / 2 * 1e4 : Double(concept.intercept)
      return Dictionary(uniqueKeysWithValues: zip(names, weights.map { Double($0) / 1e4 }))
        .merging(["intercept": intercept / 1e8]) { $1 }
    }
    fromRow = concept.rows.lowerBound
    toRow = concept.rows.upperBound
    coefficients = named(concept.weights)
    endCoefficients = concept.endWeights.isEmpty ? nil : named(concept.endWeights)
    means =
      concept.means.isEmpty
      ? nil
      : Dictionary(
        uniqueKeysWithValues: zip(names, concept.means.map { Double($0) / 1e4 }))
  }
}

extension Double {
  /// To nine decimals: the C library's logarithms may differ in their last digit.
  fileprivate var rounded9: Double { (self * 1e9).rounded() / 1e9 }
}
