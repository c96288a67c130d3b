#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The law of the one-sample Kolmogorov-Smirnov statistic for finite n, computed where each method
/// is best as Simard and L'Ecuyer chose (J. Statistical Software 39(11), 2011). SciPy's `kstwo`
/// follows them too, so both agree to more digits than either method has.
package enum KolmogorovDistribution {
  /// P(Dₙ ≥ x).
  package static func survival(_ x: Double, sampleSize n: Int) -> Double {
    guard x > 0 else { return 1 }
    guard x < 1 else { return 0 }
    let squared = Double(n) * x * x
    if x >= 0.5 || squared >= (n <= 140 ? 4 : 2.2) {
      return min(1, 2 * oneSidedSurvival(x, sampleSize: n))
    }
    let isExact = n <= 140 || (n <= 1_000 && Double(n) * x * x.squareRoot() <= 1.4)
    let below = isExact ? exactDistribution(x, sampleSize: n) : pelzGood(x, sampleSize: n)
    return max(0, min(1, 1 - below))
  }

  /// P(Dₙ⁺ ≥ x) = x Σⱼ C(n, j) (x + j/n)^(j−1) (1 − x − j/n)^(n−j) over j ≤ n(1 − x) (Smirnov 1944);
  /// beyond a million terms by Maag and Dicaire (1971).
  static func oneSidedSurvival(_ x: Double, sampleSize n: Int) -> Double {
    let size = Double(n)
    guard n <= 1_000_000 else {
      let scaled = 6 * size * x + 1
      return exp(-scaled * scaled / (18 * size))
    }
    let logFactorial = lgamma(size + 1).0
    var sum = 0.0
    for index in 0...Int(size * (1 - x)) {
      let j = Double(index)
      let (left, right) = (x + j / size, 1 - x - j / size)
      guard right > 0 else { continue }
      let logChoose = logFactorial - lgamma(j + 1).0 - lgamma(size - j + 1).0
      sum += exp(logChoose + (j - 1) * log(left) + (size - j) * log1p(-left))
    }
    return min(1, x * sum)
  }

  /// P(Dₙ < x) as an element of the n-th power of a matrix (Durbin 1973; Marsaglia, Tsang, Wang
  /// 2003): n!/nⁿ (Hⁿ)ₖₖ, by multiplying a vector, which needs no rescaling.
  private static func exactDistribution(_ x: Double, sampleSize n: Int) -> Double {
    let t = Double(n) * x
    let k = Int(t.rounded(.up))
    let (size, h) = (2 * k - 1, Double(k) - t)
    var matrix = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<min(size, row + 2) {
        let power = row - column + 1
        var value = 1.0
        if column == 0 { value -= pow(h, Double(row + 1)) }
        if row == size - 1 { value -= pow(h, Double(size - column)) }
        if column == 0 && row == size - 1 && 2 * h > 1 { value += pow(2 * h - 1, Double(size)) }
        matrix[row * size + column] = value / tgamma(Double(power + 1))
      }
    }
    var vector = [Double](repeating: 0, count: size)
    vector[k - 1] = 1
    for step in 1...n {
      let scale = Double(step) / Double(n)
      vector = (0..<size).map { row in
        var sum = 0.0
        for column in 0..<min(size, row + 2) { sum += matrix[row * size + column] * vector[column] }
        return scale * sum
      }
    }
    return vector[k - 1]
  }

  /// P(Dₙ < x) by four terms of its expansion in n^(−1/2) (Pelz and Good 1976).
  private static func pelzGood(_ x: Double, sampleSize n: Int) -> Double {
    let z2 = Double(n) * x * x
    let z = z2.squareRoot()
    let (z4, z6) = (z2 * z2, z2 * z2 * z2)
    // Sums over all integers k, of functions of π²(k + ½)² and of π²k².
    var (k0, k1, k2, k3, k2Whole, k3Whole) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for k in 0...Int(4 * z) + 8 {
      let half = Double.pi * Double.pi * (Double(k) + 0.5) * (Double(k) + 0.5)
      let halfWeight = 2 * exp(-half / (2 * z2))
      k0 += halfWeight
      k1 += halfWeight * (half - z2)
      k2 +=
        halfWeight
        * (6 * z6 + 2 * z4 + half * (2 * z4 - 5 * z2) + half * half * (1 - 2 * z2))
      k3 +=
        halfWeight
        * (half * half * half * (5 - 30 * z2) + half * half * (212 * z4 - 60 * z2)
          + half * (135 * z4 - 96 * z6) - 30 * z6 - 90 * z4 * z4)
      let whole = Double.pi * Double.pi * Double(k * k)
      let wholeWeight = 2 * exp(-whole / (2 * z2))
      k2Whole += wholeWeight * whole
      k3Whole += wholeWeight * whole * (3 * z2 - whole)
    }
    let root = Double(n).squareRoot()
    let sum =
      k0 / z + k1 / (6 * z4) / root
      + (k2 / (72 * z6 * z) - k2Whole / (36 * z2 * z)) / Double(n)
      + (k3 / (6_480 * z6 * z4) + k3Whole / (216 * z6)) / (Double(n) * root)
    return (Double.pi / 2).squareRoot() * sum
  }
}
