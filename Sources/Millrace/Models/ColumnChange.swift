/// A linear model learnt over one scaler's columns, read over another's.
///
/// zₚ = T z with T diagonal but for the constant's column, so that wₚᵀzₚ = (Tᵀwₚ)ᵀz. A column that
/// had not varied for either scaler keeps its weight: nothing but the prior was learnt of it.
struct ColumnChange {
  /// σ/σₚ per column, 1 for the constant.
  private let scales: [Double]
  /// (μ − μₚ)/σₚ per column, 0 for the constant.
  private let offsets: [Double]

  /// From the columns of the scaler that a learner saw to those of another.
  init(from part: StandardScaler, to scaler: StandardScaler) {
    var (scales, offsets) = ([Double](), [Double]())
    for column in 0..<scaler.columnCount {
      let (own, other) = (part.standardDeviation(column), scaler.standardDeviation(column))
      let known = own > 0 && other > 0
      scales.append(known ? other / own : 1)
      offsets.append(known ? (scaler.means[column] - part.means[column]) / own : 0)
    }
    self.scales = scales + [1]
    self.offsets = offsets + [0]
  }

  private init(scales: [Double], offsets: [Double]) {
    self.scales = scales
    self.offsets = offsets
  }

  /// The same with columns before the constant that do not change.
  func inserting(columns count: Int) -> ColumnChange {
    ColumnChange(
      scales: scales.dropLast() + Array(repeating: 1, count: count + 1),
      offsets: offsets.dropLast() + Array(repeating: 0, count: count + 1))
  }

  /// Tᵀw.
  func weights(_ weights: [Double]) -> [Double] {
    var result = zip(weights, scales).map(*)
    for (weight, offset) in zip(weights, offsets) { result[result.count - 1] += weight * offset }
    return result
  }

  /// TᵀCT, row-major.
  func covariance(_ matrix: [Double]) -> [Double] {
    let d = scales.count
    var result = matrix
    for row in 0..<d {
      result.replaceSubrange(
        row * d..<(row + 1) * d, with: weights(Array(result[row * d..<(row + 1) * d])))
    }
    for column in 0..<d {
      let changed = weights(stride(from: column, to: d * d, by: d).map { result[$0] })
      for row in 0..<d { result[row * d + column] = changed[row] }
    }
    return result
  }

  /// TMTᵀ, row-major: what Σ z zᵀ over the other scaler's columns is over the part's own.
  func products(_ matrix: [Double]) -> [Double] {
    let d = scales.count
    func moved(_ row: [Double]) -> [Double] {
      (0..<d).map { scales[$0] * row[$0] + offsets[$0] * row[d - 1] }
    }
    var result = matrix
    for row in 0..<d {
      let range = row * d..<(row + 1) * d
      result.replaceSubrange(range, with: moved(Array(result[range])))
    }
    for column in 0..<d {
      let changed = moved(stride(from: column, to: d * d, by: d).map { result[$0] })
      for row in 0..<d { result[row * d + column] = changed[row] }
    }
    return result
  }
}
