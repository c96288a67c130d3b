internal import Glibc

/// The maximum of a penalised likelihood of classes over passes, in standardised columns.
struct LikelihoodSearch: Sendable {
  private let schema: Schema
  /// Where each class that has rows stands among these; the others have no part in the likelihood.
  private let positions: [Int: Int]
  private let means: [Double]
  /// 1 / standard deviation, 0 for a column that never varies.
  private let inverseDeviations: [Double]
  /// The weight of the lightest row.
  private let leastWeight: Double
  private var likelihood: CrossEntropy
  private var minimizer: any Minimizer
  private var evaluation: Evaluation
  /// Standardised rows with the constant last.
  private var standardized: [Double] = []

  /// - Parameters:
  ///   - classWeights: the total weight of each class's rows.
  ///   - leastWeight: the smallest positive weight of a row.
  ///   - newtonLimit: with more weights than this, L-BFGS takes Newton's place.
  init(
    schema: Schema, classWeights: [Double], leastWeight: Double, scaler: StandardScaler,
    newtonLimit: Int
  ) throws(MillraceError) {
    self.schema = schema
    self.leastWeight = leastWeight
    let classes = classWeights.indices.filter { classWeights[$0] > 0 }
    guard classes.count > 1 else {
      throw MillraceError(
        .numerical,
        classes.isEmpty
          ? "no row has a positive weight"
          : "every \(schema.label) is \(schema.classes[classes[0]]): there is nothing to tell apart"
      )
    }
    positions = Dictionary(uniqueKeysWithValues: zip(classes, 0...))
    means = scaler.means
    inverseDeviations = scaler.means.indices.map { column in
      let variance = scaler.exactVariance(column)
      return variance > 0 ? 1 / variance.squareRoot() : 0
    }
    likelihood = CrossEntropy(
      outputs: schema.task == .binary ? 1 : classes.count, columns: means.count + 1)
    let start = [Double](repeating: 0, count: likelihood.dimension)
    minimizer = start.count <= newtonLimit ? Newton(from: start) : LBFGS(from: start)
    evaluation = Evaluation(
      dimension: start.count, usesCurvature: type(of: minimizer).usesCurvature)
  }

  /// Adds a block's rows to the pass.
  mutating func add(_ block: RowBlock) {
    let width = means.count + 1
    if standardized.count < block.count * width {
      standardized = Array(repeating: 1, count: block.count * width)
    }
    for row in 0..<block.count {
      for column in means.indices {
        let value = block.features[row * means.count + column]
        standardized[row * width + column] =
          value.isFinite ? (value - means[column]) * inverseDeviations[column] : 0
      }
    }
    let labels = (0..<block.count).map { positions[Int(block.labels[$0])] ?? 0 }
    standardized.withVectorView { z in
      likelihood.add(
        MatrixView(z.base, rows: block.count, columns: width), labels: labels,
        weights: block.weights, at: minimizer.point, into: &evaluation)
    }
  }

  /// Moves on by what the pass found.
  ///
  /// - Parameter penalty: λ of ½λΣw², the constants' weights left out.
  /// - Returns: whether the optimum is reached.
  /// - Throws: `numerical` when the optimum is at infinity.
  mutating func finishPass(penalty: Double) throws(MillraceError) -> Bool {
    let (point, width) = (minimizer.point, means.count + 1)
    // A row on the wrong side costs its weight times log 2 or more: here none is.
    if penalty == 0, evaluation.value < leastWeight * log(2) {
      let largest = point.indices.max { abs(point[$0]) < abs(point[$1]) }
      throw separation(along: largest ?? 0)
    }
    for index in point.indices where index % width != means.count {
      evaluation.value += 0.5 * penalty * point[index] * point[index]
      evaluation.gradient[index] += penalty * point[index]
      evaluation.hessian?[index, index] += penalty
    }
    try minimizer.advance(evaluation)
    evaluation = Evaluation(
      dimension: point.count, usesCurvature: type(of: minimizer).usesCurvature)
    if case .unbounded(let coordinate) = minimizer.status { throw separation(along: coordinate) }
    return minimizer.status == .converged
  }

  private func separation(along coordinate: Int) -> MillraceError {
    let column = coordinate % (means.count + 1)
    let name = column < means.count ? "column '\(schema.featureNames[column])'" : "the constant"
    return MillraceError(
      .numerical,
      "\(name), alone or with others, tells classes of \(schema.label) apart without error: the"
        + " likelihood has no finite maximum; an L2 penalty gives one")
  }

  /// The weights over standardised columns and the constant, one vector per output; a class
  /// without rows has probability 0.
  var weights: [[Double]] {
    let (point, width) = (minimizer.point, means.count + 1)
    guard schema.task == .multiclass else { return [point] }
    return schema.classes.indices.map { index in
      positions[index].map { Array(point[$0 * width..<($0 + 1) * width]) }
        ?? Array(repeating: 0, count: means.count) + [Self.impossible]
    }
  }

  /// A margin whose probability is 0 beside any other.
  private static let impossible = -1e4

  /// Independent weights.
  var rank: Int { (minimizer as? Newton)?.rank ?? likelihood.dimension }

  /// The coefficients of these weights in the units of the input columns.
  func coefficients(_ weights: [Double]) -> (intercept: Double, columns: [Double]) {
    let columns = zip(weights, inverseDeviations).map(*)
    return (zip(columns, means).reduce(weights[means.count]) { $0 - $1.0 * $1.1 }, columns)
  }

  /// The standard errors of the intercept and of each column, where one output tells two classes
  /// apart: from the inverse of the observed information, as in statsmodels' `Logit`.
  var standardErrors: [Double?]? {
    guard schema.task == .binary, let newton = minimizer as? Newton else { return nil }
    func error(_ functional: [Double]) -> Double? {
      newton.inverseCurvature(along: functional).map { $0.squareRoot() }
    }
    let intercept = zip(means, inverseDeviations).map { -$0 * $1 } + [1]
    return [error(intercept)]
      + means.indices.map { column in
        guard inverseDeviations[column] > 0 else { return nil }
        var axis = [Double](repeating: 0, count: means.count + 1)
        axis[column] = inverseDeviations[column]
        return error(axis)
      }
  }
}
