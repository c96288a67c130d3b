/// The uniform numbers of the reference programs in these tests:
/// ```python
/// def lcg(n, s=42):
///     for _ in range(n):
///         s = (s*6364136223846793005 + 1442695040888963407) % 2**64; yield (s >> 11)/2**53
/// ```
func uniforms(_ count: Int, seed: UInt64 = 42) -> [Double] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
  }
}

/// |a − b| ≤ tolerance · |b|.
func isClose(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
  guard let a else { return false }
  return (a - b).magnitude <= tolerance * b.magnitude
}
