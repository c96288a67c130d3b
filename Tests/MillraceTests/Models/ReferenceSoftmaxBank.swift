import Glibc

/// The softmax filter as its formulas say, in plain double precision: one covariance for all classes.
struct ReferenceSoftmaxFilter {
  let drift: Double
  let constantDrift: Double
  /// The share of labels that may be any class.
  let noise: Double
  var covariance: [[Double]]
  /// A mean and the curvature it has seen, per class.
  var means: [[Double]] = []
  var seen: [Double] = []
  var total = 0.0

  init(
    drift: Double, constantDrift: Double, noise: Double, variance: Double = 1.5, count: Int
  ) {
    (self.drift, self.constantDrift, self.noise) = (drift, constantDrift, noise)
    covariance = (0..<count).map { i in (0..<count).map { $0 == i ? variance : 0 } }
  }

  struct Forecast {
    var spread: [Double]
    var variance: Double
    var openness: [Double]
    var kappa: [Double]
    var plain: [Double]
    var probabilities: [Double]
  }

  mutating func addClass() {
    means.append(Array(repeating: 0, count: covariance.count))
    seen.append(0)
  }

  func predict(_ z: [Double]) -> Forecast {
    let spread = covariance.map { dot($0, z) }
    let variance = max(dot(spread, z), 0)
    let openness = seen.map { (1 + total) / (1 + $0) }
    let kappa = openness.map { 1 / (1 + .pi / 4 * variance * $0).squareRoot() }
    let exponentials = means.indices.map { exp(min(max(kappa[$0] * dot(means[$0], z), -30), 30)) }
    let sum = exponentials.reduce(0, +)
    let plain = exponentials.map { $0 / sum }
    return Forecast(
      spread: spread, variance: variance, openness: openness, kappa: kappa, plain: plain,
      probabilities: plain.map { (1 - noise) * $0 + noise / Double(plain.count) })
  }

  mutating func learn(_ forecast: Forecast, _ label: Int) {
    let (plain, count) = (forecast.plain, Double(means.count))
    let right = (1 - noise) * plain[label] / forecast.probabilities[label]
    let squares = plain.reduce(0) { $0 + $1 * $1 }
    let flat = 1 / (1 + .pi / 4 * forecast.variance)
    let bend = right * (1 - right) * (1 - 2 * plain[label] + squares)
    let h = count == 1 ? 0 : max(0, flat * (right * (1 - squares) / (count - 1) - bend))
    let kept = 1 - min(0.5, 0.5 * drift.squareRoot())
    for k in means.indices {
      let gain =
        right * ((k == label ? 1 : 0) - plain[k]) * forecast.kappa[k] * forecast.openness[k]
      for j in means[k].indices { means[k][j] += gain * forecast.spread[j] }
      let own =
        count == 1 ? 0 : flat * right * plain[k] * (1 - plain[k]) * count / (count - 1)
      seen[k] = kept * seen[k] + min(h, own)
    }
    total = kept * total + h
    for i in covariance.indices {
      for j in covariance.indices {
        covariance[i][j] -= h * forecast.spread[i] * forecast.spread[j]
        covariance[i][j] *= 1 - drift / 1000
      }
      let isConstant = i == covariance.count - 1
      if !isConstant {
        covariance[i][i] += drift / 2
      } else if covariance[i][i] < 5000 {
        covariance[i][i] += constantDrift / 2
      }
    }
  }
}

/// The softmax bank as its formulas say.
struct ReferenceSoftmaxBank {
  var filters: [ReferenceSoftmaxFilter]
  let rates = [0.0016, 0.004, 0.01, 0.025, 0.063, 0.16, 0.4, 1]
  /// Per class, per rate.
  var weights: [[[Double]]] = []
  let memories = [0.9, 0.99, 0.995]
  /// The group over kinks and pairs of columns, where there is one.
  var wide: [ReferenceSoftmaxFilter] = []
  /// Above the third wide filter, where there are any.
  var ferns: ReferenceFerns?
  /// Decayed counts per class and memory, and per class that came before.
  var counts: [[Double]] = []
  var followed: [[[Double]]] = []
  var last = 0
  var mixtures: [ReferenceBank.Mixture]
  var top = ReferenceBank.Mixture(share: 5e-5, count: 4)
  let mixerRates = [0.0003, 0.002, 0.008]
  var mixers: [[Double]]
  var answer = ReferenceBank.Mixture(share: 5e-4, count: 4)

  /// - Parameters:
  ///   - isQuadratic: whether there is the wide group.
  ///   - hasFerns: whether it has ferns.
  init(columns: Int, isQuadratic: Bool, hasFerns: Bool = false) {
    let plain = [(0.01, 1.5), (0.001, 1.5), (1e-4, 50), (0, 4), (0, 0.3)]
    filters =
      [(0.2, 0.2, 0.1), (0.1, 20, 0), (0.005, 20, 0)].map { drift, constantDrift, noise in
        ReferenceSoftmaxFilter(
          drift: drift, constantDrift: constantDrift, noise: noise, count: columns)
      }
      + plain.map { drift, variance in
        ReferenceSoftmaxFilter(
          drift: drift, constantDrift: drift, noise: 0, variance: variance, count: columns)
      }
    if isQuadratic {
      let width = 3 * (columns - 1) + (columns - 1) * (columns - 2) / 2 + 1
      wide = [(0.1, 0), (0.003, 0), (0, 0), (0.001, 0.1)].map { drift, noise in
        ReferenceSoftmaxFilter(
          drift: drift, constantDrift: drift, noise: noise, variance: drift == 0 ? 10 : 5,
          count: width)
      }
    }
    if hasFerns { ferns = ReferenceFerns(columns: columns - 1, variance: 8) }
    let experts = 16 + memories.count + wide.count + (hasFerns ? 1 : 0)
    mixtures = [3e-5, 0.001, 0.01, 0.06].map { ReferenceBank.Mixture(share: $0, count: experts) }
    mixers = Array(
      repeating: Array(repeating: 0, count: experts) + Array(repeating: 0.25, count: 4), count: 3)
  }

  mutating func addClass() {
    let columns = filters[0].covariance.count
    for index in filters.indices { filters[index].addClass() }
    for index in wide.indices { wide[index].addClass() }
    if !weights.isEmpty { ferns?.addOutput() }
    weights.append(rates.map { _ in Array(repeating: 0, count: columns) })
    counts.append(Array(repeating: 0, count: memories.count))
    followed.append([])
    for k in followed.indices {
      while followed[k].count < followed.count {
        followed[k].append(Array(repeating: 0, count: memories.count))
      }
    }
  }

  /// Probabilities of the classes seen so far, before the label is learnt.
  mutating func learn(_ z: [Double], _ label: Int) -> [Double] {
    let count = weights.count
    let forecasts = filters.map { $0.predict(z) }
    let expanded = ReferenceBank.expanded(z)
    let wideForecasts = wide.map { $0.predict(expanded) }
    let descent = rates.indices.map { rate in
      floored(softmax(weights.map { min(max(dot($0[rate], z), -300), 300) }))
    }
    let tables = memories.indices.map { memory -> [Double] in
      let counts = (0..<count).map { k in
        (memory < 2 ? self.counts[k][memory] : followed[k][last][memory]) + 1 / Double(count)
      }
      return floored(counts.map { $0 / counts.reduce(0, +) })
    }
    let fernSums = ferns?.sums(z)
    let fernSaid = fernSums.map { sums in
      softmax(
        sums.margins.indices.map { k in
          let kappa = 1 / (1 + .pi / 8 * sums.open[k]).squareRoot()
          let base = wideForecasts[2].kappa[k] * dot(wide[2].means[k], expanded)
          return min(max(kappa * (sums.margins[k] + min(max(base, -30), 30)), -30), 30)
        })
    }
    let experts =
      forecasts.map { floored($0.probabilities) } + descent
      + wideForecasts.map { floored($0.probabilities) } + (fernSaid.map { [floored($0)] } ?? [])
      + tables
    let mixed = mixtures.map { mixture in
      (0..<count).map { k in mixture.predict(experts.map { $0[k] }) }
    }
    let logarithms = (experts + mixed).map { own -> [Double] in
      let logs = own.map { log($0) }
      return logs.map { $0 - logs.reduce(0, +) / Double(count) }
    }
    let topMixed = (0..<count).map { k in top.predict(mixed.map { $0[k] }) }
    let combined = mixers.map { mixer in
      floored(softmax((0..<count).map { k in dot(mixer, logarithms.map { $0[k] }) }))
    }
    let candidates = [topMixed] + combined
    let result = (0..<count).map { k in answer.predict(candidates.map { $0[k] }) }

    func given(_ values: [[Double]]) -> [Double] { values.map { $0[label] } }
    for index in mixtures.indices { mixtures[index].learn(given(experts), true) }
    top.learn(given(mixed), true)
    for (index, rate) in mixerRates.enumerated() {
      for input in mixers[index].indices {
        for k in 0..<count {
          mixers[index][input] +=
            rate * ((k == label ? 1 : 0) - combined[index][k]) * logarithms[input][k]
        }
      }
    }
    answer.learn(given(candidates), true)
    for index in filters.indices { filters[index].learn(forecasts[index], label) }
    for index in wide.indices { wide[index].learn(wideForecasts[index], label) }
    if let fernSums, let fernSaid, count > 1 {
      let squares = fernSaid.reduce(0) { $0 + $1 * $1 }
      let curvature = (1 - squares) / 2 / Double(count - 1)
      ferns?.step(
        gains: fernSaid.indices.map { k in
          ((k == label ? 1 : 0) - fernSaid[k]) / 2 / (1 + fernSums.open[k] * curvature)
        },
        h: curvature / (1 + fernSums.variance * curvature),
        curvatures: (
          fernSaid.map { Double(count) * $0 * (1 - $0) / 2 / Double(count - 1) }, curvature
        ))
    }
    for k in 0..<count {
      let target: Double = k == label ? 1 : 0
      for (rate, step) in rates.enumerated() {
        for j in z.indices { weights[k][rate][j] += step / 2 * (target - descent[rate][k]) * z[j] }
      }
      for (memory, kept) in memories.enumerated() {
        counts[k][memory] = kept * counts[k][memory] + target
        followed[k][last][memory] = kept * followed[k][last][memory] + target
      }
    }
    last = label
    return result
  }
}

private func softmax(_ margins: [Double]) -> [Double] {
  let greatest = margins.max() ?? 0
  let exponentials = margins.map { exp(max($0 - greatest, -80)) }
  return exponentials.map { $0 / exponentials.reduce(0, +) }
}

private func floored(_ p: [Double]) -> [Double] {
  p.map { (1 - 2e-4) * $0 + 2e-4 / Double(p.count) }
}

private func dot(_ left: [Double], _ right: [Double]) -> Double {
  var sum = 0.0
  for index in left.indices { sum += left[index] * right[index] }
  return sum
}
