/// H = Σ dᵢzᵢzᵢᵀ over past records with forgetting, and the inverse of H + λI of late:
/// what several linear models take their steps by.
struct SharedCurvature: Sendable {
  /// H in the lower triangle.
  private(set) var matrix: Matrix<Float>
  /// (H + λI)⁻¹ when it was last made or updated, whole.
  private var inverse: Matrix<Float>
  /// D^½Z of the unfinished block.
  private var scaledRows: [Float]
  /// The records that H counts, decayed like H.
  private(set) var mass = 0.0
  /// Records that came after the inverse was made.
  private var freshCount = 0.0

  /// λ per column.
  private let ridgeShare: Float

  /// An inverse serves until this share of the records is new; one that is updated, until H has
  /// forgotten as much.
  private static let freshShare = 0.125

  init(columns: Int, blockRecords: Int, ridgeShare: Float) {
    self.ridgeShare = ridgeShare
    matrix = Matrix(rows: columns, columns: columns)
    inverse = matrix
    scaledRows = Array(repeating: 0, count: blockRecords * columns)
    for j in 0..<columns { inverse[j, j] = 1 / ridge }
  }

  /// The width of the rows.
  var columns: Int { matrix.columns }

  /// The records that H remembers: their share of what is new keeps step with weights that move.
  var memory: Double { 100 * Double(matrix.rows) }

  /// Where the rows of a block go.
  mutating func withScaledRows(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    scaledRows.withUnsafeMutableBufferPointer { rows in
      if let base = rows.baseAddress { body(base) }
    }
  }

  /// H ← γᵇH + ZᵀDZ with the block's `count` rows, and the inverse with it while that costs less than
  /// to make it anew, else when it is due.
  ///
  /// - Parameters:
  ///   - isFresh: whether the inverse follows every block.
  ///   - room: for `count` rows, and as many rows of `count` numbers.
  mutating func take(_ count: Int, isFresh: Bool, room: UnsafeMutablePointer<Float>) {
    add(count)
    let isUpdated = isFresh || mass < 4 * Double(columns)
    if freshCount >= Self.freshShare * (isUpdated ? memory : mass) {
      invert()
    } else if isUpdated {
      update(count, room: room)
    }
  }

  private mutating func add(_ count: Int) {
    let decay = power(1 - 1 / memory, count)
    let columns = matrix.columns
    scaledRows.withVectorView { rows in
      matrix.withMutableView {
        BLAS.syrk(
          MatrixView(rows.base, rows: count, columns: columns), transposed: true,
          beta: Float(decay), into: $0)
      }
    }
    mass = decay * mass + Double(count)
    freshCount += Double(count)
  }

  /// Where H + λI is not positive definite, for rounding, the last inverse goes on to serve.
  private mutating func invert() {
    var inverse = matrix
    // Columns that depend on others leave H without an inverse but for rounding.
    for j in 0..<inverse.rows { inverse[j, j] += ridge + 1e-5 * inverse[j, j] }
    do {
      try inverse.withMutableView { (a) throws(MillraceError) in
        try LAPACK.potrf(a)
        try LAPACK.potri(a)
      }
      inverse.symmetrize(from: .lower)
      self.inverse = inverse
    } catch {}
    freshCount = 0
  }

  /// P ← P − PZᵀD^½(I + D^½ZPZᵀD^½)⁻¹D^½ZP, the inverse after a block (Sherman, Morrison, Woodbury).
  private mutating func update(_ count: Int, room: UnsafeMutablePointer<Float>) {
    scaledRows.withVectorView { scaled in
      solve(rows: scaled.base, count: count, into: room)
      let directions = MutableMatrixView(room, rows: count, columns: columns)
      let inner = MutableMatrixView(room + count * columns, rows: count, columns: count)
      for i in 0..<count {
        for j in 0..<count { inner[i, j] = i == j ? 1 : 0 }
      }
      BLAS.gemm(
        directions.reading, MatrixView(scaled.base, rows: count, columns: columns),
        bTransposed: true, beta: 1, into: inner)
      // I + a product that is positive, but for rounding.
      do { try LAPACK.potrf(inner) } catch { return }
      BLAS.trsm(inner.reading, .lower, into: directions)
      inverse.withMutableView {
        BLAS.gemm(
          alpha: -1, directions.reading, aTransposed: true, directions.reading, beta: 1, into: $0)
      }
    }
  }

  /// X ← Z(H + λI)⁻¹ for `count` rows.
  func solve(rows: UnsafePointer<Float>, count: Int, into directions: UnsafeMutablePointer<Float>) {
    inverse.withView {
      BLAS.gemm(
        MatrixView(rows, rows: count, columns: columns), $0,
        into: MutableMatrixView(directions, rows: count, columns: columns))
    }
  }

  /// X ← (H + λI)⁻¹G for rows of `lanes` numbers.
  func solve(
    _ gradients: UnsafePointer<Float>, lanes: Int, into directions: UnsafeMutablePointer<Float>
  ) {
    let rows = matrix.rows
    let target = MutableMatrixView(directions, rows: rows, columns: lanes)
    inverse.withView {
      BLAS.gemm($0, MatrixView(gradients, rows: rows, columns: lanes), into: target)
    }
  }

  /// The block's first `count` scaled rows times directions, in rows of `lanes` numbers.
  func multiplyScaledRows(
    _ count: Int, by directions: UnsafePointer<Float>, lanes: Int,
    into products: UnsafeMutablePointer<Float>
  ) {
    scaledRows.withVectorView { rows in
      BLAS.gemm(
        MatrixView(rows.base, rows: count, columns: columns),
        MatrixView(directions, rows: columns, columns: lanes),
        into: MutableMatrixView(products, rows: count, columns: lanes))
    }
  }

  /// λ, which stands for what is not yet known: the more columns, the less of each.
  var ridge: Float { max(1, ridgeShare * Float(matrix.rows)) }

  /// H, whole.
  private var whole: Matrix<Double> {
    var result = Matrix(
      rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map(Double.init))
    result.symmetrize(from: .lower)
    return result
  }

  /// H + λI, whole.
  private var regularized: Matrix<Double> {
    var result = whole
    for j in 0..<result.rows { result[j, j] += Double(ridge) }
    return result
  }

  /// The sum of the partitions' curvatures, each read in the columns of the merged scaler, and the
  /// models that were learnt with them, weighed by their curvature: H = ΣHₚ, w = H⁻¹ΣHₚwₚ. O(d³)
  ///
  /// - Parameter parts: with models over the columns of the merged scaler.
  /// - Throws: `numerical` when the sum is not positive definite.
  mutating func merge(
    _ parts: [(curvature: SharedCurvature, models: [[Double]], scaler: StandardScaler)],
    scaler: StandardScaler
  ) throws(MillraceError) -> [[Double]] {
    let d = columns
    var sum = Matrix<Double>(rows: d, columns: d)
    var curvature = [Double](repeating: 0, count: d * d)
    var pulls = parts.first?.models.map { $0.map { _ in 0.0 } } ?? []
    for part in parts {
      let toPart = ColumnChange(from: scaler, to: part.scaler)
      let weighted = toPart.products(part.curvature.regularized.elements)
      for index in weighted.indices { sum.elements[index] += weighted[index] }
      for (index, element) in toPart.products(part.curvature.whole.elements).enumerated() {
        curvature[index] += element
      }
      for (model, weights) in part.models.enumerated() {
        for row in 0..<d {
          for column in 0..<d { pulls[model][row] += weighted[row * d + column] * weights[column] }
        }
      }
    }
    let factor = try Cholesky(sum)
    for model in pulls.indices { factor.solve(&pulls[model]) }
    matrix.elements = curvature.map(Float.init)
    mass = parts.reduce(0) { $0 + $1.curvature.mass }
    invert()
    return pulls
  }

  /// - Parameter pending: the rows of the unfinished block.
  func encode(into archive: inout TensorArchive, prefix: String, pending: Int) {
    let shape = [matrix.rows, matrix.columns]
    archive.set(matrix.elements, shape: shape, as: prefix + "curvature")
    archive.set(inverse.elements, shape: shape, as: prefix + "inverse")
    archive.set([mass, freshCount], as: prefix + "mass")
    archive.set(
      Array(scaledRows.prefix(pending * matrix.columns)), shape: [pending, matrix.columns],
      as: prefix + "rows")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let count = matrix.elements.count
    matrix.elements = try archive.floats(prefix + "curvature", count: count)
    inverse.elements = try archive.floats(prefix + "inverse", count: count)
    let numbers = try archive.doubles(prefix + "mass", count: 2)
    (mass, freshCount) = (numbers[0], numbers[1])
    guard numbers.allSatisfy({ $0.isFinite && $0 >= 0 }),
      inverse.elements.allSatisfy(\.isFinite), matrix.elements.allSatisfy(\.isFinite)
    else {
      throw MillraceError(
        .store, "tensors '\(prefix)curvature', 'inverse' or 'mass' have a number that cannot be")
    }
    let rows = try archive.floats(prefix + "rows")
    guard rows.count <= scaledRows.count else {
      throw MillraceError(
        .store,
        "tensor '\(prefix)rows' has \(rows.count) elements; expected at most \(scaledRows.count)")
    }
    scaledRows.replaceSubrange(rows.indices, with: rows)
  }
}
