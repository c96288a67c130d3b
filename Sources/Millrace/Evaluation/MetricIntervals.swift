internal import Glibc

/// 95 % confidence intervals of metrics, each `[lower, upper]`, as if records were independent;
/// weights are importance and do not count as more records.
public struct MetricIntervals: Codable, Equatable, Sendable {
  /// Of the mean log-loss, by its standard error.
  public internal(set) var logLoss: [Double]? = nil
  /// Of the accuracy (Wilson 1927).
  public internal(set) var accuracy: [Double]? = nil
  /// Of the area under the ROC curve (DeLong, DeLong & Clarke-Pearson 1988).
  public internal(set) var auc: [Double]? = nil
  /// Of the root mean squared error: the root of the mean squared error's interval.
  public internal(set) var rmse: [Double]? = nil
  /// Of the mean absolute error, by its standard error.
  public internal(set) var mae: [Double]? = nil

  /// The 97.5 % quantile of the normal distribution.
  private static let z = 1.959963984540054

  /// The interval of a mean of `rows` values, none of them negative, with this mean and mean
  /// square.
  static func ofMean(_ mean: Double?, meanSquare: Double, rows: Int) -> [Double]? {
    guard let mean, rows > 1, meanSquare.isFinite else { return nil }
    let variance = max(0, meanSquare - mean * mean) / Double(rows - 1)
    let half = z * variance.squareRoot()
    return [max(0, mean - half), mean + half]
  }

  /// The interval of a share of `rows`.
  static func ofShare(_ share: Double?, rows: Int) -> [Double]? {
    guard let share, rows > 0 else { return nil }
    let n = Double(rows)
    let centre = share + z * z / (2 * n)
    let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return [max(0, (centre - half) / scale), min(1, (centre + half) / scale)]
  }

  /// The interval around a value with this variance, within 0 and 1.
  static func around(_ value: Double, variance: Double) -> [Double] {
    let half = z * max(0, variance).squareRoot()
    return [max(0, value - half), min(1, value + half)]
  }
}
