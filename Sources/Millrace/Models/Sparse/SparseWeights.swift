/// The weights of a `SparseLinearLearner` at one record, with what its optimizer keeps of them, for
/// the length of a call.
struct SparseWeights {
  /// Per place and output: the weight, Σg², FTRL's z, and the record of the last step.
  let states: UnsafeMutablePointer<Float>
  /// Σ|x| and the number of values, per place.
  let sums: UnsafeMutablePointer<Float>
  let outputCount: Int
  /// Records so far.
  let recordCount: Int
  private let learner: LearnerSettings.Kind
  private let rate: Float
  private let l1: Float
  private let l2: Float
  /// η of gradient descent.
  private let scheduledStep: Float

  static let stateSize = 4
  /// The step size where none is given; scaled values are about 1.
  private static let defaultRate = 0.1

  init(
    states: LaneBuffer, sums: LaneBuffer, outputCount: Int, recordCount: Int,
    settings: LearnerSettings
  ) {
    self.states = states.base
    self.sums = sums.base
    self.outputCount = outputCount
    self.recordCount = recordCount
    let rate = settings.learningRate ?? Self.defaultRate
    learner = settings.learner
    self.rate = Float(rate)
    (l1, l2) = (Float(settings.l1), Float(settings.l2))
    scheduledStep =
      learner == .sgd
      ? Float(settings.schedule.stepSize(max(recordCount, 1), rate: rate, l2: settings.l2)) : 0
  }

  /// A feature's number by the mean of its absolute values, where they are not 0.
  func scaled(_ x: Float, _ place: Int) -> Float {
    guard x.isFinite, x != 0 else { return 0 }
    let x = max(-1e30, min(1e30, x))
    let z = x * ((sums[2 * place + 1] + 1) / (sums[2 * place] + abs(x)))
    return max(-10, min(10, z))
  }

  /// Counts a feature's number towards its mean.
  func count(_ x: Float, _ place: Int) {
    sums[2 * place] += min(abs(x), 1e30)
    sums[2 * place + 1] += 1
  }

  /// A weight with the penalties of the records since its last step.
  func weight(_ place: Int, _ output: Int, isPenalized: Bool) -> Float {
    let state = states + (place * outputCount + output) * Self.stateSize
    let weight = state[0]
    guard isPenalized, weight != 0, learner != .ftrl, l1 > 0 || l2 > 0 else { return weight }
    let (skipped, step) = (Float(recordCount) - state[3], stepSize(state[1]))
    let shrunk = weight.shrunk(by: skipped * step * l1)
    return shrunk / Float(power(1 + Double(step * l2), Int(skipped)))
  }

  /// 1/(1 + η‖z‖²), with which gradient descent is stable at every rate (normalised least mean
  /// squares: Nagumo, Noda 1967); the others adapt by themselves.
  func damping(_ scaled: UnsafePointer<Float>, count: Int) -> Float {
    guard learner == .sgd else { return 1 }
    let squares = (0..<count).reduce(Float(1)) { $0 + scaled[$1] * scaled[$1] }
    return 1 / (1 + scheduledStep * squares)
  }

  /// Moves a weight by its gradient.
  func step(_ place: Int, _ output: Int, _ gradient: Float, isPenalized: Bool) {
    let state = states + (place * outputCount + output) * Self.stateSize
    let old = weight(place, output, isPenalized: isPenalized)
    let squares = state[1] + gradient * gradient
    if learner == .ftrl {
      let root = squares.squareRoot()
      state[2] += gradient - (root - state[1].squareRoot()) / rate * old
      let z = isPenalized ? state[2].shrunk(by: l1) : state[2]
      state[0] = -z / ((1 + root) / rate + (isPenalized ? l2 : 0))
    } else {
      state[0] = old - stepSize(squares) * gradient
    }
    state[1] = squares
    state[3] = Float(recordCount)
  }

  /// η of a weight whose squared gradients sum to `squares`.
  private func stepSize(_ squares: Float) -> Float {
    learner == .sgd ? scheduledStep : rate / (1 + squares).squareRoot()
  }
}
