#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The χ² law.
package enum ChiSquaredDistribution {
  /// P(χ² ≥ x): the tail of a Poisson law (even degrees of freedom), or erfc and such a tail
  /// (odd). Only positive terms; O(degreesOfFreedom).
  package static func survival(_ x: Double, degreesOfFreedom: Int) -> Double {
    guard x > 0, degreesOfFreedom > 0 else { return 1 }
    let half = x / 2
    let isOdd = degreesOfFreedom % 2 == 1
    var sum = isOdd ? erfc(half.squareRoot()) : 0
    for index in 0..<degreesOfFreedom / 2 {
      let power = Double(index) + (isOdd ? 0.5 : 0)
      sum += exp(power * log(half) - half - lgamma(power + 1).0)
    }
    return min(1, sum)
  }
}
