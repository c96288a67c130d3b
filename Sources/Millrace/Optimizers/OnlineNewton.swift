/// Newton's step over blocks: H ← γᵇH + ZᵀDZ, w ← w − η(H + λI)⁻¹Zᵀ(μ − y), with D the curvature of
/// the loss at each of the b records and γ < 1 the forgetting.
///
/// The curvature of all records stands behind every step, so that one pass comes close to the best
/// weights in hindsight and the step size η is 1 (Hazan, Agarwal, Kale 2007; Murata 1998). λ = 1
/// stands for what is not yet known and does not pull at the weights; an L2 penalty does.
///
/// O(d²) a record. H is factored again only once a sixteenth of its records are new. Beyond
/// `denseLimit` columns H is its diagonal, and a step goes no further than the lowest point of the
/// block's own parabola.
package struct OnlineNewton: Optimizer {
  package static var usesCurvature: Bool { true }

  /// The most columns, the constant included, for which H is kept whole.
  static let denseLimit = 1_025

  private let settings: LearnerSettings
  private let columnCount: Int
  private let rate: Double
  private let isDense: Bool
  /// H: its lower triangle, or its diagonal.
  private(set) var curvature: [Float]
  /// The Cholesky factor of H + λI when it was last made; empty for a diagonal.
  private var factor: [Float]
  /// The records that H counts, decayed like H.
  private(set) var mass = 0.0
  /// Those of them that came after the factor, not decayed.
  private var freshMass = Double.infinity
  /// D^½Z of the unfinished block.
  private var scaledRows: [Float]
  private var scaledRowCount = 0

  package static func defaultLearningRate(settings: LearnerSettings, columnCount: Int) -> Double {
    1
  }

  package init(settings: LearnerSettings, columnCount: Int) {
    self.settings = settings
    self.columnCount = columnCount
    rate = settings.learningRate ?? 1
    isDense = columnCount <= Self.denseLimit
    curvature = Array(repeating: 0, count: isDense ? columnCount * columnCount : columnCount)
    factor = isDense ? curvature : []
    scaledRows = Array(repeating: 0, count: settings.batchSize * columnCount)
  }

  package mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {
    for i in 0..<rows.count {
      let root = max(curvatures[i], 0).squareRoot()
      let row = rows[i]
      let start = (scaledRowCount + i) * columnCount
      for j in 0..<columnCount { scaledRows[start + j] = root * row[j] }
    }
    scaledRowCount += rows.count
  }

  package mutating func step(_ weights: inout [Float], gradient: [Float], recordCount: Int) {
    let decay = power(settings.forgetting, recordCount)
    mass = decay * mass + Double(recordCount)
    var direction = gradient
    if settings.l2 > 0 {
      let pull = Float(settings.l2 * Double(recordCount))
      for j in 0..<columnCount - 1 { direction[j] += pull * weights[j] }
    }
    let step = Float(rate) * (isDense ? solve(&direction, decay) : divide(&direction, decay))
    for j in weights.indices { weights[j] -= step * direction[j] }
    scaledRowCount = 0
  }

  /// λ, and the L2 penalty of the records that H counts.
  private var ridge: Float { Float(1 + settings.l2 * mass) }

  /// direction ← (H + λI)⁻¹·direction, H whole.
  ///
  /// - Returns: the share of it to go: 0 when H + λI is not positive definite.
  private mutating func solve(_ direction: inout [Float], _ decay: Double) -> Float {
    let columns = columnCount
    scaledRows.withVectorView { rows in
      curvature.withMutableVectorView { h in
        BLAS.syrk(
          MatrixView(rows.base, rows: scaledRowCount, columns: columns), transposed: true,
          beta: Float(decay), into: MutableMatrixView(h.base, rows: columns, columns: columns))
      }
    }
    freshMass += Double(scaledRowCount)
    if freshMass >= mass / 16 {
      factor = curvature
      let ridge = ridge
      for j in 0..<columns {
        // Columns that depend on others leave H without an inverse but for rounding.
        factor[j * (columns + 1)] += ridge + 1e-5 * factor[j * (columns + 1)]
      }
      do {
        try factor.withMutableVectorView { (l) throws(MillraceError) in
          try LAPACK.potrf(MutableMatrixView(l.base, rows: columns, columns: columns))
        }
        freshMass = 0
      } catch {
        freshMass = .infinity
        return 0
      }
    }
    factor.withVectorView { l in
      direction.withMutableVectorView {
        LAPACK.potrs(MatrixView(l.base, rows: columns, columns: columns), into: $0)
      }
    }
    return 1
  }

  /// direction ← (H + λI)⁻¹·direction, H diagonal.
  ///
  /// - Returns: the share of it to go: at most to the lowest point of gᵀδ·x − ½‖D^½Zδ‖²·x².
  private mutating func divide(_ direction: inout [Float], _ decay: Double) -> Float {
    let columns = columnCount
    let gradient = direction
    for j in 0..<columns {
      var sum: Float = 0
      for i in 0..<scaledRowCount {
        sum += scaledRows[i * columns + j] * scaledRows[i * columns + j]
      }
      curvature[j] = Float(decay) * curvature[j] + sum
      direction[j] /= curvature[j] + ridge
    }
    let margins = [Float](unsafeUninitializedCapacity: scaledRowCount) { buffer, count in
      count = scaledRowCount
      guard let base = buffer.baseAddress else { return }
      scaledRows.withVectorView { rows in
        direction.withVectorView {
          BLAS.gemv(
            MatrixView(rows.base, rows: count, columns: columns), $0,
            into: MutableVectorView(base, count: count))
        }
      }
    }
    let descent = gradient.withVectorView { g in direction.withVectorView { BLAS.dot(g, $0) } }
    let bend = margins.withVectorView { BLAS.dot($0, $0) }
    return bend > descent && descent > 0 ? descent / bend : 1
  }

  /// H + λI.
  package var hessian: Matrix<Double>? {
    guard isDense else { return nil }
    var result = Matrix(
      rows: columnCount, columns: columnCount, elements: curvature.map(Double.init))
    result.symmetrize(from: .lower)
    for j in 0..<columnCount { result[j, j] += Double(ridge) }
    return result
  }

  package func encode(into archive: inout TensorArchive, prefix: String) {
    let shape = isDense ? [columnCount, columnCount] : [columnCount]
    archive.set(curvature, shape: shape, as: prefix + "curvature")
    if isDense { archive.set(factor, shape: shape, as: prefix + "factor") }
    archive.set([mass, freshMass], as: prefix + "mass")
    archive.set(
      Array(scaledRows.prefix(scaledRowCount * columnCount)),
      shape: [scaledRowCount, columnCount], as: prefix + "rows")
  }

  package mutating func decode(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    curvature = try archive.floats(prefix + "curvature", count: curvature.count)
    if isDense { factor = try archive.floats(prefix + "factor", count: factor.count) }
    let masses = try archive.doubles(prefix + "mass", count: 2)
    (mass, freshMass) = (masses[0], masses[1])
    let rows = try archive.floats(prefix + "rows")
    guard rows.count % columnCount == 0, rows.count <= scaledRows.count else {
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
