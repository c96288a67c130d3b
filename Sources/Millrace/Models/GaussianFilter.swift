internal import CMillraceKernels
internal import Glibc

/// Dynamic logistic and linear regression: the weights are a Gaussian that takes a small random
/// walk at every record, so that the model follows a stream that drifts.
///
/// Binary labels are learnt by assumed-density filtering with MacKay's approximation of the
/// logistic-normal integral (Penny & Roberts 1999; MacKay 1992); numbers by the Kalman filter with
/// the noise variance learnt (West & Harrison 1997). No step size, no solve: O(d²) a record. A row
/// of weight 0 is predicted and otherwise ignored.
///
/// Plain double precision: what the lanes of the bank of experts are compared with.
public struct GaussianFilter: Learner {
  /// Binary or regression.
  public let task: Task
  /// The mean of the weights over the standardised columns, the constant last.
  public internal(set) var mean: [Double]
  /// The covariance of the weights, d × d; for regression in units of the noise variance.
  public internal(set) var covariance: [Double]
  /// The variance that each weight gains per record.
  let driftVariance: Double
  /// What is known of the target's scale; regression only.
  var target = FilterTarget()

  /// A filter that has seen nothing.
  ///
  /// - Parameters:
  ///   - settings: `driftVariance` and `priorVariance` are the filter's.
  ///   - columns: the width of the rows, the constant included.
  /// - Throws: `configuration` for several classes, and for a drift variance that is not a
  ///   variance.
  public init(settings: LearnerSettings, task: Task, columns: Int) throws(MillraceError) {
    guard task != .multiclass else {
      throw .setting("learner", "filter", expected: "\"auto\" where there are several classes")
    }
    guard settings.driftVariance >= 0, settings.driftVariance <= Self.varianceLimit else {
      throw .setting(
        "driftVariance", "\(settings.driftVariance)", expected: "0 to \(Self.varianceLimit)")
    }
    self.task = task
    driftVariance = settings.driftVariance
    mean = Array(repeating: 0, count: columns)
    covariance = Array(repeating: 0, count: columns * columns)
    for column in 0..<columns {
      covariance[column * (columns + 1)] = settings.priorVariance ?? (task == .binary ? 3 : 1)
    }
    if task == .regression, let last = covariance.indices.last { covariance[last] *= 100 }
  }

  /// Drift beyond this would let a weight forget everything between two records.
  static let varianceLimit = 1000.0

  /// 1 for binary, 3 for regression: mean, lower and upper end of the 90 % interval.
  public func outputWidth(classCount: Int) -> Int { task == .binary ? 1 : 3 }

  /// Predicts every row from the Gaussian as it stands; the horizon makes no difference.
  public func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.columns) { spread in
      guard let u = spread.baseAddress else { return }
      for index in 0..<rows.count {
        let forecast = forecast(rows[index], spread: u)
        write(forecast, to: predictions[index])
      }
    }
  }

  /// For each row: predicts it, moves the Gaussian towards its label, lets it drift.
  public mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.columns) { spread in
      guard let u = spread.baseAddress else { return }
      for index in 0..<rows.count {
        let forecast = forecast(rows[index], spread: u)
        write(forecast, to: predictions[index])
        let weight = Double(weights[index])
        // Where rounding left no variance along a row, there is nothing to learn from it.
        guard weight > 0, forecast.variance > 0 else { continue }
        let (gain, curvature) =
          task == .binary
          ? Self.logisticStep(forecast, label: labels[index], weight: weight)
          : target.kalmanStep(forecast, value: labels[index], weight: weight)
        for column in 0..<rows.columns { mean[column] += gain * u[column] }
        millrace_filter_update(
          &covariance, u, rows.columns, curvature, 1 - driftVariance / Self.varianceLimit,
          driftVariance)
      }
    }
  }

  /// Whether mean, covariance and target scale are finite.
  public var isFinite: Bool {
    mean.allSatisfy(\.isFinite) && covariance.allSatisfy(\.isFinite) && target.isFinite
  }

  /// The mean of the weights.
  public func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] { [mean] }

  /// The margin wᵀz of a row and its variance zᵀCz.
  struct Forecast {
    var margin: Double
    var variance: Double
  }

  /// m = wᵀz, s = zᵀu, and u = Cz on the way.
  private func forecast(
    _ row: UnsafePointer<Float>, spread: UnsafeMutablePointer<Double>
  ) -> Forecast {
    let variance = millrace_filter_spread(covariance, row, mean.count, spread)
    var margin = 0.0
    for column in mean.indices { margin += mean[column] * Double(row[column]) }
    return Forecast(margin: margin, variance: variance)
  }

  private func write(_ forecast: Forecast, to prediction: UnsafeMutablePointer<Double>) {
    if task == .binary {
      prediction[0] = Self.probability(forecast)
    } else {
      target.write(forecast, to: prediction)
    }
  }
}

// MARK: Logistic

extension GaussianFilter {
  /// κ = 1/√(1 + πs/8): how far the margin shrinks for what is not known of the weights.
  private static func shrinkage(_ forecast: Forecast) -> Double {
    1 / (1 + .pi / 8 * forecast.variance).squareRoot()
  }

  /// p = σ(κm), the margin cut at ±30.
  static func probability(_ forecast: Forecast) -> Double {
    1 / (1 + exp(-min(max(shrinkage(forecast) * forecast.margin, -30), 30)))
  }

  /// The factors of u and uuᵀ in the step: g = κ(y − p), h = κ²p(1 − p), the first two derivatives
  /// of the logarithm of the probability given to the label.
  ///
  /// A weight ω counts the label's Gaussian site ω times: both factors by ω/(1 + (ω − 1)hs).
  static func logisticStep(
    _ forecast: Forecast, label: Double, weight: Double
  ) -> (gain: Double, curvature: Double) {
    let kappa = shrinkage(forecast)
    let p = probability(forecast)
    let curvature = kappa * kappa * p * (1 - p)
    let factor = weight / (1 + (weight - 1) * curvature * forecast.variance)
    return (factor * kappa * (label - p), factor * curvature)
  }
}

extension GaussianFilter: DenseLearner {
  package var columns: Int { mean.count }
}
