/// What the coefficients of a fit are worth, as statistics packages print it.
public struct CoefficientSummary: Codable, Equatable, Sendable {
  /// One coefficient.
  public struct Coefficient: Codable, Equatable, Sendable {
    /// The column's name; `intercept` for the constant.
    public let name: String
    /// The estimate, in the units of the input columns.
    public let estimate: Double
    /// The standard deviation of the estimate; `nil` where the data do not determine it.
    public let standardError: Double?
    /// estimate / standard error
    public let statistic: Double?
    /// The probability of a statistic at least so far from 0 if the true coefficient were 0.
    public let pValue: Double?
  }

  /// What a statistic is compared with.
  public enum Statistic: String, Codable, Sendable {
    /// Student's distribution.
    case t
    /// The normal distribution.
    case z
  }

  /// The intercept, then one row per column.
  public let coefficients: [Coefficient]
  /// What the statistics are compared with.
  public let statistic: Statistic
  /// Rows less independent columns.
  public let degreesOfFreedom: Int

  /// Tests each estimate against 0.
  ///
  /// - Parameters:
  ///   - names: of the columns.
  ///   - estimates: the intercept, then one per column.
  ///   - standardErrors: of each estimate.
  init(
    names: [String], estimates: [Double], standardErrors: [Double?], statistic: Statistic,
    degreesOfFreedom: Int
  ) {
    self.statistic = statistic
    self.degreesOfFreedom = degreesOfFreedom
    coefficients = (["intercept"] + names).indices.map { index in
      let ratio = standardErrors[index].map { estimates[index] / $0 }
      return Coefficient(
        name: index == 0 ? "intercept" : names[index - 1], estimate: estimates[index],
        standardError: standardErrors[index], statistic: ratio,
        pValue: ratio.map {
          statistic == .z
            ? Distribution.normalTails($0)
            : Distribution.studentTails($0, degreesOfFreedom: Double(degreesOfFreedom))
        })
    }
  }
}

extension LinearFit {
  /// Each coefficient with its standard error, t and p: as R's `lm` and statsmodels' `OLS`, with
  /// weights as in `WLS`.
  public func summary(names: [String]) -> CoefficientSummary {
    let errors = standardErrors
    return CoefficientSummary(
      names: names, estimates: [intercept] + coefficients,
      standardErrors: [errors.intercept] + errors.coefficients, statistic: .t,
      degreesOfFreedom: degreesOfFreedom)
  }
}
