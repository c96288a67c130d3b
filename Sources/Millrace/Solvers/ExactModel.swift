internal import CMillraceKernels
internal import Glibc

/// The solution of `ExactLearner` as a learner: it predicts, and learns nothing more.
struct ExactModel: Learner {
  let task: Task
  /// Over standardised columns and the constant, one vector per output.
  private let weights: [[Double]]

  init(task: Task, weights: [[Double]]) {
    self.task = task
    self.weights = weights
  }

  func outputWidth(classCount: Int) -> Int { weights.count }

  func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    let chunk = 64
    withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { margins in
      guard let margins = margins.baseAddress else { return }
      for start in stride(from: 0, to: rows.count, by: chunk) {
        let count = min(chunk, rows.count - start)
        for (k, weights) in weights.enumerated() {
          millrace_row_margins(rows[start], count, rows.columns, rows.stride, weights, margins)
          for row in 0..<count { predictions[start + row][k] = margins[row] }
        }
        guard task != .regression else { continue }
        for row in 0..<count { link(predictions[start + row]) }
      }
    }
  }

  /// Margins become probabilities.
  private func link(_ outputs: UnsafeMutablePointer<Double>) {
    guard weights.count > 1 else {
      outputs[0] = 1 / (1 + exp(-outputs[0]))
      return
    }
    var (largest, total) = (-Double.infinity, 0.0)
    for k in weights.indices { largest = max(largest, outputs[k]) }
    for k in weights.indices {
      outputs[k] = exp(outputs[k] - largest)
      total += outputs[k]
    }
    for k in weights.indices { outputs[k] /= total }
  }

  /// Predicts; an exact solution is computed anew, not updated.
  mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    predict(rows, horizon: .immediate, into: predictions)
  }

  var isFinite: Bool { weights.allSatisfy { $0.allSatisfy(\.isFinite) } }

  func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] { weights }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    for (k, weights) in weights.enumerated() { archive.set(weights, as: "\(prefix)weights.\(k)") }
    archive.set(Int64(weights.count), as: prefix + "outputs")
  }

  init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    task = try archive.task(prefix: prefix)
    var weights: [[Double]] = []
    for k in 0..<Int(try archive.integer(prefix + "outputs", in: 1...1_000_000)) {
      weights.append(try archive.doubles("\(prefix)weights.\(k)", count: weights.first?.count))
    }
    self.weights = weights
  }

  /// One part is itself; exact solutions of several partitions have no common one.
  static func merging(
    _ parts: [(learner: ExactModel, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> ExactModel {
    guard parts.count == 1 else {
      throw MillraceError(
        .numerical, "the exact solutions of \(parts.count) partitions cannot be merged")
    }
    return parts[0].learner
  }
}
