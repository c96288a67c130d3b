internal import CMillraceKernels
internal import Glibc

/// What a linear learner minimises, with the link from its margin m = wᵀz to the predicted mean μ.
///
/// Targets of `squared`, `huber` and `quantile` are standardised, those of `poisson` are relative
/// to their mean, so that thresholds and rates have no units.
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
  /// −log μₖ of the class k that came, μ the softmax of a margin per class.
  case softmax

  /// The losses that a task may have, its default first.
  public static func allowed(for task: Task) -> [Loss] {
    switch task {
    case .regression: [.squared, .huber, .quantile, .poisson]
    case .binary: [.logistic]
    case .multiclass: [.softmax]
    }
  }

  /// The task's default.
  init(_ task: Task) {
    self =
      switch task {
      case .regression: .squared
      case .binary: .logistic
      case .multiclass: .softmax
      }
  }
}

/// A loss with its parameters. Margins and means of several outputs lie one output after another.
package struct LossFunction: Sendable {
  let loss: Loss
  /// Where Huber's loss turns linear, in standardised targets.
  let huberThreshold: Double
  /// The quantile that the pinball loss fits, in 0 … 1.
  let quantile: Double

  /// A loss with the settings' threshold and quantile.
  package init(_ loss: Loss, settings: LearnerSettings) {
    self.loss = loss
    huberThreshold = settings.huberThreshold
    quantile = settings.quantile
  }

  /// The predicted mean of each margin: `outputs` times `count` of them, `stride` apart.
  package func link(
    _ margins: UnsafePointer<Float>, outputs: Int, count: Int, stride: Int,
    into means: UnsafeMutablePointer<Double>
  ) {
    switch loss {
    case .squared, .huber, .quantile: for i in 0..<count { means[i] = Double(margins[i]) }
    case .poisson: millrace_exp(margins, count, means)
    case .logistic: millrace_sigmoid(margins, count, means)
    case .softmax: millrace_softmax(margins, outputs, count, stride, means)
    }
  }

  /// weight · ∂loss/∂m of each record: where the link is canonical, the residual μ − y.
  package func derivative(
    means: UnsafePointer<Double>, targets: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    count: Int, into derivatives: UnsafeMutablePointer<Float>
  ) {
    switch loss {
    case .squared, .poisson, .logistic, .softmax:
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

  /// weight · a curvature in m of each record: ∂²loss/∂m², or where the loss has corners, that of
  /// the parabola which touches it at m from above (Hunter, Lange 2000).
  ///
  /// The K outputs of a softmax are taken apart by K/(K − 1) times their own curvature, which is
  /// exact for two.
  package func curvature(
    means: UnsafePointer<Double>, targets: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    outputs: Int, count: Int, into curvatures: UnsafeMutablePointer<Float>
  ) {
    switch loss {
    case .squared: for i in 0..<count { curvatures[i] = weights[i] }
    case .poisson: for i in 0..<count { curvatures[i] = Float(means[i]) * weights[i] }
    case .logistic, .softmax:
      let factor = outputs > 1 ? Double(outputs) / Double(outputs - 1) : 1
      for i in 0..<count {
        curvatures[i] = Float(factor * means[i] * (1 - means[i])) * weights[i]
      }
    case .huber:
      for i in 0..<count {
        let distance = max(abs(means[i] - targets[i]), huberThreshold)
        curvatures[i] = Float(huberThreshold / distance) * weights[i]
      }
    case .quantile:
      for i in 0..<count {
        let distance = max(abs(means[i] - targets[i]), Self.smallestDistance)
        curvatures[i] = Float(0.5 / distance) * weights[i]
      }
    }
  }

  /// Adds weight · loss of a margin of 0, up to what depends on the target alone where the link is
  /// not the identity: record by record, so that the sum is the same however they are split.
  func addAtZero(
    targets: UnsafePointer<Double>, weights: UnsafePointer<Float>, outputs: Int, count: Int,
    to sum: inout Double
  ) {
    for i in 0..<count {
      let target = targets[i]
      let value =
        switch loss {
        case .squared: target * target / 2
        case .huber:
          abs(target) < huberThreshold
            ? target * target / 2 : huberThreshold * (abs(target) - huberThreshold / 2)
        case .quantile: target > 0 ? quantile * target : (quantile - 1) * target
        case .poisson: 1.0
        case .logistic: log(2.0)
        case .softmax: log(Double(outputs))
        }
      sum += Double(weights[i]) * value
    }
  }

  /// Closer than this to its corner, in standardised targets, the pinball loss counts as round.
  private static let smallestDistance = 0.05
}
