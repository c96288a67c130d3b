import Glibc
import Millrace
import Testing

/// Sparse rows whose truth is linear: of `width` features each row has `entries`, the low ones more
/// often.
private struct SparseStream {
  var starts = [0]
  var indices: [UInt32] = []
  var values: [Float] = []
  var labels: [Double] = []

  init(rows: Int, width: Int, entries: Int, seed: UInt64 = 1) {
    var uniform = SeededUniform(seed: seed)
    let slopes = (0..<width).map { _ in uniform.normal() }
    for _ in 0..<rows {
      var score: Float = 0
      for _ in 0..<entries {
        let place = abs(uniform.next() * uniform.next())
        let column = min(Int(place * Float(width)), width - 1)
        let value = 1 + uniform.next() / 2
        indices.append(UInt32(column))
        // Columns have units of their own.
        values.append(value * powf(10, Float(column % 5) - 2))
        score += slopes[column] * value
      }
      starts.append(indices.count)
      labels.append(score / Float(entries).squareRoot() + uniform.normal() / 2 > 0 ? 1 : 0)
    }
  }

  func learnt(by learner: inout any SparseLearner, rows: Range<Int>? = nil) -> [Double] {
    let rows = rows ?? 0..<labels.count
    var predictions = [Double](repeating: .nan, count: rows.count)
    let weights = [Float](repeating: 1, count: labels.count)
    predictions.withUnsafeMutableBufferPointer { predictions in
      labels.withUnsafeBufferPointer { labels in
        withSparseRows(starts: starts, indices: indices, values: values, width: 1 << 18) { all in
          guard let base = predictions.baseAddress, let label = labels.baseAddress else { return }
          learner.learn(
            all.slice(from: rows.lowerBound, count: rows.count), labels: label + rows.lowerBound,
            weights: weights,
            predictions: PredictionRows(base: base, count: rows.count, width: 1))
        }
      }
    }
    return predictions
  }

  func loss(_ predictions: [Double], from first: Int = 0) -> Double {
    let losses = zip(predictions, labels[first...]).map { -log($1 == 1 ? $0 : 1 - $0) }
    return losses.reduce(0, +) / Double(losses.count)
  }
}

/// The bank for two classes from its formulas, in double precision.
private struct ReferenceSparseBank {
  let priors = [300.0, 50, 10, 2, 30]
  let limits = [.infinity, .infinity, .infinity, .infinity, 10.0]
  var means: [[UInt32: Double]] = Array(repeating: [:], count: 5)
  var precisions: [UInt32: Double] = [:]
  var sums: [UInt32: (sum: Double, count: Double)] = [:]
  var mixture = [Double](repeating: 0.2, count: 5)
  var logitWeights = Array(repeating: [Double](repeating: 0.2, count: 5), count: 2)
  var top = [Double](repeating: 1.0 / 3, count: 3)

  /// A column that no feature has.
  private static let constant = UInt32.max

  mutating func learn(_ row: [(UInt32, Double)], label: Double) -> Double {
    let entries = (row + [(Self.constant, 1)]).map { column, x in
      let seen = sums[column] ?? (0, 0)
      return (column, min(max(x * (seen.count + 1) / (seen.sum + abs(x)), -10), 10), abs(x))
    }
    func variance(_ lane: Int, _ column: UInt32) -> Double {
      1
        / ((column == Self.constant ? 1 : priors[lane])
          + min(precisions[column] ?? 0, limits[lane]))
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    var (kappas, logits) = ([Double](), [Double]())
    for lane in priors.indices {
      let m = entries.reduce(0) { $0 + (means[lane][$1.0] ?? 0) * $1.1 }
      let s = entries.reduce(0) { $0 + variance(lane, $1.0) * $1.1 * $1.1 }
      kappas.append(1 / (1 + Double.pi * s / 8).squareRoot())
      let limit = log((1 - 1e-4) / 1e-4)
      logits.append(min(max(kappas[lane] * m, -limit), limit))
    }
    let own = logits.map(sigmoid)
    let parts = [dot(mixture, own)] + logitWeights.map { sigmoid(dot($0, logits)) }
    let answer = dot(top, parts)

    let curvature = dot(mixture, zip(kappas, own).map { $0 * $0 * $1 * (1 - $1) })
    // By the variances that the answer had, also where a column comes twice.
    let moves = entries.map { column, z, _ in
      priors.indices.map { kappas[$0] * (label - own[$0]) * variance($0, column) * z }
    }
    for ((column, z, x), moves) in zip(entries, moves) {
      for lane in priors.indices { means[lane][column, default: 0] += moves[lane] }
      precisions[column, default: 0] += curvature * z * z
      let seen = sums[column] ?? (0, 0)
      sums[column] = (seen.sum + x, seen.count + 1)
    }
    func share(_ weights: [Double], _ p: [Double], _ share: Double) -> [Double] {
      let posterior = zip(weights, p).map { $0 * (label == 1 ? $1 : 1 - $1) }
      let total = posterior.reduce(0, +)
      return posterior.map { $0 / total * (1 - share) + share / Double(weights.count) }
    }
    mixture = share(mixture, own, 1e-3)
    top = share(top, parts, 1e-4)
    for (r, rate) in [0.0005, 0.002].enumerated() {
      for lane in priors.indices {
        logitWeights[r][lane] += rate * (label - parts[r + 1]) * logits[lane]
      }
    }
    return answer
  }
}

@Suite struct `Sparse bank` {
  private func makeLearner(_ task: Task = .binary) throws -> any SparseLearner {
    try LearnerSettings().makeSparseLearner(task: task, width: 1 << 18)
  }

  @Test(arguments: Task.allCases) func `keeps the laws of learners`(task: Task) throws {
    // Weights without covariance learn correlated columns less well than others.
    try checkLearner(
      LearnerSettings(), task: task, columnTolerance: 0.05,
      other: OtherLearner(
        make: { _ in try LearnerSettings().makeSparseLearner(task: task, width: 16) },
        decode: { try LearnerSettings().decodeSparseLearner(from: $0, prefix: $1) }))
  }

  @Test func `predicts what its formulas say in double precision`() throws {
    let stream = SparseStream(rows: 2_000, width: 400, entries: 12)
    var learner = try makeLearner()
    let predictions = stream.learnt(by: &learner)
    var reference = ReferenceSparseBank()
    for row in 0..<stream.labels.count {
      let entries = (stream.starts[row]..<stream.starts[row + 1]).map {
        (stream.indices[$0], Double(stream.values[$0]))
      }
      let expected = reference.learn(entries, label: stream.labels[row])
      #expect(abs(predictions[row] - expected) < 2e-4, "row \(row)")
    }
  }

  @Test func `learns nothing from entries that are 0 or not finite`() throws {
    let stream = SparseStream(rows: 500, width: 100, entries: 9)
    var padded = stream
    (padded.starts, padded.indices, padded.values) = ([0], [], [])
    for row in 0..<stream.labels.count {
      let entries = stream.starts[row]..<stream.starts[row + 1]
      // Rows of 9 to 17 entries: what says nothing stands at every place among eight.
      let count = row % 9
      padded.indices += (0..<count).map { UInt32(90 + $0) } + stream.indices[entries]
      padded.values += [0, .infinity, -.infinity, .nan, 0, 0, 0, 0].prefix(count)
      padded.values += stream.values[entries]
      padded.starts.append(padded.indices.count)
    }
    var (learner, other) = (try makeLearner(), try makeLearner())
    #expect(padded.learnt(by: &other) == stream.learnt(by: &learner))
  }

  @Test func `keeps a state as large as the features it saw`() throws {
    let stream = SparseStream(rows: 50, width: 100, entries: 5)
    var learner = try makeLearner()
    _ = stream.learnt(by: &learner)
    #expect(learner.columns == Set(stream.indices).sorted())
    // 8 floats and an index each, the constant and the unseen feature.
    let size = learner.encoded().count
    #expect(size < 2_000 + (learner.columns.count + 2) * 40)
  }

  @Test func `finds the coefficients' signs in the columns' units`() throws {
    let stream = SparseStream(rows: 20_000, width: 20, entries: 4)
    var learner = try makeLearner()
    _ = stream.learnt(by: &learner)
    var uniform = SeededUniform(seed: 1)
    let slopes = (0..<20).map { _ in uniform.normal() }
    let found = zip(learner.standardizedCoefficients(horizon: .never)[0], learner.columnScales)
      .map { $0 / $1 }
    for (column, coefficient) in found.enumerated() where abs(slopes[column]) > 0.3 {
      let unit = pow(10, Double(column % 5) - 2)
      let expected = Double(slopes[column]) / unit
      #expect(coefficient / expected > 0.3 && coefficient / expected < 3, "column \(column)")
    }
  }

  @Test func `merges partitions to nearly what one would have learnt`() throws {
    let stream = SparseStream(rows: 12_000, width: 300, entries: 8)
    var (first, second, whole) = (try makeLearner(), try makeLearner(), try makeLearner())
    _ = stream.learnt(by: &first, rows: 0..<5_000)
    _ = stream.learnt(by: &second, rows: 5_000..<10_000)
    _ = stream.learnt(by: &whole, rows: 0..<10_000)
    let scaler = StandardScaler(columnCount: 0, limit: 10)
    let parts = [first, second].compactMap { $0 as? SparseBank }.map {
      (learner: $0, scaler: scaler)
    }
    var merged: any SparseLearner = try SparseBank.merging(parts, scaler: scaler)
    func loss(_ learner: inout any SparseLearner) -> Double {
      stream.loss(stream.learnt(by: &learner, rows: 10_000..<12_000), from: 10_000)
    }
    let losses = (merged: loss(&merged), half: loss(&second), whole: loss(&whole))
    #expect(losses.merged < losses.half && losses.merged < losses.whole * 1.01, "\(losses)")
  }
}
