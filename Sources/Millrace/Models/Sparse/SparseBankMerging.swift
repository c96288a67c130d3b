internal import CMillraceKernels

extension SparseBank {
  /// Multiplies the filters' Gaussians weight by weight, over one prior; the head is averaged by the
  /// rows that a part saw.
  ///
  /// P = ΣPₚ, w = Σ(π + Pₚ)wₚ/(π + P), each part's weight read over the merged scale.
  package static func merging(
    _ parts: [(learner: SparseBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> SparseBank {
    guard let first = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1 { return first }
    let banks = parts.map(\.learner)
    var merged = SparseBank(task: first.task, width: first.places.width)
    merged.rowCount = banks.reduce(0) { $0 + $1.rowCount }
    merged.target = first.target
    for bank in banks.dropFirst() { merged.target.merge(bank.target) }
    for bank in banks {
      merged.places.place(bank.places.columns)
      for index in bank.classes.indices where !merged.classes.contains(Double(index)) {
        merged.classes.add(Double(index))
      }
    }
    merged.classes.run = banks.map(\.classes.run).min() ?? 0
    merged.head = .average(banks.map(\.head), shares: rowShares(banks.map(\.rowCount)))
    merged.reserve(outputs: first.task == .multiclass ? merged.classes.indices.count : 1)
    merged.multiply(banks)
    return merged
  }

  private mutating func multiply(_ banks: [SparseBank]) {
    let base = features.mutableBase()
    let columns = [UInt32?.none, nil] + places.columns.map(Optional.some)
    for (place, column) in columns.enumerated() where place != Int(FeaturePlaces.unseen) {
      let own: [(bank: SparseBank, place: Int)] = banks.compactMap { bank in
        let place = column.map { bank.places[$0] } ?? Int(FeaturePlaces.constant)
        return place.map { (bank, $0) }
      }
      let row = base + place * outputCount * Self.rowSize
      for (bank, place) in own where bank.outputCount > 0 {
        for index in [MILLRACE_SPARSE_SUM, MILLRACE_SPARSE_COUNT] {
          row[index] += Float(bank.number(place, 0, index))
        }
      }
      for output in 0..<outputCount {
        multiply(own, place, output, row + output * Self.rowSize)
      }
    }
  }

  private func multiply(
    _ parts: [(bank: SparseBank, place: Int)], _ place: Int, _ output: Int,
    _ row: UnsafeMutablePointer<Float>
  ) {
    let unit = target.unit > 0 ? target.unit : 1
    let isConstant = place == FeaturePlaces.constant
    let limits = headRow(MILLRACE_SPARSE_LIMIT)
    let priors = isConstant ? limits.map { _ in 1 } : headRow(MILLRACE_SPARSE_PRIOR)
    var (pulls, precisions, learnt) = (priors.map { _ in 0.0 }, priors, 0.0)
    for (bank, own) in parts {
      let index =
        task == .multiclass
        ? bank.classes.indices.firstIndex(of: classes.indices[output]) : 0
      guard let index else { continue }
      let scales = (bank.scale(own), scale(place))
      let ratio = scales.0 > 0 ? scales.1 / scales.0 : 1
      let precision = bank.number(own, index, MILLRACE_SPARSE_PRECISION) / (ratio * ratio)
      learnt += precision
      for lane in 0..<Self.lanes {
        var weight = bank.target.unit / unit * bank.number(own, index, lane) * ratio
        if isConstant { weight += (bank.target.offset - target.offset) / unit }
        let known = min(precision, limits[lane])
        precisions[lane] += known
        pulls[lane] += (priors[lane] + known) * weight
      }
    }
    for lane in 0..<Self.lanes { row[lane] = Float(pulls[lane] / precisions[lane]) }
    row[MILLRACE_SPARSE_PRECISION] = Float(learnt)
  }
}
