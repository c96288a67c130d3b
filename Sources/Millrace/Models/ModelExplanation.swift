/// What a model answers with: which experts carry the weight, and what each column does.
public struct ModelExplanation: Codable, Equatable, Sendable {
  /// The weight of an expert under both horizons.
  public struct ExpertShare: Codable, Equatable, Sendable {
    /// The expert.
    public var name: String
    /// Its share where every label is learnt before the next prediction.
    public var immediate: Double
    /// Its share where no label comes: in a file to score, in a server.
    public var never: Double
  }

  /// The experts; none where the learner mixes nothing.
  public var experts: [ExpertShare]
  /// The linear part, per column and output, the largest effects first.
  public var coefficients: [Coefficient]
  /// The part beyond the columns, the largest effects first.
  public var basis: [Coefficient]
}

/// The weight of one feature.
public struct Coefficient: Codable, Equatable, Sendable {
  /// The feature's name.
  public var name: String
  /// The class it speaks for, with more than two.
  public var output: String?
  /// Per standard deviation of the feature.
  public var standardized: Double
  /// Per unit of the feature.
  public var perUnit: Double?

  /// A weight.
  public init(name: String, output: String? = nil, standardized: Double, perUnit: Double?) {
    self.name = name
    self.output = output
    self.standardized = standardized
    self.perUnit = perUnit
  }
}

extension Model {
  /// Explains the model; coefficients are those with which `horizon` answers.
  public func explanation(horizon: LabelHorizon = .never) -> ModelExplanation {
    let names = coefficientNames
    let standardized = learner.standardizedCoefficients(horizon: horizon)
    let perUnit = coefficients(horizon: horizon)
    var linear: [Coefficient] = []
    for (output, weights) in standardized.enumerated() {
      for (column, name) in names.enumerated() where column < weights.count {
        linear.append(
          Coefficient(
            name: name, output: standardized.count > 1 ? schema.classes[output] : nil,
            standardized: weights[column], perUnit: perUnit[output].columns[column]))
      }
    }
    let basis = learner.basisTerms(horizon: horizon).map { term in
      Coefficient(
        name: term.function.description(columns: names), standardized: term.coefficient,
        perUnit: nil)
    }
    return ModelExplanation(
      experts: zip(learner.experts(horizon: .immediate), learner.experts(horizon: .never)).map {
        .init(name: $0.name, immediate: $0.weight, never: $1.weight)
      },
      coefficients: linear.sorted { abs($0.standardized) > abs($1.standardized) },
      basis: basis.sorted { abs($0.standardized) > abs($1.standardized) })
  }
}

extension BasisTerm.Function {
  /// What it is, in words: `x1 × x2`.
  func description(columns names: [String]) -> String {
    func name(_ column: Int) -> String { names.indices.contains(column) ? names[column] : "1" }
    return switch self {
    case .kink(let column): "\(name(column)) above its mean"
    case .tails(let column): "\(name(column)) beyond one deviation"
    case .product(let first, let second): "\(name(first)) × \(name(second))"
    case .wave(let number): "wave \(number + 1) of all columns"
    }
  }
}
