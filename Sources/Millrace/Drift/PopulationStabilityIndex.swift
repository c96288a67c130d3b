#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The population stability index of two histograms over the same bins: Σ (q − p) ln(q/p).
///
/// Also known as the symmetric Kullback-Leibler divergence. Below 0.1 is usually called stable,
/// above 0.25 changed; but that depends on the sample sizes, so `pValue` tells too.
public struct PopulationStabilityIndex: Codable, Equatable, Sendable {
  /// How empty bins are kept from making the index infinite.
  public enum EmptyBins: Codable, Equatable, Sendable {
    /// ½ is added to every count of both histograms (Jeffreys' prior).
    case addHalf
    /// Shares below a floor are raised to it, as in many tools (1e-4, 1e-6, 0.01).
    case floor(Double)
  }

  /// The index, ≥ 0; `nil` when a histogram is empty.
  public let value: Double?
  /// P(an index at least as large) when both histograms are of one distribution over the B bins
  /// that hold anything: PSI ~ (1/N + 1/M)·χ² with B − 1 degrees of freedom (Yurdakul 2018).
  public let pValue: Double?

  /// Compares two histograms.
  ///
  /// - Parameters:
  ///   - reference: counts per bin.
  ///   - current: counts per bin, as many.
  ///   - emptyBins: what to do about empty bins.
  public init(reference: [Int], current: [Int], emptyBins: EmptyBins = .addHalf) {
    let bins = zip(reference, current).filter { $0 + $1 > 0 }
    let sizes = bins.reduce((0.0, 0.0)) { ($0.0 + Double($1.0), $0.1 + Double($1.1)) }
    guard sizes.0 > 0, sizes.1 > 0 else {
      (value, pValue) = (nil, nil)
      return
    }
    func share(_ count: Int, of size: Double) -> Double {
      switch emptyBins {
      case .addHalf: (Double(count) + 0.5) / (size + 0.5 * Double(bins.count))
      case .floor(let floor): max(floor, Double(count) / size)
      }
    }
    let index = bins.reduce(0.0) { sum, bin in
      let (p, q) = (share(bin.0, of: sizes.0), share(bin.1, of: sizes.1))
      return p == q ? sum : sum + (q - p) * log(q / p)
    }
    value = index
    pValue = ChiSquaredDistribution.survival(
      index / (1 / sizes.0 + 1 / sizes.1), degreesOfFreedom: bins.count - 1)
  }
}
