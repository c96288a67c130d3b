internal import Glibc

/// What holds between two drift rows. In integers, so that labels and truth are exact: features
/// and weights in units of 10⁻⁴, scores in units of 10⁻⁸.
struct SyntheticConcept {
  static let unit = 10_000.0

  var rows: Range<Int>
  var weights: [Int64]
  /// The weights that are moved to evenly, reached at `rows.upperBound`; empty when they stay.
  var endWeights: [Int64] = []
  var intercept: Int64 = 0
  /// The features' means; empty where features are not normal.
  var means: [Int64]

  /// The weight of a column at a row, rounded to units.
  @inline(__always)
  func weight(_ column: Int, at row: Int) -> Int64 {
    endWeights.isEmpty
      ? weights[column]
      : weights[column]
        + (endWeights[column] - weights[column]) * Int64(row - rows.lowerBound) / Int64(rows.count)
  }

  /// The concepts of a stream, one from its start and one from each drift row on.
  static func all(of stream: SyntheticStream, random: inout SplitMix64) -> [SyntheticConcept] {
    let starts = [0] + stream.driftRows
    let ends = stream.driftRows + [stream.rowCount]
    let count = stream.featureCount
    let isNormal = stream.kind == .logistic || stream.kind == .linear
    var means = [Int64](repeating: 0, count: isNormal ? count : 0)
    return zip(starts, ends).enumerated().map { index, rows in
      if index > 0 && isNormal {
        for column in random.sample((count + 1) / 2, below: count) {
          means[column] += Int64(unit) * (random.integer(below: 2) * 2 - 1)
        }
      }
      var concept = SyntheticConcept(rows: rows.0..<rows.1, weights: [], means: means)
      switch stream.kind {
      case .sea:
        concept.weights = [-Int64(unit), -Int64(unit)] + Array(repeating: 0, count: count - 2)
        concept.intercept = Int64([8, 9, 7, 9.5][index % 4] * unit * unit)
      case .hyperplane:
        concept.weights = (0..<count).map { _ in random.integer(below: UInt64(unit) + 1) }
        if stream.driftRows.isEmpty {
          concept.endWeights = (0..<count).map { _ in random.integer(below: UInt64(unit) + 1) }
        }
      case .logistic, .linear:
        // A logistic score deviates by 2 whatever the number of columns.
        let scale = stream.kind == .linear ? 1 : 2 / Double(count).squareRoot()
        concept.weights = (0..<count).map { _ in Int64(random.normals().0 * scale * unit) }
        concept.intercept = Int64(random.normals().0 * scale * unit) * Int64(unit)
      }
      return concept
    }
  }

  /// intercept + Σ weight · feature at a row. Centred: Σ weight · (feature − ½), the plane through
  /// the middle of the unit cube.
  @inline(__always)
  func score(_ features: UnsafePointer<Int64>, at row: Int, isCentred: Bool) -> Int64 {
    let centre = isCentred ? Int64(Self.unit) / 2 : 0
    var score = intercept
    for column in weights.indices {
      score += weight(column, at: row) * (features[column] - centre)
    }
    return score
  }
}

extension SplitMix64 {
  /// Two independent normal numbers of mean 0 and deviation 1 (Marsaglia and Bray's polar method,
  /// SIAM Review 1964).
  @inline(__always)
  mutating func normals() -> (Double, Double) {
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      if square < 1 && square > 0 {
        let scale = (-2 * log(square) / square).squareRoot()
        return (x * scale, y * scale)
      }
    }
  }

  /// `count` different numbers of `0..<bound`.
  fileprivate mutating func sample(_ count: Int, below bound: Int) -> ArraySlice<Int> {
    var numbers = Array(0..<bound)
    for index in 0..<count {
      numbers.swapAt(index, index + Int(integer(below: UInt64(bound - index))))
    }
    return numbers[..<count]
  }
}
