/// Newton's step over blocks: H ← γᵇH + ZᵀDZ, w ← w − η(H + λI)⁻¹Zᵀ(μ − y), with D the curvature of
/// the loss at each of the b records and γ < 1 the forgetting.
///
/// The curvature of all records stands behind every step, so that one pass comes close to the best
/// weights in hindsight and the step size η is 1 (Hazan, Agarwal, Kale 2007; Murata 1998). λ stands
/// for what is not yet known: the more columns, the less of each. It does not pull at the weights;
/// an L2 penalty does.
///
/// O(d²) a record. Beyond `denseLimit` columns H is its diagonal.
package struct OnlineNewton: Optimizer {
  /// The most columns, the constant included, for which H is kept whole.
  private static let denseLimit = 1_025

  private let settings: LearnerSettings
  private let columnCount: Int
  private let rate: Double
  private let forgetting: Double
  private var dense: DenseCurvature?
  private var diagonal: DiagonalCurvature?
  /// The records that H counts, decayed like H.
  private var mass = 0.0
  /// D^½Z of the unfinished block.
  private var scaledRows: [Float]
  private var scaledRowCount = 0

  package init(
    settings: LearnerSettings, task: Task, columnCount: Int, rateFactor: Double
  ) {
    self.settings = settings
    self.columnCount = columnCount
    rate = rateFactor * (settings.learningRate ?? 1)
    // What forgetting costs on a stream that stands still grows with d·(1 − γ): some 0.002 nats a
    // record here, whatever d.
    forgetting = settings.forgetting ?? 1 - 1 / (150 * Double(columnCount))
    if columnCount <= Self.denseLimit {
      dense = DenseCurvature(columnCount: columnCount)
    } else {
      diagonal = DiagonalCurvature(columnCount: columnCount)
    }
    scaledRows = Array(repeating: 0, count: settings.batchSize * columnCount)
  }

  package var usesCurvature: Bool { true }

  package mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {
    scaledRows.withUnsafeMutableBufferPointer { scaled in
      guard let base = scaled.baseAddress else { return }
      for i in 0..<rows.count {
        let root = max(curvatures[i], 0).squareRoot()
        let (row, target) = (rows[i], base + (scaledRowCount + i) * columnCount)
        for j in 0..<columnCount { target[j] = root * row[j] }
      }
    }
    scaledRowCount += rows.count
  }

  package mutating func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradient: BlockGradient
  ) {
    let decay = power(forgetting, gradient.recordCount)
    mass = decay * mass + Double(gradient.recordCount)
    var slope = gradient.sum
    if settings.l2 > 0 {
      let pull = Float(settings.l2 * Double(gradient.recordCount))
      for j in 0..<columnCount - 1 { slope[j] += pull * weights[j] }
    }
    let (ridge, columns, count) = (ridge, columnCount, scaledRowCount)
    let delta = scaledRows.withVectorView { all in
      let rows = MatrixView(all.base, rows: count, columns: columns)
      dense?.add(rows, decay: decay)
      diagonal?.add(rows, decay: decay)
      return dense?.solve(slope, ridge: ridge, recordCount: mass)
        ?? diagonal?.solve(slope, ridge: ridge, rows: rows)
    }
    if let delta {
      for j in weights.indices { weights[j] -= Float(rate) * delta[j] }
    }
    scaledRowCount = 0
  }

  /// λ, and the L2 penalty of the records that H counts.
  private var ridge: Float {
    Float(max(1, 0.1 * Double(columnCount)) + settings.l2 * mass)
  }

  /// H + λI.
  package var hessian: Matrix<Double>? {
    guard let h = dense?.matrix else { return nil }
    var result = Matrix(rows: h.rows, columns: h.columns, elements: h.elements.map(Double.init))
    result.symmetrize(from: .lower)
    for j in 0..<columnCount { result[j, j] += Double(ridge) }
    return result
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    dense?.encode(into: &archive, prefix: prefix)
    diagonal?.encode(into: &archive, prefix: prefix)
    archive.set(mass, as: prefix + "mass")
    archive.set(
      Array(scaledRows.prefix(scaledRowCount * columnCount)),
      shape: [scaledRowCount, columnCount], as: prefix + "rows")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    try dense?.decode(from: archive, prefix: prefix)
    try diagonal?.decode(from: archive, prefix: prefix)
    mass = try archive.double(prefix + "mass")
    let rows = try archive.floats(prefix + "rows")
    guard rows.count.isMultiple(of: columnCount), rows.count <= scaledRows.count else {
      throw MillraceError(
        .store,
        "tensor '\(prefix)rows' has \(rows.count) elements; expected rows of \(columnCount)")
    }
    scaledRowCount = rows.count / columnCount
    scaledRows.replaceSubrange(rows.indices, with: rows)
  }
}

/// base to the power of a natural number, by squaring: the same on every system.
func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, factor, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}
