/// Which of several tests to believe, so that on average at most a share `level` of those believed
/// is wrong (Benjamini and Hochberg 1995): of m p-values in ascending order, the first i for the
/// largest i with p₍ᵢ₎ ≤ i · level/m.
///
/// - Parameters:
///   - pValues: one per test; `nil` (there was nothing to test) is not counted and not rejected.
///   - level: the false discovery rate that is tolerated.
/// - Returns: whether each test's null hypothesis is rejected, in the order given.
public func benjaminiHochberg(_ pValues: [Double?], level: Double) -> [Bool] {
  let ascending = pValues.compactMap { $0 }.filter { !$0.isNaN }.sorted()
  let step = level / Double(max(1, ascending.count))
  let last = ascending.indices.last { ascending[$0] <= Double($0 + 1) * step }
  guard let last else { return pValues.map { _ in false } }
  return pValues.map { $0.map { $0 <= ascending[last] } ?? false }
}
