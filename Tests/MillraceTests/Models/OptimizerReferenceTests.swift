import Foundation
import Millrace
import Testing

/// The optimizers beside their papers' algorithms, written down plainly in double precision.
@Suite struct `Optimizers` {
  /// Records of two classes, the constant last.
  private struct Stream {
    var rows: [[Double]] = []
    var labels: [Double] = []
    var columns: Int { rows[0].count }

    /// A column and its opposite.
    init(collinear count: Int) {
      let (features, scores) = collinearRows(count: count)
      rows = (0..<count).map { features[3 * $0..<3 * $0 + 3].map(Double.init) }
      labels = scores.map { $0 > 0.3 ? 1 : 0 }
    }

    /// Three columns that matter, two of noise.
    init(count: Int) {
      var uniform = SeededUniform(seed: 5)
      for _ in 0..<count {
        let row = (0..<5).map { _ in Double(uniform.next()) }
        let score = 3 * row[0] - 2 * row[1] + row[2] + 0.5
        labels.append(score + Double(uniform.next()) > 0 ? 1 : 0)
        rows.append(row + [1])
      }
    }

    /// The sum of the gradients of records at weights.
    func gradient(_ records: Range<Int>, _ weights: [Double]) -> [Double] {
      var sum = [Double](repeating: 0, count: weights.count)
      for i in records {
        let residual = probability(i, weights) - labels[i]
        for j in sum.indices { sum[j] += residual * rows[i][j] }
      }
      return sum
    }

    func probability(_ record: Int, _ weights: [Double]) -> Double {
      1 / (1 + exp(-zip(rows[record], weights).reduce(0) { $0 + $1.0 * $1.1 }))
    }

    /// The learner's blocks: 1, 2, 4, … records up to the block size.
    func blocks(_ batchSize: Int) -> [Range<Int>] {
      var blocks: [Range<Int>] = []
      var start = 0
      while start < rows.count {
        let end = start + min(batchSize, start + 1)
        if end <= rows.count { blocks.append(start..<end) }
        start = end
      }
      return blocks
    }

    /// The weights of Millrace's learner after one pass.
    func learnt(_ settings: LearnerSettings) -> [Double] {
      var learner = LinearLearner(settings: settings, task: .binary, columnCount: columns)
      _ = learner.learn(
        rows.flatMap { $0.map { Float($0) } }, columns: columns, labels: labels,
        weights: Array(repeating: 1, count: rows.count), width: 1)
      return learner.standardizedCoefficients(horizon: .never)[0]
    }
  }

  private func settings(
    _ learner: LearnerSettings.Kind, batchSize: Int, rate: Double? = nil, l1: Double = 0,
    l2: Double = 0
  ) -> LearnerSettings {
    var settings = LearnerSettings()
    (settings.learner, settings.batchSize, settings.learningRate) = (learner, batchSize, rate)
    (settings.l1, settings.l2, settings.schedule) = (l1, l2, .constant)
    return settings
  }

  private func expectEqual(_ weights: [Double], _ reference: [Double], within tolerance: Double) {
    for (weight, expected) in zip(weights, reference) {
      #expect(abs(weight - expected) < tolerance, "\(weights) beside \(reference)")
    }
  }

  private func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }

  /// Duchi, Hazan and Singer 2011, figure 1 with the diagonal and the L1 update of section 5.1.
  private func adaGrad(_ stream: Stream, batchSize: Int, l1: Double = 0) -> [Double] {
    var w = [Double](repeating: 0, count: stream.columns)
    var squares = w
    for block in stream.blocks(batchSize) {
      let sum = stream.gradient(block, w)
      for j in w.indices {
        let g = sum[j] / Double(block.count)
        squares[j] += g * g
        let rate = 0.3 / squares[j].squareRoot()
        let moved = w[j] - rate * g
        w[j] = sign(moved) * max(0, abs(moved) - (j == w.count - 1 ? 0 : rate * l1))
      }
    }
    return w
  }

  @Test(arguments: [1, 8], [0, 0.01]) func `AdaGrad is the paper's`(batchSize: Int, l1: Double) {
    let stream = Stream(count: 511)
    let w = adaGrad(stream, batchSize: batchSize, l1: l1)
    let settings = settings(.adagrad, batchSize: batchSize, rate: 0.3, l1: l1)
    expectEqual(stream.learnt(settings), w, within: 1e-4)
  }

  /// Kingma and Ba 2015, algorithm 1.
  private func adam(_ stream: Stream, batchSize: Int) -> [Double] {
    var w = [Double](repeating: 0, count: stream.columns)
    var (m, v) = (w, w)
    for (t, block) in zip(1..., stream.blocks(batchSize)) {
      let sum = stream.gradient(block, w)
      for j in w.indices {
        let g = sum[j] / Double(block.count)
        m[j] = 0.9 * m[j] + 0.1 * g
        v[j] = 0.999 * v[j] + 0.001 * g * g
        let mean = m[j] / (1 - pow(0.9, Double(t)))
        w[j] -= 0.05 * mean / ((v[j] / (1 - pow(0.999, Double(t)))).squareRoot() + 1e-8)
      }
    }
    return w
  }

  @Test(arguments: [1, 8]) func `Adam is the paper's`(batchSize: Int) {
    let stream = Stream(count: 511)
    let settings = settings(.adam, batchSize: batchSize, rate: 0.05)
    expectEqual(stream.learnt(settings), adam(stream, batchSize: batchSize), within: 1e-4)
  }

  /// McMahan and others 2013, algorithm 1.
  private func ftrl(_ stream: Stream, l1: Double, l2: Double) -> [Double] {
    let (alpha, beta) = (0.5, 1.0)
    var z = [Double](repeating: 0, count: stream.columns)
    var n = z
    func weights() -> [Double] {
      z.indices.map { j in
        let own = j == z.count - 1 ? (l1: 0, l2: 0) : (l1: l1, l2: l2)
        guard abs(z[j]) > own.l1 else { return 0 }
        return -(z[j] - sign(z[j]) * own.l1) / ((beta + n[j].squareRoot()) / alpha + own.l2)
      }
    }
    for i in stream.rows.indices {
      let w = weights()
      let g = stream.gradient(i..<i + 1, w)
      for j in z.indices {
        let sigma = ((n[j] + g[j] * g[j]).squareRoot() - n[j].squareRoot()) / alpha
        z[j] += g[j] - sigma * w[j]
        n[j] += g[j] * g[j]
      }
    }
    return weights()
  }

  @Test func `FTRL-Proximal is the paper's, and its L1 penalty makes weights 0`() {
    let stream = Stream(count: 500)
    let learnt = stream.learnt(settings(.ftrl, batchSize: 1, rate: 0.5, l1: 6, l2: 0.5))
    expectEqual(learnt, ftrl(stream, l1: 6, l2: 0.5), within: 1e-4)
    #expect(learnt[3] == 0 && learnt[4] == 0, "columns of noise")
    #expect(learnt[0] > 0.1 && learnt[1] < -0.1)
  }

  /// H + λI of all records so far, and a Newton step a block; λ is 1 for so few columns.
  private func newton(_ stream: Stream, forgetting: Double) throws -> [Double] {
    var w = [Double](repeating: 0, count: stream.columns)
    var h = Matrix<Double>(rows: w.count, columns: w.count)
    for block in stream.blocks(8) {
      let decay = pow(forgetting, Double(block.count))
      for a in w.indices { for b in w.indices { h[a, b] *= decay } }
      for i in block {
        let p = stream.probability(i, w)
        for a in w.indices {
          for b in w.indices { h[a, b] += p * (1 - p) * stream.rows[i][a] * stream.rows[i][b] }
        }
      }
      var regularized = h
      for j in w.indices { regularized[j, j] += 1 }
      var delta = stream.gradient(block, w)
      try Cholesky(regularized).solve(&delta)
      for j in w.indices { w[j] -= delta[j] }
    }
    return w
  }

  @Test(arguments: [1.0, 0.99]) func `OnlineNewton takes Newton's steps`(forgetting: Double) throws
  {
    let stream = Stream(count: 63)
    var settings = settings(.newton, batchSize: 8)
    settings.forgetting = forgetting
    expectEqual(stream.learnt(settings), try newton(stream, forgetting: forgetting), within: 1e-3)
  }

  @Test func `two million collinear records leave all of them where double precision does`() throws
  {
    let stream = Stream(collinear: 2_000_000)
    var newtonSettings = settings(.newton, batchSize: 8)
    newtonSettings.forgetting = 0.999
    for (settings, reference) in [
      (settings(.sgd, batchSize: 8, rate: 0.01), descent(stream, batchSize: 8)),
      (settings(.adagrad, batchSize: 8, rate: 0.3), adaGrad(stream, batchSize: 8)),
      (settings(.adam, batchSize: 8, rate: 0.05), adam(stream, batchSize: 8)),
      (settings(.ftrl, batchSize: 1, rate: 0.5, l2: 0.5), ftrl(stream, l1: 0, l2: 0.5)),
      (newtonSettings, try newton(stream, forgetting: 0.999)),
    ] {
      let learnt = stream.learnt(settings)
      // Only the difference of two opposite columns' weights says anything of the records.
      let own = (learnt[0] - learnt[1], learnt[2])
      let expected = (reference[0] - reference[1], reference[2])
      #expect(
        abs(own.0 - expected.0) < 1e-3 && abs(own.1 - expected.1) < 1e-3,
        "\(settings.learner): \(own) instead of \(expected)")
    }
  }

  /// Gradient descent at a constant rate of 0.01.
  private func descent(_ stream: Stream, batchSize: Int) -> [Double] {
    var w = [Double](repeating: 0, count: stream.columns)
    for block in stream.blocks(batchSize) {
      let sum = stream.gradient(block, w)
      for j in w.indices { w[j] -= 0.01 * sum[j] / Double(block.count) }
    }
    return w
  }
}
