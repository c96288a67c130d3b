internal import CMillraceKernels

// MARK: - Explaining

extension SparseBank {
  /// The lanes that filter.
  static var lanes: Int { MILLRACE_SPARSE_LANES }

  /// The numbers of a row of the head.
  func headRow(_ row: Int) -> [Double] {
    (0..<Self.lanes).map { Double(head.base[row * 8 + $0]) }
  }

  /// Each filter with its weight in the mixture.
  package func experts(horizon: LabelHorizon) -> [Expert] {
    let (priors, limits) = (headRow(MILLRACE_SPARSE_PRIOR), headRow(MILLRACE_SPARSE_LIMIT))
    return headRow(MILLRACE_SPARSE_MIXTURE).enumerated().map { lane, weight in
      let name = "filter, prior precision \(Float(priors[lane]))"
      return Expert(name: limits[lane] < 1e9 ? "\(name), forgetting" : name, weight: weight)
    }
  }

  /// Places in the order of their columns.
  private var order: [Int] {
    places.columns.indices.sorted { places.columns[$0] < places.columns[$1] }
      .map { FeaturePlaces.first + $0 }
  }

  package var columns: [UInt32] { places.columns.sorted() }

  package var columnScales: [Double] { order.map(scale) }

  /// The mean of a feature's absolute values.
  func scale(_ place: Int) -> Double {
    let sum = number(place, 0, MILLRACE_SPARSE_SUM)
    let count = number(place, 0, MILLRACE_SPARSE_COUNT)
    return count > 0 ? sum / count : 0
  }

  /// A number of a feature's row.
  func number(_ place: Int, _ output: Int, _ index: Int) -> Double {
    Double(features.base[(place * outputCount + output) * Self.rowSize + index])
  }

  /// The weighted mean of the filters' coefficients.
  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let (mixture, order) = (headRow(MILLRACE_SPARSE_MIXTURE), order + [0])
    let coefficients = (0..<outputCount).map { output in
      let own = order.map { place in
        mixture.indices.reduce(0) { $0 + mixture[$1] * number(place, output, $1) }
      }
      return target.coefficients(own.map(Float.init))
    }
    guard task == .multiclass else { return coefficients }
    let unseen = [Double](repeating: 0, count: order.count)
    var ordered = Array(repeating: unseen, count: (classes.indices.max() ?? -1) + 1)
    for (index, output) in zip(classes.indices, coefficients) { ordered[index] = output }
    return ordered
  }

  package var isFinite: Bool {
    target.isFinite && features.isFinite(upTo: places.count * outputCount * Self.rowSize)
      && head.isFinite(upTo: head.count)
  }
}

// MARK: - Saving

extension SparseBank {
  package func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    archive.set(rowCount, as: prefix + "rowCount")
    places.encode(into: &archive, prefix: prefix)
    let rows = places.count * outputCount
    archive.set(features, shape: [rows, Self.rowSize], as: prefix + "features")
    archive.set(head.elements, shape: [head.count / 8, 8], as: prefix + "head")
    target.encode(into: &archive, prefix: prefix)
    if task == .multiclass { classes.encode(into: &archive, prefix: prefix) }
  }

  package init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let places = try FeaturePlaces(decoding: archive, prefix: prefix)
    self.init(task: try archive.task(prefix: prefix), width: places.width)
    self.places = places
    rowCount = try archive.count(prefix + "rowCount")
    target = try TargetScale(target.kind, decoding: archive, prefix: prefix)
    if task == .multiclass {
      classes = try SeenClasses(decoding: archive, prefix: prefix)
      outputCount = classes.indices.count
    }
    head = LaneBuffer(try archive.floats(prefix + "head", count: head.count))
    features = LaneBuffer(
      try archive.floats(
        prefix + "features", count: places.count * outputCount * Self.rowSize))
  }
}
