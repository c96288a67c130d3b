/// One of the models that a learner mixes, and how much it counts.
public struct Expert: Sendable, Equatable {
  /// What it is: `filter, drift 0.002`.
  public let name: String
  /// Its weight in the mixture; the weights of all experts sum to 1.
  public let weight: Double

  /// An expert.
  public init(name: String, weight: Double) {
    self.name = name
    self.weight = weight
  }

  /// What a model that takes Newton's steps is called.
  static func newtonName(memory: Float, noise: Float = 0) -> String {
    let isFinite = (0..<1e9).contains(memory)
    let name = "Newton's step" + (isFinite ? ", memory \(Int(memory.rounded())) records" : "")
    return noise > 0 ? "\(name), label noise \(noise)" : name
  }
}

/// A function of the columns beyond the columns themselves, with its coefficient.
public struct BasisTerm: Sendable, Equatable {
  /// What it is a function of: indices of standardised columns.
  public enum Function: Sendable, Hashable {
    /// 1.5·max(z, 0): another slope above the mean.
    case kink(Int)
    /// 3·max(|z| − 1, 0): both tails.
    case tails(Int)
    /// The product of two columns, cut at ±10.
    case product(Int, Int)
    /// A random Fourier feature of all columns, by its number.
    case wave(Int)
  }

  /// The function.
  public let function: Function
  /// The mean of its coefficients in the experts that see it, weighted like the experts.
  public let coefficient: Double

  /// What stands for the coefficients of all outputs: the only one, or the deviation over the classes.
  static func coefficient(of outputs: [Double]) -> Double {
    guard outputs.count > 1 else { return outputs.first ?? 0 }
    let mean = outputs.reduce(0, +) / Double(outputs.count)
    let squares = outputs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(outputs.count)).squareRoot()
  }
}

extension Learner {
  /// Which experts carry the weight now; none where a learner mixes nothing.
  public func experts(horizon: LabelHorizon) -> [Expert] { [] }

  /// The part of the model that is not linear in the columns; nothing where there is none.
  public func basisTerms(horizon: LabelHorizon) -> [BasisTerm] { [] }
}
