import Foundation
import Millrace
import Testing

@Suite struct `Losses` {
  private static let threshold = 0.7
  private static let quantile = 0.2

  private static func function(_ loss: Loss) -> LossFunction {
    var settings = LearnerSettings()
    (settings.huberThreshold, settings.quantile) = (threshold, quantile)
    return LossFunction(loss, settings: settings)
  }

  /// The loss of margins by its definition; of `softmax`, the target is the class.
  private static func value(_ loss: Loss, _ margins: [Double], _ target: Double) -> Double {
    let residual = margins[0] - target
    return switch loss {
    case .squared: residual * residual / 2
    case .huber:
      abs(residual) < threshold
        ? residual * residual / 2 : threshold * (abs(residual) - threshold / 2)
    case .quantile: residual < 0 ? -quantile * residual : (1 - quantile) * residual
    case .poisson: exp(margins[0]) - target * margins[0]
    case .logistic: log(1 + exp(margins[0])) - target * margins[0]
    case .softmax: log(margins.reduce(0) { $0 + exp($1) }) - margins[Int(target)]
    }
  }

  /// What the function says of a record of weight 2: derivative and curvature per output.
  private static func told(
    _ loss: Loss, _ margins: [Double], _ target: Double
  ) -> (derivatives: [Double], curvatures: [Double]) {
    let function = function(loss)
    let outputs = margins.count
    var means = [Double](repeating: 0, count: outputs)
    function.link(margins.map { Float($0) }, outputs: outputs, count: 1, stride: 1, into: &means)
    var (derivatives, curvatures) = ([Double](), [Double]())
    for (output, mean) in means.enumerated() {
      let own = loss == .softmax ? (Double(output) == target ? 1 : 0) : target
      var number: Float = 0
      function.derivative(means: [mean], targets: [own], weights: [2], count: 1, into: &number)
      derivatives.append(Double(number))
      function.curvature(
        means: [mean], targets: [own], weights: [2], outputs: outputs, count: 1, into: &number)
      curvatures.append(Double(number))
    }
    return (derivatives, curvatures)
  }

  /// Margins and targets off the corners of `huber` and `quantile`, exact in single precision.
  private static func points(_ loss: Loss) -> [(margins: [Double], target: Double)] {
    switch loss {
    case .squared, .huber, .quantile:
      [([-2], 0.5), ([0.25], 0), ([0.5], -3), ([1.5], 1.25)]
    case .poisson: [([-1.5], 2), ([0.5], 0), ([2], 7)]
    case .logistic: [([-3], 1), ([-0.25], 0), ([2], 1), ([5], 0)]
    case .softmax: [([0.5, -1, 2], 0), ([0.5, -1, 2], 2), ([3, 3, 3], 1)]
    }
  }

  @Test(arguments: Loss.allCases) func `have the derivatives of their definitions`(loss: Loss) {
    let step = 1e-4
    for (margins, target) in Self.points(loss) {
      let (derivatives, curvatures) = Self.told(loss, margins, target)
      for output in margins.indices {
        func value(_ change: Double) -> Double {
          var moved = margins
          moved[output] += change
          return Self.value(loss, moved, target)
        }
        // Of weight 2, hence no halves; central differences err by some 1e-8.
        let slope = (value(step) - value(-step)) / step
        #expect(abs(derivatives[output] - slope) < 1e-6 * (1 + abs(slope)))
        let bend = 2 * (value(step) - 2 * value(0) + value(-step)) / (step * step)
        switch loss {
        case .squared, .poisson, .logistic:
          #expect(abs(curvatures[output] - bend) < 1e-5 * (1 + abs(bend)))
        // Outputs that are moved apart from one another: K/(K − 1) times their own.
        case .softmax: #expect(abs(curvatures[output] - 1.5 * bend) < 1e-5 * (1 + abs(bend)))
        case .huber, .quantile: break
        }
      }
    }
  }

  /// Hunter and Lange 2000: the parabola of slope and curvature at a point lies above the loss.
  @Test(arguments: [Loss.huber, .quantile]) func `with corners lie below their parabolas`(
    loss: Loss
  ) {
    for (margins, target) in Self.points(loss) {
      let (derivatives, curvatures) = Self.told(loss, margins, target)
      let start = Self.value(loss, margins, target)
      for step in stride(from: -4.0, through: 4, by: 0.125) {
        let parabola = 2 * start + derivatives[0] * step + curvatures[0] * step * step / 2
        #expect(2 * Self.value(loss, [margins[0] + step], target) <= parabola + 1e-5)
      }
    }
  }
}
