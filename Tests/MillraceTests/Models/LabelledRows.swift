import Millrace

/// SeededUniform numbers in −1 … 1 from a linear congruential generator (Knuth's MMIX constants), the
/// same in every language.
struct SeededUniform {
  private var state: UInt64

  init(seed: UInt64 = 1) { state = seed }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / 8_388_608 - 1
  }

  /// Roughly normal, variance 1.
  mutating func normal() -> Float { (0..<12).reduce(0) { sum, _ in sum + next() } / 2 }
}

/// A labelled stream in memory: raw features, labels and weights.
struct LabelledRows {
  var columnCount: Int { columnNames.count }
  var columnNames: [String]
  var features: [Float]
  var labels: [Double]
  var weights: [Float]

  var count: Int { labels.count }

  /// A stream whose truth is linear, or has a square in it: six columns of unequal means and spreads,
  /// one of them with missing values.
  static func linear(
    _ task: Task, count: Int, classCount: Int, seed: UInt64 = 1, square: Float = 0
  ) -> LabelledRows {
    let (means, spreads) = (
      [0, 5, -3, 0, 100, 0.5] as [Float], [1, 2, 0.5, 1, 30, 0.1] as [Float]
    )
    let slopes: [Float] = [1.5, -1, 0.5, 0, 1, -0.5]
    var uniform = SeededUniform(seed: seed)
    var rows = LabelledRows(columnNames: Self.names(6), features: [], labels: [], weights: [])
    for index in 0..<count {
      let standard = (0..<6).map { _ in uniform.normal() }
      for j in 0..<6 {
        let isMissing = j == 3 && index % 5 == 0
        rows.features.append(isMissing ? .nan : means[j] + spreads[j] * standard[j])
      }
      let linear = 0.5 + zip(slopes, standard).reduce(0) { $0 + $1.0 * $1.1 }
      let score = linear + square * (standard[0] * standard[0] - 1)
      let noise = uniform.normal()
      switch task {
      case .regression: rows.labels.append(Double(20 + 4 * (score + noise)))
      case .binary: rows.labels.append(score + 2 * noise > 0 ? 1 : 0)
      case .multiclass:
        let level = Int(((score + noise) / 2 + 2).rounded())
        rows.labels.append(Double(max(0, min(classCount - 1, level))))
      }
      // One by one and many in a row, records that count for nothing.
      let isIdle = index % 11 == 4 || 400..<420 ~= index
      rows.weights.append(isIdle ? 0 : index % 7 == 3 ? 2 : 1)
    }
    return rows
  }

  /// The rows with columns that `change` makes of each row's columns.
  func mapColumns(_ change: ([Float], Int) -> [Float]) -> LabelledRows {
    var result = self
    result.features = []
    for row in 0..<count {
      let columns = features[row * columnCount..<(row + 1) * columnCount]
      result.features += change(Array(columns), row)
    }
    let columnCount = result.features.count / count
    if columnCount != self.columnCount { result.columnNames = Self.names(columnCount) }
    return result
  }

  private static func names(_ count: Int) -> [String] { (0..<count).map { "x\($0)" } }

  /// The rows standardised as they arrive, the constant last.
  func standardized() -> (rows: [Float], scaler: StandardScaler) {
    var scaler = StandardScaler(columnCount: columnCount, limit: 10)
    var output = [Float](repeating: 0, count: count * (columnCount + 1))
    scaler.transformAndUpdate(features, count: count, into: &output, stride: columnCount + 1)
    return (output, scaler)
  }
}

/// Standardised rows of a column, its opposite and the constant, and a noisy score of each that turns
/// half-way.
func collinearRows(count: Int) -> (rows: [Float], scores: [Float]) {
  var uniform = SeededUniform(seed: 5)
  var (rows, scores): ([Float], [Float]) = ([], [])
  for index in 0..<count {
    let a = uniform.normal()
    rows += [a, -a, 1]
    scores.append((index < count / 2 ? a : -2 * a) + uniform.normal())
  }
  return (rows, scores)
}

extension Learner {
  /// Learns all rows, `sizes` of them per call in turn, and returns what it predicted before.
  mutating func learn(
    _ features: [Float], columns: Int, labels: [Double], weights: [Float], width: Int,
    sizes: [Int] = [64]
  ) -> [Double] {
    var predictions = [Double](repeating: .nan, count: labels.count * width)
    predictions.withUnsafeMutableBufferPointer { predictions in
      withRows(features, columns: columns) { rows in
        labels.withUnsafeBufferPointer { labels in
          weights.withUnsafeBufferPointer { weights in
            guard let output = predictions.baseAddress, let label = labels.baseAddress,
              let weight = weights.baseAddress
            else { return }
            let outputs = PredictionRows(base: output, count: labels.count, width: width)
            var start = 0
            var call = 0
            while start < labels.count {
              let count = min(sizes[call % sizes.count], labels.count - start)
              learn(
                rows.slice(from: start, count: count), labels: label + start,
                weights: weight + start, predictions: outputs.slice(from: start, count: count))
              start += count
              call += 1
            }
          }
        }
      }
    }
    return predictions
  }

  /// Predicts all rows, `size` of them per call.
  func predict(
    _ features: [Float], columns: Int, width: Int, horizon: LabelHorizon = .immediate,
    size: Int = .max
  ) -> [Double] {
    let count = features.count / columns
    var predictions = [Double](repeating: .nan, count: count * width)
    predictions.withUnsafeMutableBufferPointer { predictions in
      withRows(features, columns: columns) { rows in
        guard let output = predictions.baseAddress else { return }
        let outputs = PredictionRows(base: output, count: count, width: width)
        for start in stride(from: 0, to: count, by: min(size, count)) {
          let length = min(size, count - start)
          predict(
            rows.slice(from: start, count: length), horizon: horizon,
            into: outputs.slice(from: start, count: length))
        }
      }
    }
    return predictions
  }

  /// The rows as the learner takes them: dense, or the entries that are not 0.
  private func withRows(_ features: [Float], columns: Int, _ body: (Rows) -> Void) {
    let count = features.count / columns
    guard self is any SparseLearner else {
      return features.withUnsafeBufferPointer { features in
        guard let base = features.baseAddress else { return }
        body(Rows(base: base, count: count, columns: columns, stride: columns))
      }
    }
    let entries = features.indices.filter { features[$0] != 0 }
    var starts = [0]
    for row in 0..<count {
      let own = features[row * columns..<(row + 1) * columns]
      starts.append((starts.last ?? 0) + own.count { $0 != 0 })
    }
    withSparseRows(
      starts: starts, indices: entries.map { UInt32($0 % columns) },
      values: entries.map { features[$0] }, width: 16, body)
  }

  /// Everything learnt, as the bytes of an archive.
  func encoded() -> [UInt8] {
    var archive = TensorArchive()
    encode(into: &archive, prefix: "learner.")
    return archive.encoded()
  }
}

/// A view of compressed rows.
func withSparseRows(
  starts: [Int], indices: [UInt32], values: [Float], width: Int, _ body: (Rows) -> Void
) {
  starts.withUnsafeBufferPointer { starts in
    indices.withUnsafeBufferPointer { indices in
      values.withUnsafeBufferPointer { values in
        guard let first = starts.baseAddress, let indices = indices.baseAddress,
          let values = values.baseAddress
        else { return }
        let entries = Rows.Entries(starts: first, indices: indices, values: values)
        body(Rows(entries: entries, count: starts.count - 1, columns: width))
      }
    }
  }
}
