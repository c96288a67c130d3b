internal import Glibc

/// A stream of records that is made, so that its truth is known: `millrace generate`.
///
/// A function of its settings alone, byte for byte. Columns are `x1`, `x2`, …, then `label`. Every
/// value is a multiple of 10⁻⁴ and so is every coefficient; labels follow from the values as they
/// are written, so that the truth beside the data is exact.
public struct SyntheticStream: Sendable {
  /// How labels come from features. A record's score is intercept + Σ coefficient · feature.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// SEA concepts (Street and Kim, "A streaming ensemble algorithm (SEA) for large-scale
    /// classification", KDD 2001): features uniform in [0, 10], the label is 1 where
    /// x1 + x2 ≤ θ. θ is 8, 9, 7, 9.5 in turn, the next one from each drift row on; other columns
    /// mean nothing.
    case sea
    /// A hyperplane (Hulten, Spencer and Domingos, "Mining time-changing data streams", KDD 2001):
    /// features uniform in [0, 1], the label is 1 where Σ wᵢxᵢ ≥ ½ Σ wᵢ, wᵢ in [0, 1]. Without
    /// drift rows it turns: the weights move evenly from those of the first row to others at the
    /// end. With drift rows it stands still, and jumps to other weights there.
    case hyperplane
    /// The label is 1 with the probability that the logistic function gives for the score.
    /// Features are normal with deviation 1; at drift rows the coefficients are drawn anew and
    /// half of the features (rounded up) move their mean by 1, up or down.
    case logistic
    /// The label is the score plus normal noise; features as for `logistic`.
    case linear

    /// What is learnt.
    public var task: Task { self == .linear ? .regression : .binary }

    var defaultFeatureCount: Int { self == .sea ? 3 : 10 }

    var defaultNoise: Double {
      switch self {
      case .sea: 0.1
      case .hyperplane: 0.05
      case .logistic: 0
      case .linear: 1
      }
    }
  }

  /// The label's column.
  public static let label = "label"

  /// How labels come from features.
  public let kind: Kind
  /// The number of records.
  public let rowCount: Int
  /// The number of feature columns.
  public let featureCount: Int
  /// The rows (from 0) at which another concept begins, ascending.
  public let driftRows: [Int]
  /// The share of labels that are flipped; the noise's standard deviation for `linear`.
  public let noise: Double
  /// What the random numbers start from.
  public let seed: UInt64

  /// The columns of the features.
  public var featureNames: [String] { (1...featureCount).map { "x\($0)" } }

  /// A stream.
  ///
  /// - Parameters:
  ///   - kind: how labels come from features.
  ///   - rows: the number of records.
  ///   - features: the number of feature columns; 3 for `sea`, otherwise 10, when `nil`.
  ///   - driftRows: the rows (from 0) at which another concept begins.
  ///   - noise: the share of labels flipped, or the deviation of a linear label's noise; when `nil`
  ///     as in the papers: .1 for `sea`, .05 for `hyperplane`, and 0 for `logistic`, 1 for `linear`.
  ///   - seed: what the random numbers start from.
  /// - Throws: `configuration` when a setting is outside what is allowed.
  public init(
    _ kind: Kind, rows: Int, features: Int? = nil, driftRows: [Int] = [], noise: Double? = nil,
    seed: UInt64 = 0
  ) throws(MillraceError) {
    let fewest = kind == .sea ? 2 : 1
    guard rows > 0 else { throw .setting("rows", "\(rows)", expected: "a positive number") }
    if let features, !(fewest...100_000).contains(features) {
      throw .setting("features", "\(features)", expected: "a number from \(fewest) to 100000")
    }
    for (index, row) in driftRows.enumerated()
    where !(1..<rows).contains(row) || index > 0 && row <= driftRows[index - 1] {
      throw .setting(
        "driftAt", driftRows.map(String.init).joined(separator: ","),
        expected: "ascending rows from 1 to \(rows - 1)")
    }
    if let noise {
      let (isAllowed, expected) =
        kind == .linear
        ? (noise >= 0 && noise <= 1e6, "a deviation from 0 to 1e6")
        : (noise >= 0 && noise <= 0.5, "a share from 0 to 0.5")
      guard isAllowed else { throw .setting("noise", "\(noise)", expected: expected) }
    }
    self.kind = kind
    rowCount = rows
    featureCount = features ?? kind.defaultFeatureCount
    self.driftRows = driftRows
    self.noise = noise ?? kind.defaultNoise
    self.seed = seed
  }

  /// Writes the records to a file, and the truth beside it: `sea.truth.json` for `sea.csv`.
  ///
  /// Both are written aside and renamed when they are whole.
  ///
  /// - Parameter path: a `.csv`, `.tsv` or `.jsonl` file; what it held is replaced.
  /// - Returns: the truth.
  /// - Throws: `configuration` for another format; `system` when a file cannot be written.
  @discardableResult
  public func write(to path: String) throws(MillraceError) -> SyntheticStreamTruth {
    guard let format = DataFormat(path: path), format != .libsvm,
      !path.lowercased().hasSuffix(".gz"), let dot = path.lastIndex(of: ".")
    else { throw .setting("output", path, expected: "a .csv, .tsv or .jsonl file") }
    let aside = path + DurableFile.partialSuffix
    var rows = SyntheticRows(self, format: format)
    do throws(MillraceError) {
      let file = try FileDescriptor(aside, flags: O_WRONLY | O_CREAT | O_TRUNC)
      while let chunk = rows.nextChunk() { try file.write(chunk) }
      guard rename(aside, path) == 0 else { throw MillraceError.system("cannot replace", path) }
    } catch {
      unlink(aside)
      throw error
    }
    let truth = SyntheticStreamTruth(self, rows)
    try DurableFile.write(truth.json(), to: path[..<dot] + ".truth.json")
    return truth
  }
}
