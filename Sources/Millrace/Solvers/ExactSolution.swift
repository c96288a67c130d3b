extension ExactLearner {
  /// What the last pass found.
  enum Solution: Sendable {
    case linear(LinearFit)
    case logistic(LikelihoodSearch)
  }

  /// Each output's coefficients in the units of the input columns, to full precision: one output,
  /// or one per class for several classes. Empty while another pass is wanted.
  public var coefficients: [(intercept: Double, columns: [Double])] {
    switch solution {
    case nil: []
    case .linear(let fit): [(fit.intercept, fit.coefficients)]
    case .logistic(let search): search.weights.map(search.coefficients)
    }
  }

  /// Standard errors, test statistics and p-values of an unpenalised regression or two-class fit;
  /// `nil` for others, and while another pass is wanted.
  public var summary: CoefficientSummary? {
    guard settings.l2 == 0 else { return nil }
    switch solution {
    case nil: return nil
    case .linear(let fit): return fit.summary(names: schema.featureNames)
    case .logistic(let search):
      guard let errors = search.standardErrors, let own = coefficients.first else { return nil }
      return CoefficientSummary(
        names: schema.featureNames, estimates: [own.intercept] + own.columns,
        standardErrors: errors, statistic: .z, degreesOfFreedom: rowCount - search.rank)
    }
  }

  /// The solution as a model that predicts.
  ///
  /// - Throws: `numerical` while another pass is wanted.
  public func makeModel() throws(MillraceError) -> Model {
    guard !wantsAnotherPass else {
      throw MillraceError(.numerical, "the exact solution is not complete: it wants another pass")
    }
    // The model's own scaling is undone: weight · deviation, and the constant at the means.
    let weights = coefficients.map { output in
      output.columns.indices.map { output.columns[$0] * scaler.standardDeviation($0) }
        + [zip(output.columns, scaler.means).reduce(output.intercept) { $0 + $1.0 * $1.1 }]
    }
    var model = Model(
      schema: schema, settings: settings, scaler: scaler,
      learner: ExactModel(task: schema.task, weights: weights))
    model.rowCount = rowCount
    return model
  }
}
