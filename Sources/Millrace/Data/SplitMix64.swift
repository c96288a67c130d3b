/// A small, fast generator of random bits whose sequence is fixed by its seed.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the
/// constants are those of https://prng.di.unimi.it/splitmix64.c. Passes BigCrush; not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator whose sequence is a function of `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number of `0..<bound`, uniform (to `bound` parts in 2⁶⁴).
  @inline(__always)
  mutating func integer(below bound: UInt64) -> Int64 {
    Int64(next().multipliedFullWidth(by: bound).high)
  }

  /// A number of [0, 1), a multiple of 2⁻⁵³, uniform.
  @inline(__always)
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
