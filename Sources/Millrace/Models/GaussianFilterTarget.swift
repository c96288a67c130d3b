internal import Glibc

/// What the linear filter knows of its target: where it lies, how it spreads, how noisy it is and
/// how wide an interval must be to cover.
///
/// Everything follows the target's own unit, so that a target multiplied by a million is learnt
/// just as well.
struct FilterTarget: Sendable, Equatable {
  /// The first value seen; the filter predicts the distance from it.
  var origin = 0.0
  /// Targets seen, the mean of their distances from `origin`, the sum of squares about that mean.
  var count = 0.0
  var mean = 0.0
  var squaredDistances = 0.0
  /// The noise variance is squares/samples, both forgetting 1 % a record.
  var noiseSquares = 0.0
  var noiseSamples = 1.0
  /// Deviations from the prediction to the ends of the 90 % interval.
  var lowerFactor = 1.645
  var upperFactor = 1.645

  /// Beyond this a target's square may not be a number; such a record is not learnt.
  static let valueLimit = 1e100

  /// The noise variance.
  var noise: Double { noiseSquares / noiseSamples }

  var isFinite: Bool {
    [origin, count, mean, squaredDistances, noiseSquares, noiseSamples, lowerFactor, upperFactor]
      .allSatisfy(\.isFinite)
  }

  /// Writes the mean and the ends of the interval.
  func write(_ forecast: GaussianFilter.Forecast, to prediction: UnsafeMutablePointer<Double>) {
    let center = origin + forecast.margin
    let deviation = (noise * (1 + forecast.variance)).squareRoot()
    prediction[0] = center
    prediction[1] = center - lowerFactor * deviation
    prediction[2] = center + upperFactor * deviation
  }

  /// The Kalman step for one target: the factors of u and uuᵀ, e·g and g = 1/(1/ω + s).
  mutating func kalmanStep(
    _ forecast: GaussianFilter.Forecast, value: Double, weight: Double
  ) -> (gain: Double, curvature: Double) {
    guard abs(value) < Self.valueLimit else { return (0, 0) }
    if count == 0 { origin = value }
    let error = value - origin - forecast.margin
    calibrate(error, deviation: (noise * (1 + forecast.variance)).squareRoot())
    let variance = include(value - origin)
    if noiseSquares == 0 { noiseSquares = variance }
    noiseSamples = 0.99 * noiseSamples + weight
    noiseSquares = max(
      0.99 * noiseSquares + weight * error * error / (1 + forecast.variance),
      1e-10 * noiseSamples * variance)
    let curvature = 1 / (1 / weight + forecast.variance)
    return (curvature * error, curvature)
  }

  /// Welford's update; returns the variance.
  private mutating func include(_ distance: Double) -> Double {
    count += 1
    let delta = distance - mean
    mean += delta / count
    squaredDistances += delta * (distance - mean)
    return squaredDistances / count
  }

  /// Moves each end of the interval so that one target in twenty lies beyond it
  /// (Gibbs & Candès 2021).
  private mutating func calibrate(_ error: Double, deviation: Double) {
    guard deviation > 0 else { return }
    let rate = max(0.02, 2 / (count + 1))
    lowerFactor = Self.moved(lowerFactor, rate: rate, missed: -error > lowerFactor * deviation)
    upperFactor = Self.moved(upperFactor, rate: rate, missed: error > upperFactor * deviation)
  }

  /// k·exp(γ(missed − .05)).
  private static func moved(_ factor: Double, rate: Double, missed: Bool) -> Double {
    min(max(factor * exp(rate * ((missed ? 1 : 0) - 0.05)), 1e-3), 1e6)
  }
}
