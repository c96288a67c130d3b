/// How late labels arrive where a prediction is used.
///
/// A learner that mixes experts earns its weights with the label of the record before in hand;
/// where labels never come, other weights are right (`LEARNERS.md`, "What learns is not what
/// serves"). Learners without such weights answer the same for both.
public enum LabelHorizon: String, Codable, Sendable {
  /// Every label is learnt before the next record is predicted.
  case immediate
  /// No label comes: a file to score, a server.
  case never
}

/// An online learner over standardised rows: it predicts a record, then learns from it.
///
/// Laws, which `checkLearner` in the tests puts every implementation through:
/// - what `learn` reports for a row is, bit for bit, what `predict` with `.immediate` would have
///   answered just before;
/// - any split of the rows into calls of `learn` gives the same state, byte for byte: blocks are
///   counted in records, and the rows of an unfinished block are part of the state;
/// - encoding and decoding in mid-stream changes nothing;
/// - the state stays finite whatever finite rows come.
///
/// A learner is a value: a copy is a snapshot, and is what is served.
public protocol Learner: Sendable {
  /// What is learnt.
  var task: Task { get }

  /// Numbers per prediction for a given number of classes (see `PredictionRows`).
  func outputWidth(classCount: Int) -> Int

  /// Predicts every row. Does not allocate; safe from many threads.
  func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows)

  /// Predicts raw rows, bit for bit like their standardised ones. Does not allocate beyond the
  /// stack for rows of ordinary width.
  ///
  /// - Parameter features: `predictions.count × scaler.columnCount` numbers, row-major.
  func predict(
    _ features: UnsafePointer<Float>, scaler: FrozenScaler, horizon: LabelHorizon,
    into predictions: PredictionRows)

  /// For each row in order: predicts it, then learns from its label.
  ///
  /// - Parameters:
  ///   - rows: standardised rows with the constant last.
  ///   - labels: the target, or the class index; one per row, finite.
  ///   - weights: importance of each row; finite and not negative.
  ///   - predictions: what was predicted for each row before it was learnt.
  mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows)

  /// Whether every number in the state is finite: the gate refuses a version where it is not.
  var isFinite: Bool { get }

  /// How its steps were too long, for a learner that takes steps of a given length.
  var divergence: Divergence { get }

  /// The linear part of the model over the standardised columns, the constant last: one vector
  /// per output (one, or one per class).
  func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]]

  /// Which experts carry the weight now; none where a learner mixes nothing.
  func experts(horizon: LabelHorizon) -> [Expert]

  /// The part of the model that is not linear in the columns; nothing where there is none.
  func basisTerms(horizon: LabelHorizon) -> [BasisTerm]

  /// Writes everything learnt under names that start with `prefix`.
  func encode(into archive: inout TensorArchive, prefix: String)

  /// Reads what `encode` wrote; `settings` are those the learner was made with.
  init(settings: LearnerSettings, decoding archive: TensorArchive, prefix: String)
    throws(MillraceError)

  /// The served merge of learners that saw different partitions, in a fixed order.
  ///
  /// - Parameters:
  ///   - parts: a learner and the scaler whose columns it saw, per partition; at least one.
  ///   - scaler: the merged scaler, in whose columns the result reads.
  static func merging(
    _ parts: [(learner: Self, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> Self
}

extension Learner {
  /// Nothing: a learner that finds the length of its steps itself does not diverge.
  public var divergence: Divergence { Divergence() }

  /// Predicts raw rows by standardising them.
  public func predict(
    _ features: UnsafePointer<Float>, scaler: FrozenScaler, horizon: LabelHorizon,
    into predictions: PredictionRows
  ) {
    predictByBlocks(features, scaler: scaler, horizon: horizon, into: predictions)
  }

  /// Standardises a block of rows, predicts it, goes on to the next.
  func predictByBlocks(
    _ features: UnsafePointer<Float>, scaler: FrozenScaler, horizon: LabelHorizon,
    into predictions: PredictionRows
  ) {
    let stride = scaler.columnCount + 1
    let blockRows = min(Model.blockRows, predictions.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(blockRows * stride, 1)) { buffer in
      guard let base = buffer.baseAddress else { return }
      var start = 0
      while start < predictions.count {
        let count = min(blockRows, predictions.count - start)
        scaler.transform(
          features + start * scaler.columnCount, count: count, into: base, stride: stride)
        predict(
          Rows(base: base, count: count, columns: stride, stride: stride), horizon: horizon,
          into: predictions.slice(from: start, count: count))
        start += count
      }
    }
  }
}
