import Glibc

/// The binary bank as its formulas say, in plain double precision, one expert after the other.
struct ReferenceBank {
  struct Filter {
    var drift: Double
    var constantDrift: Double
    var noise = 0.0
    var mean: [Double]
    var covariance: [[Double]]
    var (spread, kappa, margin) = ([Double](), 1.0, 0.0)

    init(_ drift: Double, _ constantDrift: Double, noise: Double = 0, variance: Double, count: Int)
    {
      (self.drift, self.constantDrift, self.noise) = (drift, constantDrift, noise)
      mean = Array(repeating: 0, count: count)
      covariance = (0..<count).map { i in (0..<count).map { $0 == i ? variance : 0 } }
    }

    mutating func predict(_ z: [Double]) -> Double {
      spread = covariance.map { dot($0, z) }
      kappa = 1 / (1 + .pi / 8 * max(dot(spread, z), 0)).squareRoot()
      margin = dot(mean, z)
      return noise + (1 - 2 * noise) * sigmoid(min(max(kappa * margin, -30), 30))
    }

    mutating func learn(_ label: Bool) {
      let p = sigmoid(min(max(kappa * margin, -30), 30))
      let right = label ? p : 1 - p
      let slope = (1 - 2 * noise) * p * (1 - p) / (noise + (1 - 2 * noise) * right)
      let curvature = kappa * kappa * max(0, slope * (slope - (1 - 2 * right)))
      let gain = (label ? 1 : -1) * slope * kappa
      for i in mean.indices {
        mean[i] += gain * spread[i]
        for j in mean.indices {
          covariance[i][j] -= curvature * spread[i] * spread[j]
          covariance[i][j] *= 1 - drift / 1000
        }
        let isConstant = i == mean.count - 1
        if isConstant {
          covariance[i][i] += covariance[i][i] < 1e4 ? constantDrift : 0
        } else {
          covariance[i][i] += drift
        }
      }
    }
  }

  /// Fixed share.
  struct Mixture {
    var share: Double
    var weights: [Double]

    init(share: Double, count: Int) {
      self.share = share
      weights = Array(repeating: 1 / Double(count), count: count)
    }

    func predict(_ experts: [Double]) -> Double { dot(weights, experts) }

    mutating func learn(_ experts: [Double], _ label: Bool) {
      for index in weights.indices { weights[index] *= label ? experts[index] : 1 - experts[index] }
      let total = weights.reduce(0, +)
      for index in weights.indices {
        weights[index] = (1 - share) * weights[index] / total + share / Double(weights.count)
      }
    }
  }

  var filters: [Filter]
  var wide: [Filter] = []
  /// By themselves, and above the third wide filter; none or two.
  var ferns: [ReferenceFerns] = []
  let rates = [0.001, 0.004, 0.016, 0.064]
  var rateWeights: [[Double]]
  let memories = [0.9, 0.95]
  var averages = [0.5, 0.5]
  let tableMemories = [0.98, 0.9998]
  /// For each table, after either label: the mean of what followed, and the records it counts for.
  var tables = Array(
    repeating: Array(repeating: (mean: 0.5, count: 1.0), count: 2), count: 2)
  var previous = 0
  var mixtures: [Mixture]
  var top = Mixture(share: 5e-5, count: 4)
  let mixerRates = [0.0005, 0.002, 0.008]
  var mixers: [[Double]]
  var lastFilters: [Filter]
  var last = Mixture(share: 1e-4, count: 8)

  /// - Parameters:
  ///   - isQuadratic: whether there is the group over kinks and pairs of columns.
  ///   - hasFerns: whether it has ferns.
  init(columns: Int, isQuadratic: Bool, hasFerns: Bool = false) {
    let slow = [(4e-4, 0.5), (1e-4, 30), (3e-6, 3), (0, 0.5)]
    filters =
      [0.1, 0.005].map { Filter($0, 20, variance: 3, count: columns) }
      + [Filter(0.005, 0.005, variance: 3, count: columns)]
      + [Filter(0.001, 0.001, noise: 0.05, variance: 3, count: columns)]
      + slow.map { Filter($0, $0, variance: $1, count: columns) }
    if isQuadratic {
      let width = 3 * (columns - 1) + (columns - 1) * (columns - 2) / 2 + 1
      wide =
        [(0.1, 10), (0.003, 10), (0, 20)].map { Filter($0, $0, variance: $1, count: width) }
        + [Filter(0.001, 0.001, noise: 0.05, variance: 10, count: width)]
    }
    if hasFerns {
      ferns = Array(repeating: ReferenceFerns(columns: columns - 1, variance: 8), count: 2)
    }
    let experts = 16 + wide.count + ferns.count
    mixtures = [3e-5, 0.001, 0.01, 0.06].map { Mixture(share: $0, count: experts) }
    mixers = Array(
      repeating: Array(repeating: 0, count: experts) + Array(repeating: 0.25, count: 4), count: 3)
    rateWeights = rates.map { _ in Array(repeating: 0, count: columns) }
    lastFilters = [0, 1e-6, 1e-5, 1e-4].map { Filter($0, $0, variance: 0.05, count: 5) }
    for index in lastFilters.indices { lastFilters[index].mean = [0.25, 0.25, 0.25, 0.25, 0] }
  }

  /// The columns, their kinks, the products of pairs, the constant.
  static func expanded(_ z: [Double]) -> [Double] {
    let columns = z.dropLast()
    let pairs = columns.indices.flatMap { i in (0..<i).map { min(max(z[i] * z[$0], -10), 10) } }
    return columns + columns.map { 1.5 * max($0, 0) } + columns.map { 3 * max(abs($0) - 1, 0) }
      + pairs + [1]
  }

  /// The probability of the second class before the label is learnt.
  mutating func learn(_ z: [Double], _ label: Bool) -> Double {
    let target: Double = label ? 1 : 0
    let linear = rateWeights.map { sigmoid(min(max(dot($0, z), -30), 30)) }
    let expanded = Self.expanded(z)
    let followed = tables.map { $0[previous].mean }
    let narrow = filters.indices.map { filters[$0].predict(z) } + linear + followed + averages
    let wideSaid = wide.indices.map { wide[$0].predict(expanded) }
    let fernVariances = ferns.indices.map { ferns[$0].sums(z).variance }
    let fernSaid = ferns.indices.map { index in
      let base = index == 1 ? wide[2].kappa * wide[2].margin : 0
      let kappa = 1 / (1 + .pi / 8 * fernVariances[index]).squareRoot()
      return sigmoid(min(max(kappa * (ferns[index].sums(z).margins[0] + base), -30), 30))
    }
    let experts = (narrow + wideSaid + fernSaid).map(clamp)
    let mixed = mixtures.map { $0.predict(experts) }
    let logits = (experts + mixed).map { log($0 / (1 - $0)) }
    let inputs = Array(logits.suffix(4)) + [1]
    let combined = mixers.map { sigmoid(dot($0, logits)) }
    let candidates =
      ([top.predict(mixed)] + combined + lastFilters.indices.map { lastFilters[$0].predict(inputs) })
      .map(clamp)
    let answer = last.predict(candidates)

    for index in filters.indices { filters[index].learn(label) }
    for index in wide.indices { wide[index].learn(label) }
    for index in ferns.indices {
      let p = fernSaid[index]
      let left = 1 / (1 + fernVariances[index] * p * (1 - p))
      ferns[index].step(gains: [left * (target - p)], h: left * p * (1 - p))
    }
    for (index, rate) in rates.enumerated() {
      for column in z.indices {
        rateWeights[index][column] += rate * (target - linear[index]) * z[column]
      }
    }
    for (index, memory) in memories.enumerated() {
      averages[index] = memory * averages[index] + (1 - memory) * target
    }
    for (index, memory) in tableMemories.enumerated() {
      var (mean, count) = tables[index][previous]
      count += 1
      mean += max(1 / count, 1 - memory) * (target - mean)
      tables[index][previous] = (mean, count)
    }
    previous = label ? 1 : 0
    for index in mixtures.indices { mixtures[index].learn(experts, label) }
    top.learn(mixed, label)
    for (index, rate) in mixerRates.enumerated() {
      let step = rate * (target - clamp(combined[index]))
      for input in logits.indices { mixers[index][input] += step * logits[input] }
    }
    for index in lastFilters.indices { lastFilters[index].learn(label) }
    last.learn(candidates, label)
    return answer
  }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

private func clamp(_ p: Double) -> Double { min(max(p, 1e-4), 1 - 1e-4) }

private func dot(_ left: [Double], _ right: [Double]) -> Double {
  var sum = 0.0
  for index in left.indices { sum += left[index] * right[index] }
  return sum
}
