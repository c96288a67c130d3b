internal import CMillraceKernels

/// What a linear learner minimises, with the link from its margin m = wᵀz to the predicted mean μ.
///
/// Targets of `squared`, `huber` and `quantile` are standardised, those of `poisson` are relative
/// to their mean (see `TargetScale`), so that thresholds and rates have no units.
public enum Loss: String, Codable, Sendable, CaseIterable {
  /// ½(μ − y)², μ = m.
  case squared
  /// Squared up to a distance, linear beyond (Huber 1964), μ = m.
  case huber
  /// The pinball loss of a quantile (Koenker, Bassett 1978), μ = m.
  case quantile
  /// μ − y·log μ, μ = exp(m): counts and rates. Targets below 0 count as 0.
  case poisson
  /// −y·log μ − (1 − y)·log(1 − μ), μ = 1/(1 + exp(−m)).
  case logistic

  /// The losses that a task may have, its default first.
  public static func allowed(for task: Task) -> [Loss] {
    switch task {
    case .regression: [.squared, .huber, .quantile, .poisson]
    case .binary: [.logistic]
    case .multiclass: []
    }
  }
}

/// A loss with its parameters.
struct LossFunction: Sendable {
  let loss: Loss
  /// Where Huber's loss turns linear, in standardised targets.
  let huberThreshold: Double
  /// The quantile that the pinball loss fits, in 0 … 1.
  let quantile: Double

  init(_ loss: Loss, settings: LearnerSettings) {
    self.loss = loss
    huberThreshold = settings.huberThreshold
    quantile = settings.quantile
  }

  /// The predicted mean of each margin.
  func link(
    _ margins: UnsafePointer<Float>, count: Int, into means: UnsafeMutablePointer<Double>
  ) {
    switch loss {
    case .squared, .huber, .quantile: for i in 0..<count { means[i] = Double(margins[i]) }
    case .poisson: millrace_exp(margins, count, means)
    case .logistic: millrace_sigmoid(margins, count, means)
    }
  }

  /// weight · ∂loss/∂m of each record: the residual μ − y, which the canonical links leave as it
  /// is.
  func derivative(
    means: UnsafePointer<Double>, targets: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    count: Int, into derivatives: UnsafeMutablePointer<Float>
  ) {
    switch loss {
    case .squared, .poisson, .logistic:
      for i in 0..<count { derivatives[i] = Float(means[i] - targets[i]) * weights[i] }
    case .huber:
      for i in 0..<count {
        let residual = max(-huberThreshold, min(huberThreshold, means[i] - targets[i]))
        derivatives[i] = Float(residual) * weights[i]
      }
    case .quantile:
      for i in 0..<count {
        let slope =
          means[i] > targets[i] ? 1 - quantile : means[i] < targets[i] ? -quantile : 0
        derivatives[i] = Float(slope) * weights[i]
      }
    }
  }
}
