internal import CMillraceKernels

/// Standardises columns by the mean and deviation of all that came before (Welford 1962), and puts
/// missing values at the mean.
///
/// Part of the model: what was learnt is served with the same scaling. A column that has not
/// varied is 0; so is a value that is not finite. Deviations are population deviations, as in
/// scikit-learn's and River's `StandardScaler`.
public struct StandardScaler: Sendable, Equatable {
  /// The number of columns.
  public let columnCount: Int
  /// Standardised values beyond ±`limit` are cut there, so that one outlier cannot throw a learner.
  public let limit: Float
  /// Finite values seen, per column.
  public internal(set) var counts: [Double]
  /// The mean, per column.
  public internal(set) var means: [Double]
  /// The sum of squared distances from the mean, per column.
  public internal(set) var squaredDistances: [Double]
  /// Values that were missing (or not finite), per column.
  public internal(set) var missingCounts: [Double]

  /// A scaler that has seen nothing.
  public init(columnCount: Int, limit: Float) {
    self.columnCount = columnCount
    self.limit = limit
    counts = Array(repeating: 0, count: columnCount)
    means = counts
    squaredDistances = counts
    missingCounts = counts
  }

  /// The population standard deviation of a column; 0 when it has not varied.
  public func standardDeviation(_ column: Int) -> Double {
    let varies =
      squaredDistances[column] > 1e-14 * counts[column] * means[column] * means[column]
      && squaredDistances[column] > 0
    return varies ? (squaredDistances[column] / counts[column]).squareRoot() : 0
  }

  /// For each row in order: standardises it by what was seen before, then takes it in.
  ///
  /// - Parameters:
  ///   - rows: `count × columnCount` raw values, row-major.
  ///   - output: `count` rows of `stride` ≥ `columnCount + 1` numbers; a constant 1 goes last.
  public mutating func transformAndUpdate(
    _ rows: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    millrace_scale_and_update(
      rows, count, columnCount, limit, &counts, &means, &squaredDistances, &missingCounts, output,
      stride)
  }

  /// Takes in what another scaler saw (Chan, Golub, LeVeque 1983).
  public mutating func merge(_ other: StandardScaler) {
    for column in 0..<columnCount {
      missingCounts[column] += other.missingCounts[column]
      let total = counts[column] + other.counts[column]
      guard total > 0 else { continue }
      let delta = other.means[column] - means[column]
      squaredDistances[column] +=
        other.squaredDistances[column] + delta * delta * counts[column] * other.counts[column]
        / total
      means[column] += delta * other.counts[column] / total
      counts[column] = total
    }
  }
}
