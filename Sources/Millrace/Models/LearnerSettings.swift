/// Everything a learner can be told. Every field has a default that needs no thought.
///
/// The JSON and YAML keys are the property names; the command line's flags are theirs with dashes.
public struct LearnerSettings: Codable, Equatable, Sendable {
  /// Which learner.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The bank of experts.
    case auto
    /// Stochastic gradient descent.
    case sgd
    /// Per-coordinate adaptive steps (Duchi, Hazan, Singer 2011).
    case adagrad
    /// Adaptive moments (Kingma, Ba 2015).
    case adam
    /// Follow the regularised leader, proximal (McMahan et al. 2013).
    case ftrl
    /// The online Newton step over blocks.
    case newton
    /// One Gaussian filter: dynamic logistic or linear regression.
    case filter
    /// The exact batch solution.
    case exact
  }

  /// How a learning rate falls over time, as in scikit-learn's `SGDClassifier`.
  public enum Schedule: String, Codable, Sendable, CaseIterable {
    /// η = η₀.
    case constant
    /// η = η₀ / t^0.25.
    case invscaling
    /// η = 1 / (α (t₀ + t)), Bottou's heuristic; needs an L2 penalty α.
    case optimal
  }

  /// Which functions of the columns a learner may use.
  public enum Basis: String, Codable, Sendable, CaseIterable {
    /// Wider groups join where they earn their place.
    case auto
    /// The columns alone.
    case linear
    /// Squares or hinges of each column.
    case additive
    /// Squares or hinges, and the products of pairs.
    case quadratic
  }

  /// The learner.
  public var learner: Kind = .auto
  /// The basis, for learners that have one.
  public var basis: Basis = .auto
  /// The first step size η₀; `nil` is the learner's own default.
  public var learningRate: Double? = nil
  /// How the step size falls, for `sgd` and `adam`.
  public var schedule: Schedule = .invscaling
  /// The L1 penalty.
  public var l1: Double = 0
  /// The L2 penalty.
  public var l2: Double = 0
  /// What is minimised; `nil` is the task's own: `squared` or `logistic`.
  public var loss: Loss? = nil
  /// Where Huber's loss turns linear, in deviations of the target.
  public var huberThreshold: Double = 0.1
  /// The quantile that the `quantile` loss fits.
  public var quantile: Double = 0.5
  /// The factor of each class's records, in the order of the classes; empty is 1 each.
  public var classWeights: [Double] = []
  /// The longest mean gradient of a block; a longer one is shortened to it. `nil` is no limit.
  public var gradientLimit: Double? = nil
  /// Whether the mean of the weights over all steps predicts, for optimizers with a step size.
  public var averaging: Bool = false
  /// The factor per record by which Newton's steps forget; 1 forgets nothing, `nil` remembers some
  /// 150 records per column.
  public var forgetting: Double? = nil
  /// Records per learning block, for learners that work by blocks.
  public var batchSize: Int = 32
  /// The seed of everything random.
  public var seed: UInt64 = 1
  /// The variance that a filter's weights gain per record, in standardised units.
  public var driftVariance: Double = 0.001
  /// The variance that a filter expects of its weights; `nil` is 3, and for numbers 1.
  public var priorVariance: Double? = nil
  /// Constants of the bank of experts, by name, that replace its own: a number for every expert or
  /// mixture that has it. `Model.bankConstants` has all of a bank's.
  public var bankConstants: [String: [Double]] = [:]

  /// The defaults.
  public init() {}
}
