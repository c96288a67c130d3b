import Glibc
import Millrace
import Testing

@Suite struct `Bank of experts for two classes` {
  private var settings: LearnerSettings {
    var settings = LearnerSettings()
    settings.learner = .auto
    return settings
  }

  @Test func `keeps every learner's laws`() throws {
    try checkLearner(settings, task: .binary)
  }

  /// Rows whose truth turns round half-way: two free columns, their difference, a constant column,
  /// the constant.
  private func turningStream(count: Int) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 3)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, a - b, 0, 1]
      let margin = index < count / 2 ? a - 2 * b : 2 * a + b
      labels.append(margin + 1.5 * uniform.normal() > 0.3 ? 1 : 0)
    }
    return (rows, labels)
  }

  private func logLoss(_ predictions: [Double], _ labels: [Double]) -> Double {
    let losses = zip(predictions, labels).map { -log($1 == 1 ? $0 : 1 - $0) }
    return losses.reduce(0, +) / Double(losses.count)
  }

  @Test func `lanes agree with the plain formulas in double precision`() throws {
    let (rows, labels) = turningStream(count: 60_000)
    var reference = ReferenceBank(columns: 5)
    let expected = labels.indices.map { row in
      reference.learn(rows[5 * row..<5 * row + 5].map(Double.init), labels[row] == 1)
    }
    var bank = BinaryBank(settings: settings, columns: 5)
    let predictions = bank.learn(
      rows, columns: 5, labels: labels, weights: Array(repeating: 1, count: labels.count), width: 1)
    #expect(abs(logLoss(predictions, labels) - logLoss(expected, labels)) < 1e-5)
    let distances = zip(predictions, expected).map { abs($0 - $1) }
    #expect(distances.reduce(0, +) / Double(distances.count) < 1e-4)
  }

  @Test func `two million collinear rows leave it finite and sharp`() throws {
    let (rows, labels) = turningStream(count: 10_000)
    var bank = BinaryBank(settings: settings, columns: 5)
    let weights = [Float](repeating: 1, count: labels.count)
    var predictions: [Double] = []
    for _ in 0..<200 {
      predictions = bank.learn(rows, columns: 5, labels: labels, weights: weights, width: 1)
    }
    #expect(bank.isFinite)
    #expect(logLoss(predictions, labels) < 0.45)
  }

  @Test func `a bank merged from partitions predicts like one that saw all`() throws {
    let stream = LabelledRows.linear(.binary, count: 12_000, classCount: 2)
    let test = LabelledRows.linear(.binary, count: 4_000, classCount: 2, seed: 9)
    func part(_ range: Range<Int>) -> (learner: BinaryBank, scaler: StandardScaler) {
      var rows = stream
      rows.features = Array(
        stream.features[range.lowerBound * 6..<range.upperBound * 6])
      rows.labels = Array(stream.labels[range])
      rows.weights = Array(stream.weights[range])
      let (standardized, scaler) = rows.standardized()
      var bank = BinaryBank(settings: settings, columns: 7)
      _ = bank.learn(
        standardized, columns: 7, labels: rows.labels, weights: rows.weights, width: 1)
      return (bank, scaler)
    }
    func loss(_ bank: BinaryBank, _ scaler: StandardScaler) -> Double {
      var output = [Float](repeating: 0, count: test.count * 7)
      scaler.transform(test.features, count: test.count, into: &output, stride: 7)
      return logLoss(bank.predict(output, columns: 7, width: 1), test.labels)
    }
    let parts = [part(0..<5_000), part(5_000..<12_000)]
    let whole = part(0..<12_000)
    let merged = try BinaryBank.merging(parts, scaler: whole.scaler)
    let losses = (loss(merged, whole.scaler), loss(whole.learner, whole.scaler))
    #expect(abs(losses.0 / losses.1 - 1) < 0.005)
  }
}
