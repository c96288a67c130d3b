internal import Glibc

/// Tail probabilities of the distributions that test statistics follow.
public enum Distribution {
  /// P(|Z| ≥ |z|) of the standard normal distribution.
  public static func normalTails(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }

  /// P(|T| ≥ |t|) of Student's distribution: I_x(ν/2, ½) with x = ν/(ν + t²).
  ///
  /// - Parameter degreesOfFreedom: ν > 0.
  public static func studentTails(_ t: Double, degreesOfFreedom: Double) -> Double {
    let (a, ratio) = (degreesOfFreedom / 2, t * t / degreesOfFreedom)
    guard ratio > 0 else { return ratio == 0 ? 1 : .nan }
    guard ratio < .infinity else { return 0 }
    // x^a·(1 − x)^½ / B(a, ½), each factor where it keeps its digits.
    let density =
      exp(-a * log1p(ratio)) * (ratio / (1 + ratio)).squareRoot() * gammaRatio(a)
      / Double.pi.squareRoot()
    let x = 1 / (1 + ratio)
    return x < (a + 1) / (a + 2.5)
      ? density * continuedFraction(a, 0.5, x) / a
      : 1 - density * continuedFraction(0.5, a, ratio / (1 + ratio)) / 0.5
  }

  /// Γ(a + ½)/Γ(a), by its asymptotic series (DLMF 5.11.13) where the logarithms would cancel.
  private static func gammaRatio(_ a: Double) -> Double {
    guard a > 50 else { return exp(lgamma(a + 0.5) - lgamma(a)) }
    let q = 1 / (8 * a)
    return a.squareRoot() * (1 - q * (1 - q * (0.5 + q * (2.5 - q * (2.625 + q * 49.875)))))
  }

  /// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
  private static func continuedFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
    var result = d
    for m in 1...10_000 {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      for term in [even, odd] {
        d = 1 / nonzero(1 + term * d)
        c = nonzero(1 + term / c)
        result *= d * c
      }
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }
}
