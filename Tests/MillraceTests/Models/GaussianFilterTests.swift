import Glibc
import Millrace
import Testing

/// Uniform numbers in [0, 1) that are the same in every language: Knuth's MMIX generator.
struct UniformStream {
  private var state: UInt64 = 42

  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) / 9_007_199_254_740_992
  }
}

@Suite struct `Gaussian filter` {
  /// Rows of two uniform columns and the constant, with a noisy linear label.
  private func stream(
    count: Int = 300
  ) -> (rows: [Float], binary: [Double], numbers: [Double]) {
    var uniform = UniformStream()
    var rows: [Float] = []
    for _ in 0..<count {
      rows += [Float(4 * uniform.next() - 2), Float(4 * uniform.next() - 2), 1]
    }
    var (binary, numbers): ([Double], [Double]) = ([], [])
    for row in 0..<count {
      let (a, b) = (Double(rows[3 * row]), Double(rows[3 * row + 1]))
      binary.append(a - 2 * b + 0.5 + 4 * uniform.next() - 2 > 0 ? 1 : 0)
      numbers.append(7 + 3 * a - b + 0.1 * sin(Double(row)))
    }
    return (rows, binary, numbers)
  }

  private func learn(
    _ filter: inout GaussianFilter, _ rows: [Float], _ labels: [Double], weights: [Float]? = nil
  ) -> [Double] {
    let width = filter.outputWidth(classCount: 2)
    var output = [Double](repeating: 0, count: labels.count * width)
    let weights = weights ?? Array(repeating: 1, count: labels.count)
    rows.withUnsafeBufferPointer { rows in
      output.withUnsafeMutableBufferPointer { output in
        guard let base = rows.baseAddress, let out = output.baseAddress else { return }
        filter.learn(
          Rows(base: base, count: labels.count, columns: 3, stride: 3), labels: labels,
          weights: weights,
          predictions: PredictionRows(base: out, count: labels.count, width: width))
      }
    }
    return output
  }

  private func settings(drift: Double) -> LearnerSettings {
    var settings = LearnerSettings()
    settings.driftVariance = drift
    return settings
  }

  @Test func `the logistic filter agrees with its formulas in NumPy`() throws {
    // w, C, q = zeros(3), 3*eye(3), .001
    // s = z @ C @ z; k = 1/sqrt(1 + pi*s/8); p = 1/(1 + exp(-k*w @ z))
    // v = C @ z; w += k*(y - p)*v; C = (1 - q/1000)*(C - k*k*p*(1 - p)*outer(v, v)) + q*eye(3)
    let (rows, labels, _) = stream()
    var filter = try GaussianFilter(settings: settings(drift: 0.001), task: .binary, columns: 3)
    let predictions = learn(&filter, rows, labels)
    #expect(predictions[0] == 0.5)
    #expect(abs(predictions[10] - 0.3858059398215814) < 1e-12)
    #expect(abs(predictions[299] - 0.9809528089670336) < 1e-12)
    let mean = [1.46442756, -2.98992729, 0.76626015]
    let variances = [0.12737167, 0.17567863, 0.12368624]
    for column in 0..<3 {
      #expect(abs(filter.mean[column] - mean[column]) < 1e-8)
      #expect(abs(filter.covariance[4 * column] - variances[column]) < 1e-8)
    }
  }

  @Test func `without drift the linear filter is ridge regression`() throws {
    // y = t - t[0]; solve(z.T @ z + diag([1, 1, .01]), z.T @ y)
    let (rows, _, labels) = stream()
    var filter = try GaussianFilter(settings: settings(drift: 0), task: .regression, columns: 3)
    _ = learn(&filter, rows, labels)
    for (weight, expected) in zip(filter.mean, [2.98925401, -0.98671442, -1.91599239]) {
      #expect(abs(weight - expected) < 1e-8)
    }
  }

  @Test func `nine targets in ten lie in the interval`() throws {
    let (rows, _, labels) = stream(count: 6000)
    var filter = try GaussianFilter(settings: settings(drift: 0), task: .regression, columns: 3)
    let predictions = learn(&filter, rows, labels)
    let covered = labels.indices.filter {
      predictions[3 * $0 + 1] <= labels[$0] && labels[$0] <= predictions[3 * $0 + 2]
    }
    #expect((5280...5520).contains(covered.count))
  }

  @Test(arguments: [1e-6, 1e6])
  func `the linear filter does not mind the target's unit`(unit: Double) throws {
    let (rows, _, labels) = stream()
    var (plain, scaled) = (
      try GaussianFilter(settings: settings(drift: 1e-4), task: .regression, columns: 3),
      try GaussianFilter(settings: settings(drift: 1e-4), task: .regression, columns: 3)
    )
    let expected = learn(&plain, rows, labels)
    let predictions = learn(&scaled, rows, labels.map { $0 * unit })
    for (prediction, expected) in zip(predictions, expected) {
      #expect(abs(prediction / unit - expected) < 1e-6)
    }
  }

  @Test func `a row of weight two counts twice, one of weight zero not at all`() throws {
    let (rows, _, labels) = stream()
    let new = {
      try GaussianFilter(settings: self.settings(drift: 0), task: .regression, columns: 3)
    }
    var (once, twice, weighted) = (try new(), try new(), try new())
    _ = learn(&once, Array(rows[..<6]), Array(labels[..<2]))
    _ = learn(&twice, Array(rows[..<6] + rows[3..<6]), Array(labels[..<2] + labels[1..<2]))
    _ = learn(
      &weighted, Array(rows[..<9]), Array(labels[..<3]), weights: [1, 2, 0])
    for column in 0..<3 {
      #expect(abs(weighted.mean[column] - twice.mean[column]) < 1e-12)
      #expect(abs(once.mean[column] - twice.mean[column]) > 1e-4)
    }
  }

  @Test(arguments: [Task.binary, .regression])
  func `merging reads each part in the merged columns`(task: Task) throws {
    // Both parts know the same: the merge must know it too, twice as surely, and give a raw record
    // the same margin through the merged scaler.
    let (rows, binary, numbers) = stream()
    var filter = try GaussianFilter(settings: settings(drift: 0), task: task, columns: 3)
    _ = learn(&filter, rows, task == .binary ? binary : numbers)
    func scaler(_ values: [Float]) -> StandardScaler {
      var scaler = StandardScaler(columnCount: 2, limit: 100)
      var output = [Float](repeating: 0, count: values.count / 2 * 3)
      scaler.transformAndUpdate(values, count: values.count / 2, into: &output, stride: 3)
      return scaler
    }
    func standardised(_ raw: [Float], by scaler: StandardScaler) -> [Double] {
      var output: [Float] = [0, 0, 0]
      FrozenScaler(scaler).transform(raw, count: 1, into: &output, stride: 3)
      return output.map(Double.init)
    }
    let (own, other) = (scaler([1, 4, 3, 2, 8, 3]), scaler([10, 1, -3, 2, 8, 4]))
    let merged = try GaussianFilter.merging([(filter, own), (filter, own)], scaler: other)

    let raw: [Float] = [5, 2.5]
    let (before, after) = (standardised(raw, by: own), standardised(raw, by: other))
    func product(_ left: [Double], _ right: [Double]) -> Double {
      zip(left, right).map(*).reduce(0, +)
    }
    func form(_ matrix: [Double], _ z: [Double]) -> Double {
      product((0..<3).map { product(Array(matrix[3 * $0..<3 * $0 + 3]), z) }, z)
    }
    let margins = (product(filter.mean, before), product(merged.mean, after))
    #expect(abs(margins.0 - margins.1) < 1e-5 * abs(margins.0))
    let variances = (form(filter.covariance, before), form(merged.covariance, after))
    #expect(abs(variances.0 / 2 - variances.1) < 1e-5 * variances.1)
  }

  @Test func `what it cannot do is refused with the reason`() {
    #expect(throws: MillraceError.self) {
      try GaussianFilter(settings: LearnerSettings(), task: .multiclass, columns: 3)
    }
    #expect {
      try GaussianFilter(settings: settings(drift: -1), task: .binary, columns: 3)
    } throws: { "\($0)".contains("driftVariance is \"-1.0\"") }
  }

  @Test(arguments: [Task.binary, .regression])
  func `keeps every learner's laws`(task: Task) throws {
    var settings = LearnerSettings()
    settings.learner = .filter
    try checkLearner(settings, task: task)
  }
}
