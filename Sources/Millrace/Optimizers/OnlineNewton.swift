/// Newton's step over blocks: H ← γᵇH + ZᵀDZ, w ← w − η(H + λI)⁻¹Zᵀ(μ − y), with D the curvature of
/// the loss at each of the b records and γ < 1 the forgetting.
///
/// The curvature of all records stands behind every step, so that one pass comes close to the best
/// weights in hindsight and the step size η is 1 (Hazan, Agarwal, Kale 2007; Murata 1998). λ stands
/// for what is not yet known: the more columns, the less of each. It does not pull at the weights;
/// an L2 penalty does.
///
/// O(d²) a record; less once H is known well, when one block of four stands for all of them. H
/// takes in rows by the hundred, at the speed of matrix products. Beyond `denseLimit` columns H is
/// its diagonal.
package struct OnlineNewton: Optimizer {
  /// The most columns, the constant included, for which H is kept whole.
  private static let denseLimit = 1_025
  /// After so many records per column, one block of `stride` is curved.
  private static let (fullCurvature, stride) = (160, 4)
  /// Rows wait for one another until they are so many, or this share of what H counts.
  private static let (waitingRows, waitingShare) = (256, 1.0 / 32)

  private let settings: LearnerSettings
  private let columnCount: Int
  private let rate: Double
  private let forgetting: Double
  private var dense: DenseCurvature?
  private var diagonal: DiagonalCurvature?
  /// Records of the blocks that are finished.
  private var recordCount = 0
  /// The records that H counts, decayed like H.
  private var mass = 0.0
  /// D^½Z of the rows that H has yet to take in.
  private var scaledRows: [Float]
  private var scaledRowCount = 0
  /// The records since H took in the last, and what they leave of it.
  private var (waitingRecords, waitingDecay) = (0, 1.0)

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
    let room = settings.batchSize + (dense == nil ? 0 : Self.waitingRows)
    scaledRows = Array(repeating: 0, count: room * columnCount)
  }

  package var usesCurvature: Bool {
    !isSampled || (recordCount / settings.batchSize).isMultiple(of: Self.stride)
  }

  /// Whether one block of `stride` stands for all.
  private var isSampled: Bool {
    dense != nil && recordCount >= Self.fullCurvature * columnCount
  }

  package mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {
    let importance: Float = isSampled ? Float(Self.stride) : 1
    scaledRows.withUnsafeMutableBufferPointer { scaled in
      guard let base = scaled.baseAddress else { return }
      for i in 0..<rows.count {
        let root = (importance * max(curvatures[i], 0)).squareRoot()
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
    recordCount += gradient.recordCount
    waitingDecay *= decay
    waitingRecords += gradient.recordCount
    var slope = gradient.sum
    if settings.l2 > 0 {
      let pull = Float(settings.l2 * Double(gradient.recordCount))
      for j in 0..<columnCount - 1 { slope[j] += pull * weights[j] }
    }
    if let delta = direction(slope) {
      for j in weights.indices { weights[j] -= Float(rate) * delta[j] }
    }
  }

  /// (H + λI)⁻¹ · slope, with an H that has taken in what is due.
  private mutating func direction(_ slope: [Float]) -> [Float]? {
    let isDue =
      dense == nil || scaledRowCount >= Self.waitingRows
      || Double(waitingRecords) >= Self.waitingShare * mass
    let (ridge, mass, columns, count) = (ridge, mass, columnCount, scaledRowCount)
    guard isDue else { return dense?.solve(slope, ridge: ridge, recordCount: mass) }
    let (decay, records) = (waitingDecay, waitingRecords)
    (scaledRowCount, waitingRecords, waitingDecay) = (0, 0, 1)
    return scaledRows.withVectorView { all in
      let rows = MatrixView(all.base, rows: count, columns: columns)
      dense?.add(rows, decay: decay, recordCount: records)
      diagonal?.add(rows, decay: decay)
      return dense?.solve(slope, ridge: ridge, recordCount: mass)
        ?? diagonal?.solve(slope, ridge: ridge, rows: rows)
    }
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
    archive.set([mass, waitingDecay], as: prefix + "mass")
    archive.set([recordCount, waitingRecords], as: prefix + "records")
    archive.set(
      Array(scaledRows.prefix(scaledRowCount * columnCount)),
      shape: [scaledRowCount, columnCount], as: prefix + "rows")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    try dense?.decode(from: archive, prefix: prefix)
    try diagonal?.decode(from: archive, prefix: prefix)
    let numbers = try archive.doubles(prefix + "mass", count: 2)
    (mass, waitingDecay) = (numbers[0], numbers[1])
    let counts = try archive.integers(prefix + "records", count: 2)
    (recordCount, waitingRecords) = (Int(counts[0]), Int(counts[1]))
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
