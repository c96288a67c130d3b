import Glibc

/// The bank of experts for numbers from its formulas, one expert after another in double precision:
/// what the lanes are compared with. Weights of 1.
struct ReferenceRegressionBank {
  /// A Kalman filter; the covariance in units of the noise variance.
  private struct Filter {
    let drift: Double
    let constantDrift: Double
    let isRobust: Bool
    var mean: [Double]
    var covariance: [[Double]]
    var squares = 0.0
    var weight = 1.0

    init(
      _ drift: Double, constantDrift: Double? = nil, robust: Bool = false, variance: Double = 1,
      constantVariance: Double, inputs: Int, products: Range<Int> = 0..<0,
      productVariance: Double = 1
    ) {
      (self.drift, self.constantDrift, isRobust) = (drift, constantDrift ?? drift, robust)
      mean = Array(repeating: 0, count: inputs)
      covariance = (0..<inputs).map { row in
        (0..<inputs).map { column in
          row != column
            ? 0
            : row == inputs - 1
              ? constantVariance : products.contains(row) ? productVariance : variance
        }
      }
    }

    func forecast(_ z: [Double]) -> (u: [Double], s: Double, m: Double, variance: Double) {
      let u = covariance.map { dot($0, z) }
      let s = max(dot(u, z), 0)
      return (u, s, dot(mean, z), squares / weight * (1 + s))
    }

    mutating func learn(_ z: [Double], _ y: Double, least: Double) {
      let (u, s, m, variance) = forecast(z)
      let error = y - m
      let trust = isRobust ? 4.0 / 3 / (1 + error * error / (3 * variance)) : 1
      let gain = 1 / (1 / trust + s)
      let last = z.count - 1
      for i in 0...last {
        mean[i] += gain * error * u[i]
        for j in 0...last {
          covariance[i][j] = (1 - drift / 1000) * (covariance[i][j] - gain * u[i] * u[j])
        }
        covariance[i][i] += i < last ? drift : covariance[i][i] < 1e4 ? constantDrift : 0
      }
      weight = 0.99 * weight + 1
      squares = max(0.99 * squares + trust * error * error / (1 + s), weight * least)
    }
  }

  /// Normalised gradient steps, or a running mean where `memory` is below 1.
  private struct Cheap {
    let rate: Double
    let memory: Double
    var weights: [Double]
    var average = 0.0
    var squares = 0.0
    var weight = 1.0

    func mean(_ z: [Double]) -> Double { memory < 1 ? average : dot(weights, z) }

    mutating func learn(_ z: [Double], _ y: Double, least: Double) {
      let error = y - mean(z)
      let step = rate * error / (1 + rate * dot(z, z))
      for index in weights.indices { weights[index] += step * z[index] }
      average += (1 - memory) * (y - average)
      weight = 0.99 * weight + 1
      squares = max(0.99 * squares + error * error, weight * least)
    }
  }

  /// ML-Poly with regrets that fade.
  private struct Regrets {
    var weights: [Double]
    var regrets: [Double]
    var squares: [Double]

    init(count: Int) {
      weights = Array(repeating: 1 / Double(count), count: count)
      regrets = Array(repeating: 0, count: count)
      squares = regrets
    }

    mutating func learn(_ predictions: [Double], _ mixed: Double, _ y: Double, variance: Double) {
      for index in predictions.indices {
        let error = min(max((mixed - y) / variance.squareRoot(), -20), 20)
        let less = 2 * error * (mixed - predictions[index]) / variance.squareRoot()
        let bounded = min(max(less, -1e3), 1e3)
        regrets[index] = 0.9998 * regrets[index] + bounded
        squares[index] = 0.9998 * squares[index] + bounded * bounded
      }
      let own = zip(regrets, squares).map { max($0, 0) / ($1 + 1e-6) }
      let total = own.reduce(0, +)
      if total > 0 { weights = own.map { $0 / total } }
    }
  }

  private var filters: [Filter]
  private var lagged: [Filter]
  private var wide: [Filter] = []
  /// By themselves, and above the third wide filter, with the squares and the weight of their errors;
  /// none or two.
  private var ferns: [(tables: ReferenceFerns, squares: Double, weight: Double)] = []
  private var cheap: [Cheap]
  private var correctors: [Filter]
  private var mixtures: [[Double]]
  private var top = [0.25, 0.25, 0.25, 0.25]
  private var last = [Double](repeating: 1.0 / 9, count: 9)
  private var squared: Regrets
  private var choice = Regrets(count: 2)
  private var mixtureErrors = (squares: 0.0, weight: 1.0)
  private var lastErrors = [0.0, 0.0]
  /// Σ of the first targets and their number, then Welford's moments.
  private var (count, mean, distances) = (0.0, 0.0, 0.0)
  private var (first, previous, beforePrevious) = (0.0, 0.0, 0.0)
  private var isVarying = false

  /// - Parameters:
  ///   - isQuadratic: whether there is the group over kinks and pairs of columns.
  ///   - hasFerns: whether it has ferns.
  init(columns d: Int, isQuadratic: Bool, hasFerns: Bool = false) {
    func filter(
      _ drift: Double, _ constant: Double? = nil, robust: Bool = false, variance: Double = 1,
      lags: Int = 0
    ) -> Filter {
      Filter(
        drift, constantDrift: constant, robust: robust, variance: variance,
        constantVariance: 100 * variance, inputs: d + lags)
    }
    filters =
      [0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1].map { filter($0) }
      + [filter(0, variance: 100)] + [0, 1e-5, 1e-3].map { filter($0, robust: true) }
      + [(1e-6, 0.01), (1e-5, 0.1), (1e-4, 1), (1e-3, 1)].map { filter($0, $1) }
    lagged =
      [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2].map { filter($0, lags: 2) }
      + [0, 1e-5].map { filter($0, robust: true, lags: 2) }
    cheap =
      [2e-3, 0.015, 0.12, 1].map {
        Cheap(rate: $0, memory: 1, weights: Array(repeating: 0, count: d))
      }
      + [0.95, 0.8, 0.5, 0].map {
        Cheap(rate: 0, memory: $0, weights: Array(repeating: 0, count: d))
      }
    correctors = [false, true].flatMap { robust in
      [0, 1e-6, 1e-5, 1e-4].map {
        Filter($0, robust: robust, variance: 0.05, constantVariance: 0.05, inputs: 8)
      }
    }
    for index in correctors.indices { correctors[index].squares = 1 }
    if isQuadratic {
      let first = 3 * (d - 1), pairs = (d - 1) * (d - 2) / 2
      wide = [(1e-3, false, 1), (1e-5, false, 1), (0, false, 1e-3), (0, true, 1)].map {
        Filter(
          $0, robust: $1, constantVariance: 100, inputs: first + pairs + 3,
          products: first..<first + pairs, productVariance: $2)
      }
    }
    if hasFerns {
      let tables = ReferenceFerns(columns: d - 1, variance: 3)
      ferns = Array(repeating: (tables: tables, squares: 0, weight: 1), count: 2)
    }
    let count = 32 + wide.count + ferns.count
    squared = Regrets(count: count)
    mixtures = Array(repeating: Array(repeating: 1 / Double(count), count: count), count: 4)
  }

  /// Predicts a row whose last column is the constant, then learns it.
  mutating func learn(_ z: [Double], _ label: Double) -> Double {
    let isFirst = count == 0
    if isFirst { first = label }
    let y = label - first
    let wasVarying = isVarying
    if !isVarying {
      guard y != 0 else {
        count += 1
        return isFirst ? 0 : first
      }
      isVarying = true
      startVariances(y * y * count / ((count + 1) * (count + 1)))
    }
    let variance = wasVarying ? distances / count : mixtureErrors.squares
    let lags =
      wasVarying
      ? [
        (previous - mean) / variance.squareRoot(),
        (previous - beforePrevious) / variance.squareRoot(),
      ]
      .map { min(max($0, -30), 30) } : [0, 0]
    let prediction = step(z, lags, y, variance)
    count += 1
    let distance = y - mean
    mean += distance / count
    distances += distance * (y - mean)
    (beforePrevious, previous) = (previous, y)
    return first + (wasVarying ? prediction : 0)
  }

  private mutating func startVariances(_ variance: Double) {
    for index in filters.indices { filters[index].squares = variance }
    for index in lagged.indices { lagged[index].squares = variance }
    for index in wide.indices { wide[index].squares = variance }
    for index in ferns.indices { ferns[index].squares = variance }
    for index in cheap.indices { cheap[index].squares = variance }
    mixtureErrors.squares = variance
  }

  private mutating func step(
    _ z: [Double], _ lags: [Double], _ y: Double, _ variance: Double
  ) -> Double {
    // In the lanes' order: filters, cheap experts, lagged filters, wide ones.
    let own = filters.map { $0.forecast(z) }
    let laggedInputs = z.dropLast() + lags + [1]
    let wideInputs = ReferenceBank.expanded(z).dropLast() + lags + [1]
    let wideSaid = wide.map { $0.forecast(wideInputs) }
    let other = lagged.map { $0.forecast(laggedInputs) } + wideSaid
    let fernSums = ferns.indices.map { ferns[$0].tables.sums(z) }
    let fernMeans = fernSums.enumerated().map {
      $0.element.margins[0] + ($0.offset == 1 ? wideSaid[2].m : 0)
    }
    let fernVariances = zip(ferns, fernSums).map { $0.squares / $0.weight * (1 + $1.variance) }
    let means = own.map(\.m) + cheap.map { $0.mean(z) } + other.map(\.m) + fernMeans
    let variances =
      own.map(\.variance) + cheap.map { $0.squares / $0.weight } + other.map(\.variance)
      + fernVariances
    let robust =
      filters.map(\.isRobust) + cheap.map { _ in false } + (lagged + wide).map(\.isRobust)
      + ferns.map { _ in false }
    let mixed = mixtures.map { dot($0, means) }
    let p = dot(top, mixed)

    let deviation = (mixtureErrors.squares / mixtureErrors.weight).squareRoot()
    let inputs =
      (mixed.map { $0 - p } + [lastErrors[0], lastErrors[1], previous - p])
      .map { min(max($0 / deviation, -10), 10) } + [1]
    let corrections = correctors.map { $0.forecast(inputs) }
    let candidates = [p] + corrections.map { p + deviation * $0.m }
    let choices = [dot(last, candidates), dot(squared.weights, means)]
    let prediction = dot(choice.weights.map { 0.35 + 0.3 * $0 }, choices)

    let densities = means.indices.map {
      density(y - means[$0], variances[$0], robust[$0]) * variance.squareRoot()
        + 0.01 / (1 + (y - p) * (y - p) / variance)
    }
    var totals: [Double] = []
    for (index, share) in [3e-5, 1e-3, 1e-2, 6e-2].enumerated() {
      totals.append(fixedShare(&mixtures[index], densities, share))
    }
    _ = fixedShare(&top, totals, 5e-5)
    let relative = (y - p) / deviation
    _ = fixedShare(
      &last,
      [density(relative, 1, false)]
        + corrections.indices.map {
          density(
            relative - corrections[$0].m, corrections[$0].variance, correctors[$0].isRobust)
        }, 1e-4)
    let bounded = min(max(relative, -5), 5)
    for index in correctors.indices { correctors[index].learn(inputs, bounded, least: 1e-10) }

    let least = 1e-10 * variance
    squared.learn(means, choices[1], y, variance: variance)
    choice.learn(choices, prediction, y, variance: variance)
    mixtureErrors.weight = 0.99 * mixtureErrors.weight + 1
    mixtureErrors.squares = max(
      0.99 * mixtureErrors.squares + (y - p) * (y - p), mixtureErrors.weight * least)
    lastErrors = [y - p, lastErrors[0]]

    for index in filters.indices { filters[index].learn(z, y, least: least) }
    for index in lagged.indices { lagged[index].learn(laggedInputs, y, least: least) }
    for index in wide.indices { wide[index].learn(wideInputs, y, least: least) }
    for index in ferns.indices {
      let (error, open) = (y - fernMeans[index], 1 + fernSums[index].variance)
      ferns[index].tables.step(gains: [error / open], h: 1 / open)
      ferns[index].weight = 0.99 * ferns[index].weight + 1
      ferns[index].squares = max(
        0.99 * ferns[index].squares + error * error / open, ferns[index].weight * least)
    }
    for index in cheap.indices { cheap[index].learn(z, y, least: least) }
    return prediction
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Student's t with 7 degrees of freedom, or 3; up to a factor.
private func density(_ error: Double, _ variance: Double, _ isRobust: Bool) -> Double {
  let square = min(error * error / variance, 1e6)
  let tail = isRobust ? 0.95 * pow(1 + square / 3, -2) : pow(1 + square / 7, -4)
  return tail / variance.squareRoot()
}

/// m ← (1 − share)·m·ℓ/Σmℓ + share/n; returns Σmℓ.
private func fixedShare(_ weights: inout [Double], _ likelihoods: [Double], _ share: Double)
  -> Double
{
  let total = dot(weights, likelihoods)
  for index in weights.indices {
    weights[index] =
      weights[index] * likelihoods[index] / total * (1 - share) + share / Double(weights.count)
  }
  return total
}
