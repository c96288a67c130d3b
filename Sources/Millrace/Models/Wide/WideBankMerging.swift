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
    let banks = parts.map(\.learner)
    let total = banks.reduce(0) { $0 + $1.newton.recordCount }
    var merged = WideBank(columns: first.columns, recordCount: total)
    merged.head = .average(
      banks.map(\.head), shares: rowShares(banks.map(\.newton.recordCount)))
    let models = try merged.newton.curvature.merge(
      parts.map { bank, own in
        let change = ColumnChange(from: own, to: scaler)
        let models = (0..<MILLRACE_WIDE_LINEAR).map { lane in
          change.weights(
            (0..<bank.columns).map { Double(bank.weights.base[$0 * lanes + lane]) })
        }
        return (curvature: bank.newton.curvature, models: models, scaler: own)
      }, scaler: scaler)
    let base = merged.weights.mutableBase()
    for (lane, weights) in models.enumerated() {
      for (row, weight) in weights.enumerated() { base[row * lanes + lane] = Float(weight) }
    }
    merged.snapshot = merged.weights
    return merged
  }
}
