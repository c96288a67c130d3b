import Millrace
import Testing

/// Weights after one pass over 400 records, block size 1, beside those of scikit-learn 1.9.1:
///
/// ```python
/// def uniform(n):                       # the generator `SeededUniform`
///     s = 1; out = []
///     for _ in range(n):
///         s = (s * 6364136223846793005 + 1442695040888963407) % 2**64
///         out.append((s >> 40) / 2**23 - 1)
///     return np.array(out)
/// u = uniform(400 * 5).reshape(400, 5)
/// X, w = u[:, :3], 1 + u[:, 4]
/// m = X @ [1.5, -2, .5] + .3
/// y, t = (m + u[:, 3] > 0).astype(int), m + .5 * u[:, 3]
/// SGDClassifier(loss='log_loss', penalty=…, alpha=…, l1_ratio=…, learning_rate=…, eta0=.1,
///               power_t=.25, shuffle=False, max_iter=1, tol=None).fit(X, y, sample_weight=w)
/// SGDRegressor(…the same…).fit(X, t, sample_weight=w)
/// ```
@Suite struct `SGD weights` {
  struct Case: Sendable, CustomStringConvertible {
    var schedule: LearnerSettings.Schedule
    var l1 = 0.0
    var l2 = 0.0
    var task = Task.binary
    var loss: Loss?
    var averaging = false
    var expected: [Double]

    var description: String {
      "\(task) \(schedule) l1 \(l1) l2 \(l2)\(averaging ? " averaged" : "")"
    }
  }

  static let cases = [
    Case(schedule: .constant, expected: [2.24079808, -2.57043366, 0.86366925, 0.60488357]),
    Case(schedule: .invscaling, expected: [1.09228309, -1.34462961, 0.35431141, 0.32062853]),
    Case(
      schedule: .constant, l2: 0.001, expected: [2.20366023, -2.52131861, 0.84950816, 0.6024238]),
    Case(
      schedule: .optimal, l2: 0.001, expected: [5.84661402, -7.3125192, 2.95273332, 2.91121498]),
    Case(  // alpha 0.01, l1_ratio 0.5
      schedule: .invscaling, l1: 0.005, l2: 0.005,
      expected: [1.02525491, -1.26235384, 0.30687508, 0.31861759]),
    Case(
      schedule: .invscaling, task: .regression,
      expected: [1.49543872, -1.97246258, 0.51111267, 0.30234807]),
    Case(
      schedule: .invscaling, l2: 0.001, task: .regression,
      expected: [1.49145311, -1.9663701, 0.50944186, 0.30260044]),
    Case(
      schedule: .constant, l1: 0.005, l2: 0.005, task: .regression,
      expected: [1.51756819, -1.96658886, 0.36477962, 0.28680546]),
    Case(  // loss='huber', epsilon=.1
      schedule: .constant, task: .regression, loss: .huber,
      expected: [1.11985534, -1.38413251, 0.37355493, 0.31449549]),
    Case(  // average=True
      schedule: .constant, averaging: true,
      expected: [1.36177152, -1.83002403, 0.41933752, 0.32315784]),
    Case(
      schedule: .invscaling, task: .regression, averaging: true,
      expected: [1.22382113, -1.66395229, 0.44778287, 0.33860576]),
  ]

  @Test(arguments: cases) func `agree with scikit-learn`(_ expected: Case) throws {
    var settings = LearnerSettings()
    settings.learner = .sgd
    settings.batchSize = 1
    settings.learningRate = 0.1
    (settings.schedule, settings.l1, settings.l2) = (expected.schedule, expected.l1, expected.l2)
    (settings.loss, settings.averaging) = (expected.loss, expected.averaging)
    var uniform = SeededUniform()
    var (rows, labels, weights) = ([Float](), [Double](), [Float]())
    for _ in 0..<400 {
      let u = (0..<5).map { _ in uniform.next() }
      rows += u[..<3] + [1]
      let margin = 1.5 * Double(u[0]) - 2 * Double(u[1]) + 0.5 * Double(u[2]) + 0.3
      let noise = Double(u[3])
      labels.append(expected.task == .binary ? (margin + noise > 0 ? 1 : 0) : margin + 0.5 * noise)
      weights.append(1 + u[4])
    }
    var learner = LinearLearner(
      settings: settings, task: expected.task, columnCount: 4, standardizesTarget: false)
    _ = learner.learn(rows, columns: 4, labels: labels, weights: weights, width: 1)
    for (weight, reference) in zip(
      learner.standardizedCoefficients(horizon: .never)[0], expected.expected)
    {
      #expect(abs(weight - reference) < 1e-5)
    }
  }
}
