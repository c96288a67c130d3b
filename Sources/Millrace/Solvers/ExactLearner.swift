internal import Glibc

/// The exact solution of linear, logistic or softmax regression over rows that come in passes, so
/// that a file need not fit into memory.
///
///     repeat {
///       for block in file { try exact.add(block.rows, …) }
///       try exact.finishPass()
///     } while exact.wantsAnotherPass
///
/// What is minimised is what the online learners of the same settings tend to: the mean loss plus
/// l2/2 · Σw² over standardised columns, the constant free. Numbers are learnt by least squares
/// (one pass, and a second where rounding would show or values are missing); classes by Newton's
/// method, or by L-BFGS beyond `newtonLimit` weights (a pass each evaluation, after one for the
/// columns' statistics). Missing values are put at their column's mean. The rows' division into
/// calls changes nothing.
public struct ExactLearner: Sendable {
  /// What the columns and classes are.
  public let schema: Schema
  /// Whether the rows are wanted again, all of them and in the same order.
  public var wantsAnotherPass: Bool { solution == nil }
  /// Passes finished.
  public private(set) var passCount = 0
  /// The columns' statistics.
  public private(set) var scaler: StandardScaler
  /// What was found, once no pass is wanted.
  private(set) var solution: Solution?

  let settings: LearnerSettings
  private(set) var rowCount = 0
  private var hasMissing = false
  /// The total weight of each class's rows.
  private var classWeights: [Double]
  /// The smallest positive weight of a row.
  private var leastWeight = Double.infinity
  private var block: RowBlock
  private var phase = Phase.first(nil)

  /// What a pass is for.
  private enum Phase {
    /// The columns' statistics; for numbers, also the fit, while no value is missing.
    case first(LeastSquares?)
    case leastSquares(LeastSquares)
    case refinement(LinearFit, ResidualMoments)
    case likelihood(LikelihoodSearch)
  }

  /// More weights than this, and the Hessian takes longer than the passes it saves.
  public static let newtonLimit = 1024

  /// Below this share per column, rounding is not worth another pass.
  private static let acceptedError = 1e-14

  /// A learner that has seen nothing.
  ///
  /// - Throws: `configuration` for a penalty or loss that has no exact solution here.
  public init(schema: Schema, settings: LearnerSettings) throws(MillraceError) {
    try settings.validate(for: schema.task)
    guard settings.l1 == 0 else {
      throw .setting("l1", "\(settings.l1)", expected: "0, as the exact solution has no L1 penalty")
    }
    if let loss = settings.loss, loss != Loss(schema.task) {
      throw .setting("loss", loss.rawValue, expected: "squared, for the exact solution")
    }
    self.schema = schema
    self.settings = settings
    let columnCount = schema.featureNames.count
    scaler = StandardScaler(columnCount: columnCount, limit: .infinity)
    block = RowBlock(columnCount: columnCount)
    classWeights = schema.classes.map { _ in 0 }
  }

  /// Takes in rows.
  ///
  /// - Parameters:
  ///   - rows: raw values, a column per feature name of the schema; what is not finite is missing.
  ///   - labels: the target, or the class index; one per row, finite.
  ///   - weights: the importance of each row; finite and not negative.
  /// - Throws: `input` for a label that is not a class; `numerical` when numbers overflow.
  public mutating func add(
    _ rows: MatrixView<Double>, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>
  ) throws(MillraceError) {
    precondition(
      rows.columns == block.columnCount, "\(rows.columns) columns for \(block.columnCount)")
    for index in 0..<rows.rows {
      let label = labels[index]
      guard isAllowed(label) else {
        throw MillraceError(
          .input,
          "\(schema.label) is \(label); expected "
            + (schema.task == .regression ? "a number" : "0 to \(schema.classes.count - 1)"))
      }
      block.append(rows.row(index).base, label: label, weight: weights[index])
      if block.isFull { try process() }
    }
  }

  private func isAllowed(_ label: Double) -> Bool {
    guard schema.task != .regression else { return label.isFinite }
    return Int(exactly: label).map(schema.classes.indices.contains) ?? false
  }

  /// Ends the pass: what it was for is computed.
  ///
  /// - Throws: `numerical` when there is no row, or no finite optimum.
  public mutating func finishPass() throws(MillraceError) {
    try process()
    passCount += 1
    switch exchange(&phase, with: .first(nil)) {
    case .first(let leastSquares): try finishFirst(leastSquares)
    case .leastSquares(let leastSquares): try finish(leastSquares)
    case .refinement(let fit, let moments): solution = .linear(fit.refined(by: moments))
    case .likelihood(var search):
      if try search.finishPass(penalty: settings.l2 * Double(rowCount)) {
        solution = .logistic(search)
      }
      phase = .likelihood(search)
    }
  }

  private mutating func finishFirst(_ leastSquares: LeastSquares?) throws(MillraceError) {
    guard rowCount > 0 else { throw MillraceError(.numerical, "there are no rows to learn from") }
    if schema.task == .regression {
      guard hasMissing else {
        if let leastSquares { try finish(leastSquares) }
        return
      }
      phase = .leastSquares(LeastSquares(shift: scaler.means + [0]))
    } else {
      phase = .likelihood(
        try LikelihoodSearch(
          schema: schema, classWeights: classWeights, leastWeight: leastWeight, scaler: scaler,
          newtonLimit: Self.newtonLimit))
    }
  }

  private mutating func finish(_ leastSquares: LeastSquares) throws(MillraceError) {
    var leastSquares = leastSquares
    let penalties = scaler.means.indices.map { column in
      settings.l2 * Double(rowCount) * scaler.exactVariance(column)
    }
    let fit = try leastSquares.solve(penalties: settings.l2 > 0 ? penalties : nil)
    if fit.errorEstimate > Self.acceptedError * Double(max(scaler.columnCount, 8)),
      fit.isDetermined.allSatisfy(\.self)
    {
      phase = .refinement(fit, ResidualMoments(of: fit))
    } else {
      solution = .linear(fit)
    }
  }

  /// Does the pass's work for the rows of a block.
  private mutating func process() throws(MillraceError) {
    guard block.count > 0 else { return }
    defer { block.removeAll() }
    // Taken out while it changes, so that its buffers are not copied.
    switch exchange(&phase, with: .first(nil)) {
    case .first(var leastSquares):
      try processFirst(&leastSquares)
      phase = .first(leastSquares)
    case .leastSquares(var leastSquares):
      block.impute(scaler.means)
      try leastSquares.add(block)
      phase = .leastSquares(leastSquares)
    case .refinement(let fit, var moments):
      block.impute(scaler.means)
      try block.withRows { moments.add($0, targets: block.labels, weights: block.weights) }
      phase = .refinement(fit, moments)
    case .likelihood(var search):
      search.add(block)
      phase = .likelihood(search)
    }
  }

  private mutating func processFirst(_ leastSquares: inout LeastSquares?) throws(MillraceError) {
    let statistics = block.statistics
    scaler.merge(statistics)
    rowCount += block.count
    guard schema.task == .regression else {
      for row in 0..<block.count {
        let weight = Double(block.weights[row])
        classWeights[Int(block.labels[row])] += weight
        if weight > 0 { leastWeight = min(leastWeight, weight) }
      }
      return
    }
    hasMissing = hasMissing || block.hasMissing
    guard !hasMissing else { return }
    if leastSquares == nil {
      leastSquares = LeastSquares(shift: statistics.means + [block.labels[0]])
    }
    try leastSquares?.add(block)
  }
}

extension LeastSquares {
  fileprivate mutating func add(_ block: RowBlock) throws(MillraceError) {
    try block.withRows { (rows) throws(MillraceError) in
      try add(rows, targets: block.labels, weights: block.weights)
    }
  }
}

extension StandardScaler {
  /// The population variance in double precision; 0 where it is rounding alone.
  func exactVariance(_ column: Int) -> Double {
    let squares = squaredDistances[column]
    let isRounding = squares <= 1e-28 * counts[column] * means[column] * means[column]
    return isRounding ? 0 : squares / counts[column]
  }
}
