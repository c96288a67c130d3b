import Glibc
import Millrace
import Testing

@Suite struct `Bank of experts for numbers` {
  private func settings(_ basis: LearnerSettings.Basis = .auto) -> LearnerSettings {
    var settings = LearnerSettings()
    settings.basis = basis
    return settings
  }

  private func learn(
    _ bank: inout RegressionBank, _ rows: [Float], columns: Int, _ labels: [Double]
  ) -> [Double] {
    bank.learn(
      rows, columns: columns, labels: labels, weights: Array(repeating: 1, count: labels.count),
      width: 3, sizes: [64])
  }

  /// Every third number: the means without the intervals.
  private func means(_ predictions: [Double]) -> [Double] {
    stride(from: 0, to: predictions.count, by: 3).map { predictions[$0] }
  }

  private func rmse(_ predictions: [Double], _ labels: [Double]) -> Double {
    let squares = zip(predictions, labels).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (squares / Double(labels.count)).squareRoot()
  }

  /// Rows of two free columns, their difference, a constant column and the constant; targets that
  /// follow the last one, turn half-way, and are an outlier now and then.
  private func turningStream(count: Int, outliers: Bool = true) -> (rows: [Float], labels: [Double])
  {
    var uniform = SeededUniform(seed: 3)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, a - b, 0, 1]
      let signal = index < count / 2 ? a - 2 * b : 2 * a + b
      let noise = uniform.normal() * (outliers && index % 97 == 96 ? 50 : 1)
      labels.append(1_000 + 0.5 * ((labels.last ?? 1_000) - 1_000) + Double(signal + noise))
    }
    return (rows, labels)
  }

  @Test(arguments: [LearnerSettings.Basis.auto, .linear, .additive, .quadratic])
  func `keeps every learner's laws`(basis: LearnerSettings.Basis) throws {
    try checkLearner(settings(basis), task: .regression)
  }

  @Test func `keeps them where the wider basis works`() throws {
    try checkLearner(settings(.auto), task: .regression, isCurved: true)
  }

  @Test(arguments: [LearnerSettings.Basis.linear, .quadratic])
  func `lanes agree with the plain formulas in double precision`(
    basis: LearnerSettings.Basis
  ) throws {
    let (rows, labels) = turningStream(count: basis == .linear ? 20_000 : 8_000)
    var reference = ReferenceRegressionBank(columns: 5, isQuadratic: basis == .quadratic)
    let expected = labels.indices.map { row in
      reference.learn(rows[5 * row..<5 * row + 5].map(Double.init), labels[row])
    }
    var bank = try RegressionBank(settings: settings(basis), columns: 5)
    let predictions = means(learn(&bank, rows, columns: 5, labels))
    #expect(abs(rmse(predictions, labels) / rmse(expected, labels) - 1) < 1e-4)
    #expect(rmse(predictions, expected) < 1e-2 * rmse(expected, labels))
  }

  @Test func `ferns agree with the plain formulas in double precision`() throws {
    let (rows, scores) = corneredRows(count: 4_000)
    var uniform = SeededUniform(seed: 6)
    let labels = scores.map { Double(10 + 3 * ($0 + 0.3 * uniform.normal())) }
    var reference = ReferenceRegressionBank(columns: 11, isQuadratic: true, hasFerns: true)
    let expected = labels.indices.map { row in
      reference.learn(rows[11 * row..<11 * row + 11].map(Double.init), labels[row])
    }
    var bank = try RegressionBank(settings: settings(), columns: 11)
    let predictions = means(learn(&bank, rows, columns: 11, labels))
    let ferns = bank.experts(horizon: .immediate).suffix(2)
    #expect(ferns.map(\.weight).reduce(0, +) > 0.5)
    #expect(abs(rmse(predictions, labels) / rmse(expected, labels) - 1) < 1e-4)
    #expect(rmse(predictions, expected) < 1e-2 * rmse(expected, labels))
  }

  @Test func `two million collinear rows agree with double precision`() throws {
    let count = 2_000_000
    let (rows, scores) = collinearRows(count: count)
    let labels = scores.map(Double.init)
    var reference = ReferenceRegressionBank(columns: 3, isQuadratic: false)
    let expected = labels.indices.map { row in
      reference.learn(rows[3 * row..<3 * row + 3].map(Double.init), labels[row])
    }
    var bank = try RegressionBank(settings: settings(.linear), columns: 3)
    let predictions = means(learn(&bank, rows, columns: 3, labels))
    #expect(bank.isFinite)
    // Over the last tenth, after all that rounding could add up to.
    let tail = (count - count / 10)...
    let (own, other, truth) = (
      Array(predictions[tail]), Array(expected[tail]), Array(labels[tail])
    )
    #expect(abs(rmse(own, truth) / rmse(other, truth) - 1) < 1e-3)
    // Among experts that are nearly alike, rounding decides which leads.
    #expect(rmse(own, other) < 5e-2 * rmse(other, truth))
  }

  @Test(arguments: [(20_000, false), (20_000, true), (1_000, false), (1_000, true)])
  func `nine targets in ten lie in the interval, outliers or not`(
    count: Int, outliers: Bool
  ) throws {
    let (rows, labels) = turningStream(count: count, outliers: outliers)
    var bank = try RegressionBank(settings: settings(), columns: 5)
    let predictions = learn(&bank, rows, columns: 5, labels)
    let covered = labels.indices.count {
      predictions[3 * $0 + 1] <= labels[$0] && labels[$0] <= predictions[3 * $0 + 2]
    }
    #expect(0.88...0.92 ~= Double(covered) / Double(count))
  }

  @Test(arguments: [false, true])
  func `skewed and wild targets cost no more than by least squares`(isSkewed: Bool) throws {
    var uniform = SeededUniform(seed: 12)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<8_000 {
      let (a, b, noise) = (uniform.normal(), uniform.normal(), Double(uniform.normal()))
      rows += [a, b, 1]
      let wild = index % 100 == 50 ? 100 * noise : noise
      labels.append(Double(a - b) + (isSkewed ? exp(1.5 * noise) : wild))
    }
    var still = LearnerSettings()
    still.driftVariance = 0
    var filter = try GaussianFilter(settings: still, task: .regression, columns: 3)
    let weights = [Float](repeating: 1, count: labels.count)
    let leastSquares = filter.learn(rows, columns: 3, labels: labels, weights: weights, width: 3)
    var bank = try RegressionBank(settings: settings(), columns: 3)
    let own = rmse(means(learn(&bank, rows, columns: 3, labels)), labels)
    #expect(own < 1.01 * rmse(means(leastSquares), labels))
  }

  @Test(arguments: [30.0, 100, 300])
  func `outliers hardly move what is said of the next records`(size: Double) throws {
    var uniform = SeededUniform(seed: 4)
    var (rows, labels, signals): ([Float], [Double], [Double]) = ([], [], [])
    for _ in 0..<20_000 {
      let (a, b, noise) = (uniform.normal(), uniform.normal(), Double(uniform.normal()))
      rows += [a, b, 1]
      signals.append(Double(2 * a - b))
      labels.append(signals[signals.count - 1] + (uniform.next() > 0.98 ? size : 1) * noise)
    }
    var bank = try RegressionBank(settings: settings(), columns: 3)
    let predictions = means(learn(&bank, rows, columns: 3, labels))
    // A mixture that one outlier may decide errs by as much as the outlier now and then.
    #expect(rmse(Array(predictions[2_000...]), Array(signals[2_000...])) < 0.5)
  }

  @Test func `the last targets help while they come, and are done without where they do not`()
    throws
  {
    // Half of each target's distance stays: worth 15 % with the lags, nothing without.
    let (rows, labels) = turningStream(count: 12_000, outliers: false)
    let split = 11_000
    var bank = try RegressionBank(settings: settings(), columns: 5)
    _ = learn(&bank, Array(rows[..<(5 * split)]), columns: 5, Array(labels[..<split]))
    let (rest, expected) = (Array(rows[(5 * split)...]), Array(labels[split...]))
    let frozen = means(bank.predict(rest, columns: 5, width: 3, horizon: .never))
    // Without lags the targets' own deviation around the truth, 2.45/√(1 − ¼), less the signal's.
    #expect(rmse(frozen, expected) < 1.85)
    let fresh = means(learn(&bank, rest, columns: 5, expected))
    #expect(rmse(fresh, expected) < 1.07)
  }

  @Test(arguments: [false, true])
  func `a bank merged from partitions predicts like one that saw all`(isWide: Bool) throws {
    let stream = LabelledRows.linear(.regression, count: 12_000, classCount: 0)
    let test = LabelledRows.linear(.regression, count: 4_000, classCount: 0, seed: 9)
    func part(_ range: Range<Int>) throws -> (learner: RegressionBank, scaler: StandardScaler) {
      var rows = stream
      let d = stream.columnCount
      rows.features = Array(stream.features[range.lowerBound * d..<range.upperBound * d])
      rows.labels = Array(stream.labels[range])
      rows.weights = Array(stream.weights[range])
      let (standardized, scaler) = rows.standardized()
      var bank = try RegressionBank(settings: settings(), columns: d + 1, isWide: isWide)
      _ = bank.learn(
        standardized, columns: d + 1, labels: rows.labels, weights: rows.weights, width: 3)
      return (bank, scaler)
    }
    func loss(_ bank: RegressionBank, _ scaler: StandardScaler) -> Double {
      let d = test.columnCount + 1
      var output = [Float](repeating: 0, count: test.count * d)
      FrozenScaler(scaler).transform(test.features, count: test.count, into: &output, stride: d)
      return rmse(means(bank.predict(output, columns: d, width: 3, horizon: .never)), test.labels)
    }
    let parts = [try part(0..<5_000), try part(5_000..<12_000)]
    let whole = try part(0..<12_000)
    let merged = try RegressionBank.merging(parts, scaler: whole.scaler)
    #expect(abs(loss(merged, whole.scaler) / loss(whole.learner, whole.scaler) - 1) < 0.01)
  }

  @Test func `its coefficients are the truth, in the target's units`() throws {
    var uniform = SeededUniform(seed: 8)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for _ in 0..<5_000 {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, 1]
      labels.append(Double(300 * a - 100 * b + 40 + 10 * uniform.normal()))
    }
    var bank = try RegressionBank(settings: settings(), columns: 3)
    _ = learn(&bank, rows, columns: 3, labels)
    for horizon in [LabelHorizon.immediate, .never] {
      let shares = bank.experts(horizon: horizon).map(\.weight)
      #expect(shares.count == 38 && abs(shares.reduce(0, +) - 1) < 1e-4)
    }
    let coefficients = try #require(bank.standardizedCoefficients(horizon: .immediate).first)
    for (coefficient, truth) in zip(coefficients, [300.0, -100, 40]) {
      #expect(abs(coefficient - truth) < 2)
    }
  }

  /// Rows of two free columns whose targets are linear at first, and from `turn` on their product.
  private func productStream(count: Int, turn: Int) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 5)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b, noise) = (uniform.normal(), uniform.normal(), uniform.normal())
      rows += [a, b, 1]
      labels.append(Double((index < turn ? a - b : 2 * a * b + a) + 0.5 * noise))
    }
    return (rows, labels)
  }

  private func predictions(
    _ basis: LearnerSettings.Basis, _ stream: (rows: [Float], labels: [Double]),
    sizes: [Int] = [64]
  ) throws -> (bank: RegressionBank, means: [Double]) {
    var bank = try RegressionBank(settings: settings(basis), columns: 3)
    let predictions = bank.learn(
      stream.rows, columns: 3, labels: stream.labels,
      weights: Array(repeating: 1, count: stream.labels.count), width: 3, sizes: sizes)
    return (bank, means(predictions))
  }

  @Test func `the wide group joins where the truth is curved, from the start and later`() throws {
    let turning = productStream(count: 12_000, turn: 6_000)
    func late(_ basis: LearnerSettings.Basis) throws -> Double {
      let means = try predictions(basis, turning).means
      return rmse(Array(means[9_000...]), Array(turning.labels[9_000...]))
    }
    #expect(try late(.linear) > 2)
    #expect(try late(.auto) < 0.55)
    let curved = productStream(count: 3_000, turn: 0)
    #expect(try rmse(predictions(.auto, curved).means, curved.labels) < 0.6)
  }

  @Test func `the wide group costs nothing where the truth is linear`() throws {
    let stream = productStream(count: 20_000, turn: .max)
    let errors = try [LearnerSettings.Basis.auto, .linear].map {
      try rmse(predictions($0, stream).means, stream.labels)
    }
    #expect(errors[0] < errors[1] * 1.001)
  }

  @Test func `falling asleep and waking depend on record numbers alone`() throws {
    let stream = productStream(count: 9_000, turn: 6_000)
    let whole = try predictions(.auto, stream)
    let split = try predictions(.auto, stream, sizes: [1, 77, 300])
    #expect(whole.means == split.means)
    #expect(whole.bank.encoded() == split.bank.encoded())
  }

  @Test func `the wide group's coefficients are the truth, in the target's units`() throws {
    let stream = productStream(count: 4_000, turn: 0)
    let scaled = (stream.rows, stream.labels.map { 1_000 * $0 + 5_000 })
    let bank = try predictions(.quadratic, scaled).bank
    for horizon in [LabelHorizon.immediate, .never] {
      let experts = bank.experts(horizon: horizon)
      let wide = experts.filter { $0.name.hasPrefix("wide filter, drift") }
      #expect(experts.count == 36 && wide.map(\.weight).reduce(0, +) > 0.9)
      let terms = bank.basisTerms(horizon: horizon)
      let greatest = try #require(terms.max { abs($0.coefficient) < abs($1.coefficient) })
      #expect(greatest.function == .product(1, 0))
      #expect(abs(greatest.coefficient - 2_000) < 100)
    }
  }

  @Test func `first targets that differ by rounding alone cost something, not everything`() throws {
    let (rows, labels) = turningStream(count: 2_000, outliers: false)
    var misleading = labels
    (misleading[0], misleading[1]) = (5, 5 + 1e-12)
    let errors = try [labels, misleading].map { labels in
      var bank = try RegressionBank(settings: settings(), columns: 5)
      let predictions = means(learn(&bank, rows, columns: 5, labels))
      return rmse(Array(predictions[1_200...]), Array(labels[1_200...]))
    }
    // Some 1.3 times: the wrong noise of the first rows has shrunk covariances. A unit of rounding
    // would cut all later targets and cost a thousand times as much.
    #expect(errors[1] < 1.5 * errors[0])
  }

  @Test func `targets that do not vary are predicted as they are`() throws {
    var bank = try RegressionBank(settings: settings(), columns: 2)
    let predictions = learn(
      &bank, Array(repeating: 1, count: 20), columns: 2, Array(repeating: 7.5, count: 10))
    #expect(predictions[3...].allSatisfy { $0 == 7.5 })
  }
}
