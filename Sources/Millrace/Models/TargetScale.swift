internal import Glibc

/// How a target becomes a number without units, learnt as targets arrive: multiplying all of them
/// by a constant changes nothing that is learnt.
struct TargetScale: Sendable, Equatable {
  enum Kind: String, Sendable {
    /// The target itself.
    case identity
    /// (y − mean) / deviation.
    case standardized
    /// y / mean, for targets that are not negative.
    case relative

    init(_ loss: Loss) {
      self =
        switch loss {
        case .squared, .huber, .quantile: .standardized
        case .poisson: .relative
        case .logistic, .softmax: .identity
        }
    }
  }

  let kind: Kind
  /// The sum of the weights of the targets seen.
  private(set) var weight = 0.0
  private(set) var mean = 0.0
  /// The weighted sum of squared distances from the mean.
  private(set) var squaredDistances = 0.0
  /// What a margin of 0 means in the target's units, and one unit of it.
  private(set) var offset = 0.0
  private(set) var unit = 1.0

  init(_ kind: Kind) {
    self.kind = kind
    unit = kind == .identity ? 1 : 0
  }

  /// A standardised mean in the target's units.
  func restored(_ mean: Double) -> Double { offset + unit * mean }

  /// Weights of the margin in the target's units, the constant's last; of a relative target, whose
  /// mean is exp(margin), those of the logarithm.
  func coefficients(_ weights: [Float]) -> [Double] {
    var result = weights.map { factor * Double($0) }
    result[result.count - 1] += intercept
    return result
  }

  /// The weights whose coefficients these are.
  func weights(_ coefficients: [Double]) -> [Float] {
    var result = coefficients
    result[result.count - 1] -= intercept
    return result.map { factor > 0 ? Float($0 / factor) : 0 }
  }

  private var factor: Double { kind == .relative ? 1 : unit }
  private var intercept: Double { kind == .relative && unit > 0 ? log(unit) : offset }

  /// Takes a target in (Welford 1962, weighted as in West 1979) and returns it without units: 0
  /// while targets have not varied. `nil` when it is too large to take in.
  mutating func observe(_ target: Double, weight added: Double) -> Double? {
    if kind == .identity { return target }
    let target = kind == .relative ? max(target, 0) : target
    if added > 0 {
      let total = weight + added
      let delta = target - mean
      let newMean = mean + delta * (added / total)
      let newSquares = squaredDistances + added * delta * (target - newMean)
      guard newSquares.isFinite else { return nil }
      (weight, mean, squaredDistances) = (total, newMean, newSquares)
      refresh()
    }
    return unit > 0 ? (target - offset) / unit : 0
  }

  private mutating func refresh() {
    switch kind {
    case .identity: break
    case .relative: unit = mean
    case .standardized:
      offset = mean
      // A spread that is rounding noise beside the mean is none.
      let varies = squaredDistances > 1e-14 * weight * mean * mean
      unit = varies ? (squaredDistances / weight).squareRoot() : 0
    }
  }

  /// Takes in what another scale of the same kind saw (Chan, Golub, LeVeque 1983).
  mutating func merge(_ other: TargetScale) {
    let total = weight + other.weight
    guard total > 0, kind != .identity else { return }
    let delta = other.mean - mean
    squaredDistances +=
      other.squaredDistances + delta * delta * weight * other.weight / total
    mean += delta * other.weight / total
    weight = total
    refresh()
  }

  var isFinite: Bool { offset.isFinite && unit.isFinite && squaredDistances.isFinite }

  func encode(into archive: inout TensorArchive, prefix: String) {
    guard kind != .identity else { return }
    archive.set([weight, mean, squaredDistances], as: prefix + "target")
  }

  init(_ kind: Kind, decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    self.init(kind)
    guard kind != .identity else { return }
    let state = try archive.doubles(prefix + "target", count: 3)
    (weight, mean, squaredDistances) = (state[0], state[1], state[2])
    if weight > 0 { refresh() }
  }
}
