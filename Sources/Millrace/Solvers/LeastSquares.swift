internal import Glibc

/// Linear least squares over a stream of rows: min Σᵢ ωᵢ(yᵢ − b₀ − bᵀxᵢ)², with a constant.
///
/// A sequential QR factorization (TSQR; Demmel, Grigori, Hoemmen, Langou 2012): the next block of
/// rows is put below the triangle R that stands for all rows before, and factored again. Only R is
/// kept, (d + 2)² numbers, and no digits are lost to the squares of the normal equations. O(d²) a
/// row. Splitting the rows differently over calls changes nothing.
public struct LeastSquares: Sendable {
  /// Columns of a row, the constant not counted.
  public let columnCount: Int
  /// Rows of positive weight taken in.
  public private(set) var rowCount = 0
  /// What is subtracted from each column, and from the target, before anything is squared or
  /// rounded: near the means, a column's spread keeps its digits.
  private let shift: [Double]
  /// The transpose of R over the columns 1, x − shift, y − shift; beside it the rows not yet
  /// factored, a column of the data in each row of memory.
  private var work: Matrix<Double>
  /// Rows beside Rᵀ.
  private var pending = 0
  private var scratch: Matrix<Double>

  /// No rows yet.
  ///
  /// - Parameter shift: a number near the mean of each column, the target's last. Any number is
  ///   right; a good one saves digits where a mean is large beside its deviation.
  public init(shift: [Double]) {
    precondition(!shift.isEmpty, "the target needs a shift")
    columnCount = shift.count - 1
    self.shift = shift
    let width = shift.count + 1
    // Blocks much longer than R is high make the work that of the rows alone.
    work = Matrix(rows: width, columns: width + max(256, 4 * width))
    scratch = Matrix(rows: width, columns: min(width, 32))
  }

  /// Takes in rows.
  ///
  /// - Parameters:
  ///   - rows: `columnCount` columns.
  ///   - targets: one per row.
  ///   - weights: one per row, not negative; what precision or how many records it stands for.
  /// - Throws: `numerical` when a number is not finite.
  public mutating func add(
    _ rows: MatrixView<Double>, targets: UnsafePointer<Double>, weights: UnsafePointer<Float>
  ) throws(MillraceError) {
    precondition(rows.columns == columnCount, "\(rows.columns) columns for \(columnCount)")
    var start = 0
    while start < rows.rows {
      if work.rows + pending == work.columns { try factor() }
      let count = min(rows.rows - start, work.columns - work.rows - pending)
      append(
        rows.block(rows: start..<start + count, columns: 0..<columnCount), targets + start,
        weights + start)
      start += count
    }
  }

  /// Puts √ω(1, x − shift, y − shift) beside Rᵀ.
  private mutating func append(
    _ rows: MatrixView<Double>, _ targets: UnsafePointer<Double>, _ weights: UnsafePointer<Float>
  ) {
    let (start, columnCount, shift) = (work.rows + pending, columnCount, shift)
    work.withMutableView { work in
      let scales = work.row(0).base + start
      for index in 0..<rows.rows { scales[index] = Double(weights[index]).squareRoot() }
      for column in 0..<columnCount {
        let (values, origin) = (work.row(1 + column).base + start, shift[column])
        for index in 0..<rows.rows {
          values[index] = scales[index] * (rows[index, column] - origin)
        }
      }
      let (values, origin) = (work.row(1 + columnCount).base + start, shift[columnCount])
      for index in 0..<rows.rows { values[index] = scales[index] * (targets[index] - origin) }
    }
    pending += rows.rows
    for index in 0..<rows.rows where weights[index] > 0 { rowCount += 1 }
  }

  /// A deviation below this share of the mean is rounding.
  private static let spreadNoise = 1e-14

  /// Brings the pending rows into R.
  private mutating func factor() throws(MillraceError) {
    guard pending > 0 else { return }
    let width = work.rows
    let columns = 0..<width + pending
    try work.withMutableView { (work) throws(MillraceError) in
      try scratch.withMutableView { (scratch) throws(MillraceError) in
        try LAPACK.gelqt(work.block(rows: 0..<width, columns: columns), t: scratch)
      }
      for row in 0..<width {
        for column in row + 1..<width { work[row, column] = 0 }
      }
    }
    pending = 0
  }

  /// The fit to all rows taken in so far; more may follow. O(d³)
  ///
  /// Columns are scaled to one length before the rank is judged, so that units do not matter.
  /// Where columns depend on each other (or are more than the rows), of all minimisers the one
  /// whose scaled coefficients are shortest is taken. A column that never varies gets 0.
  ///
  /// - Parameter penalties: λⱼ of the ridge penalty Σⱼ λⱼbⱼ², one per column; the constant has
  ///   none.
  /// - Throws: `numerical` without rows, or when a number overflows.
  public mutating func solve(penalties: [Double]? = nil) throws(MillraceError) -> LinearFit {
    try factor()
    guard rowCount > 0 else {
      throw MillraceError(.numerical, "least squares has no rows of positive weight")
    }
    let (d, last) = (columnCount, columnCount + 1)
    let lambda = penalties ?? Array(repeating: 0, count: d)
    let lengths = work.withView { work in
      (0..<d).map { column in
        let spread = work.block(rows: 1..<last, columns: 1..<last).row(column)
        return hypot(BLAS.nrm2(spread), lambda[column].squareRoot())
      }
    }
    guard lengths.allSatisfy(\.isFinite), (0...last).allSatisfy({ work[last, $0].isFinite }) else {
      throw MillraceError(.numerical, "least squares overflows: a column is too large to square")
    }

    let means = (0...d).map { shift[$0] + work[1 + $0, 0] / work[0, 0] }

    // The columns that vary, scaled, without the constant. √λ below R is the Cholesky factor of
    // RᵀR + diag(λ) once factored again, without the squares.
    let active = (0..<d).filter { column in
      lengths[column] > Self.spreadNoise * abs(work[0, 0] * means[column])
    }
    let width = active.count + 1
    var reduced = Matrix<Double>(rows: d + width, columns: width)
    for (k, column) in active.enumerated() {
      for row in 0..<d { reduced[row, k] = work[1 + column, 1 + row] / lengths[column] }
      reduced[d + k, k] = lambda[column].squareRoot() / lengths[column]
    }
    for row in 0..<d { reduced[row, width - 1] = work[last, 1 + row] }
    var total = work[last, last] * work[last, last]
    for row in 0..<d { total += work[last, 1 + row] * work[last, 1 + row] }
    return try LinearFit(
      triangle: try QR(reduced).r, active: active, lengths: lengths, penalties: penalties,
      residual: work[last, last], totalSumOfSquares: total,
      means: means, rowCount: rowCount, weightSum: work[0, 0] * work[0, 0])
  }
}
