internal import Glibc

/// The negative log-likelihood of logistic regression, Σᵢ −ωᵢ log p(yᵢ | zᵢ), added up block by
/// block with its first two derivatives.
///
/// One output tells two classes apart, p = 1/(1 + exp(−wᵀz)) for the second of them; K outputs K
/// classes, pₖ = exp(wₖᵀz)/Σ exp(wₗᵀz). A point holds the weights output by output.
struct CrossEntropy: Sendable {
  /// Vectors of weights.
  let outputs: Int
  /// Weights per output.
  let columns: Int
  /// Margins, then ω(p − y), rows × outputs.
  private var residuals: [Double] = []
  private var probabilities: [Double] = []
  private var curvatures: [Double] = []
  private var weighted: [Double] = []

  init(outputs: Int, columns: Int) {
    self.outputs = outputs
    self.columns = columns
  }

  /// How many numbers a point has.
  var dimension: Int { outputs * columns }

  /// Adds rows.
  ///
  /// - Parameter labels: class indices.
  mutating func add(
    _ rows: MatrixView<Double>, labels: [Int], weights: [Float], at point: [Double],
    into evaluation: inout Evaluation
  ) {
    grow(&residuals, rows.rows * outputs)
    grow(&probabilities, rows.rows * outputs)
    residuals.withMutableVectorView { m in
      point.withVectorView { w in
        BLAS.gemm(
          rows, MatrixView(w.base, rows: outputs, columns: columns), bTransposed: true,
          into: MutableMatrixView(m.base, rows: rows.rows, columns: outputs))
      }
    }
    var value = 0.0
    for row in 0..<rows.rows {
      value += Double(weights[row]) * (outputs == 1 ? logistic(row, labels) : softmax(row, labels))
      for index in row * outputs..<(row + 1) * outputs { residuals[index] *= Double(weights[row]) }
    }
    evaluation.value += value
    residuals.withVectorView { g in
      evaluation.gradient.withMutableVectorView { gradient in
        BLAS.gemm(
          MatrixView(g.base, rows: rows.rows, columns: outputs), aTransposed: true, rows, beta: 1,
          into: MutableMatrixView(gradient.base, rows: outputs, columns: columns))
      }
    }
    if evaluation.hessian != nil { addCurvature(rows, weights: weights, into: &evaluation) }
  }

  /// The loss of a row; its margin becomes p − y. log(1 + exp(m)) without overflow.
  private mutating func logistic(_ row: Int, _ labels: [Int]) -> Double {
    let margin = residuals[row]
    let label = Double(labels[row])
    let small = exp(-abs(margin))
    probabilities[row] = (margin >= 0 ? 1 : small) / (1 + small)
    residuals[row] = probabilities[row] - label
    return max(margin, 0) + log1p(small) - label * margin
  }

  /// The same for several outputs.
  private mutating func softmax(_ row: Int, _ labels: [Int]) -> Double {
    let range = row * outputs..<(row + 1) * outputs
    let largest = range.reduce(-Double.infinity) { max($0, residuals[$1]) }
    let own = residuals[range.lowerBound + labels[row]]
    var total = 0.0
    for index in range {
      probabilities[index] = exp(residuals[index] - largest)
      total += probabilities[index]
    }
    for index in range {
      probabilities[index] /= total
      residuals[index] = probabilities[index]
    }
    residuals[range.lowerBound + labels[row]] -= 1
    return largest + log(total) - own
  }

  /// Hₖₗ ← Hₖₗ + Zᵀ diag(ωpₖ(δₖₗ − pₗ)) Z for each pair of outputs.
  private mutating func addCurvature(
    _ rows: MatrixView<Double>, weights: [Float], into evaluation: inout Evaluation
  ) {
    grow(&curvatures, rows.rows)
    grow(&weighted, rows.rows * columns)
    for k in 0..<outputs {
      for l in 0...k {
        for row in 0..<rows.rows {
          let p = probabilities[row * outputs + k]
          let q = k == l ? 1 - p : -probabilities[row * outputs + l]
          curvatures[row] = Double(weights[row]) * p * q
        }
        // √c on the diagonal, where the product is symmetric.
        for row in 0..<rows.rows {
          let factor = k == l ? curvatures[row].squareRoot() : curvatures[row]
          let source = rows.row(row).base
          for column in 0..<columns { weighted[row * columns + column] = factor * source[column] }
        }
        let columns = columns
        evaluation.hessian?.withMutableView { hessian in
          let block = hessian.block(
            rows: k * columns..<(k + 1) * columns, columns: l * columns..<(l + 1) * columns)
          weighted.withVectorView { weighted in
            let weighted = MatrixView(weighted.base, rows: rows.rows, columns: columns)
            if k == l {
              BLAS.syrk(weighted, transposed: true, beta: 1, into: block)
            } else {
              BLAS.gemm(rows, aTransposed: true, weighted, beta: 1, into: block)
            }
          }
        }
      }
    }
  }

  private func grow(_ buffer: inout [Double], _ count: Int) {
    if buffer.count < count { buffer = Array(repeating: 0, count: count) }
  }
}
