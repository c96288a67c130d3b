internal import CMillraceKernels

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The law of the two-sample Kolmogorov-Smirnov statistic.
package enum TwoSampleDistribution {
  typealias Alternative = KolmogorovSmirnovTest.Alternative

  /// P(D ≥ distance/(nm)) over all orders of the pooled sample.
  ///
  /// A path from (0, 0) to (n, m) steps right for an element of the first sample and up for one of
  /// the second. With u[i,j] the probability that a path to (i, j) has gone as far as `distance`,
  /// u[i,j] = (i·u[i−1,j] + j·u[i,j−1])/(i + j), and u = 1 beyond the boundary: only sums of
  /// positive numbers (Viehmann, arXiv 2102.08037). With ties, the boundary counts only where a
  /// group of equal values ends (Schröer and Trenkler 1995).
  ///
  /// - Parameter isGroupEnd: for each pooled index, whether a group ends there; `nil` without ties.
  static func exact(
    n: Int, m: Int, distance: Int, alternative: Alternative, isGroupEnd: [Bool]? = nil
  ) -> Double {
    guard distance > 0 else { return 1 }
    if n == m && isGroupEnd == nil {
      return equalSizes(n: n, steps: distance / n, isTwoSided: alternative == .twoSided)
    }
    // The diagonal i + j = s, from i = n at index 0 down to i = 0; lo…hi are the i inside.
    var u = [Double](repeating: 1, count: n + 2)
    u[n] = 0
    var (lo, hi) = (0, 0)
    for s in 1...n + m {
      lo = max(lo, s - m)
      hi = min(hi + 1, n)
      u.withUnsafeMutableBufferPointer { u in
        guard let base = u.baseAddress else { return }
        millrace_lattice_step(base + (n - hi), hi - lo + 1, Double(hi), Double(s))
      }
      guard isGroupEnd?[s - 1] ?? true else { continue }
      while lo <= hi, alternative != .less, hi * (n + m) - s * n >= distance {
        u[n - hi] = 1
        hi -= 1
      }
      while lo <= hi, alternative != .greater, s * n - lo * (n + m) >= distance {
        u[n - lo] = 1
        lo += 1
      }
      if lo > hi { return 1 }
    }
    return min(1, u[0])
  }

  /// The closed form for n = m, D = steps/n (Gnedenko and Korolyuk 1951):
  /// one-sided C(2n, n + h)/C(2n, n), two-sided 2 Σ (−1)^(k−1) C(2n, n + kh)/C(2n, n).
  private static func equalSizes(n: Int, steps h: Int, isTwoSided: Bool) -> Double {
    /// C(2n, n + kh)/C(2n, n + (k−1)h).
    func ratio(_ k: Int) -> Double {
      (0..<h).reduce(1.0) { product, offset in
        let step = (k - 1) * h + offset
        return product * Double(n - step) / Double(n + step + 1)
      }
    }
    guard isTwoSided else { return ratio(1) }
    let sum = stride(from: n / h, through: 1, by: -1).reduce(0.0) { ratio($1) * (1 - $0) }
    return min(1, 2 * sum)
  }

  /// P(a difference of two shares at least as large), given how many there are of both samples
  /// together (Fisher): what `exact` gives for values of two kinds, in O(marked) instead of O(nm).
  ///
  /// - Parameters:
  ///   - marked: how many of each sample are of the one kind.
  ///   - sizes: the sizes of the samples.
  package static func share(marked: (Int, Int), of sizes: (Int, Int)) -> Double {
    let (n, m) = sizes
    let total = marked.0 + marked.1
    let distance = abs(marked.0 * m - marked.1 * n)
    func logChoose(_ n: Int, _ k: Int) -> Double {
      lgamma(Double(n + 1)).0 - lgamma(Double(k + 1)).0 - lgamma(Double(n - k + 1)).0
    }
    let all = logChoose(n + m, total)
    var sum = 0.0
    for first in max(0, total - m)...min(total, n)
    where abs(first * m - (total - first) * n) >= distance {
      sum += exp(logChoose(n, first) + logChoose(m, total - first) - all)
    }
    return min(1, sum)
  }

  /// The p-value of large samples, as SciPy finds it.
  static func asymptotic(
    n: Int, m: Int, statistic: Double, alternative: Alternative
  ) -> Double {
    let (n, m) = (Double(max(n, m)), Double(min(n, m)))
    let effective = n * m / (n + m)
    if alternative == .twoSided {
      let size = max(1, effective.rounded(.toNearestOrEven))
      return KolmogorovDistribution.survival(statistic, sampleSize: Int(size))
    }
    // Hodges 1958, equation 5.3.
    let z = effective.squareRoot() * statistic
    return min(1, exp(-2 * z * z - 2 * z * (n + 2 * m) / (n * m * (n + m)).squareRoot() / 3))
  }
}
