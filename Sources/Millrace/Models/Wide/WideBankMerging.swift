internal import CMillraceKernels

extension WideBank {
  /// Weighs the partitions' models by their curvature, each read in the merged scaler's columns:
  /// H = ΣHₚ, w = H⁻¹ΣHₚwₚ; everything else is averaged by the rows that a part saw.
  package static func merging(
    _ parts: [(learner: WideBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> WideBank {
    guard let first = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1, parts[0].scaler == scaler { return first }
    let (d, banks) = (first.columns, parts.map(\.learner))
    var merged = WideBank(columns: d)
    merged.recordCount = banks.reduce(0) { $0 + $1.recordCount }
    merged.block = block(from: merged.recordCount)
    let shares = banks.map {
      merged.recordCount > 0
        ? Float($0.recordCount) / Float(merged.recordCount) : 1 / Float(banks.count)
    }
    merged.head = .average(banks.map(\.head), shares: shares)

    var sum = Matrix<Double>(rows: d, columns: d)
    var curvature = [Double](repeating: 0, count: d * d)
    var pulls = Array(repeating: [Double](repeating: 0, count: d), count: lanes)
    for (bank, own) in parts {
      let toPart = ColumnChange(from: scaler, to: own)
      let weighted = toPart.products(bank.curvature.regularized.elements)
      for index in weighted.indices { sum.elements[index] += weighted[index] }
      for (index, element) in toPart.products(bank.curvature.whole.elements).enumerated() {
        curvature[index] += element
      }
      let change = ColumnChange(from: own, to: scaler)
      for lane in 0..<MILLRACE_WIDE_NEWTON {
        let moved = change.weights(
          (0..<d).map { Double(bank.weights.base[$0 * lanes + lane]) })
        for row in 0..<d {
          for column in 0..<d { pulls[lane][row] += weighted[row * d + column] * moved[column] }
        }
      }
    }
    let factor = try Cholesky(sum)
    let base = merged.weights.mutableBase()
    for lane in 0..<MILLRACE_WIDE_NEWTON {
      factor.solve(&pulls[lane])
      for row in 0..<d { base[row * lanes + lane] = Float(pulls[lane][row]) }
    }
    merged.snapshot = merged.weights
    merged.curvature.replace(by: curvature, mass: banks.reduce(0) { $0 + $1.curvature.mass })
    return merged
  }
}
