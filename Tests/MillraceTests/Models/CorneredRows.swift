import Millrace

/// Rows of ten free columns and the constant, and a score that jumps: at four steps of one column, and
/// where two others change sides. With ten columns the wide group has kinks and products, and ferns,
/// but no waves.
func corneredRows(count: Int, seed: UInt64 = 5) -> (rows: [Float], scores: [Float]) {
  var uniform = SeededUniform(seed: seed)
  var (rows, scores): ([Float], [Float]) = ([], [])
  for _ in 0..<count {
    let row = (0..<10).map { _ in uniform.normal() }
    rows += row + [1]
    let steps = [-1, -0.3, 0.2, 0.8].enumerated().map { $0.offset.isMultiple(of: 2) ? 2 : -2 }
    let isAbove: [Float] = zip([-1, -0.3, 0.2, 0.8] as [Float], steps).map {
      row[0] > $0 ? Float($1) : 0
    }
    let isCorner = (row[1] > 0.4) != (row[2] > -0.2)
    scores.append(isAbove.reduce(0, +) + (isCorner ? 1.5 : -1.5) - 1)
  }
  return (rows, scores)
}
