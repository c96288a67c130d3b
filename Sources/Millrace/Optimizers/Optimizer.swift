/// How the weights of one output of a linear learner move: one step for each block of records.
///
/// A learner is generic over its optimizer, so that no call in it is dynamic.
package protocol Optimizer: Sendable {
  /// The step size η₀ where the settings name none, for standardised columns.
  static func defaultLearningRate(settings: LearnerSettings, columnCount: Int) -> Double

  /// An optimizer that has made no step.
  ///
  /// - Parameters:
  ///   - settings: penalties and schedule; `learningRate` is set.
  ///   - columnCount: the weights of the output, the constant's last.
  init(settings: LearnerSettings, columnCount: Int)

  /// Moves the weights. The last of them, the constant's, is never penalised.
  ///
  /// - Parameters:
  ///   - weights: `columnCount` numbers.
  ///   - gradient: the sum of the gradients of the block's records.
  ///   - recordCount: how many records the block has.
  mutating func step(
    _ weights: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, recordCount: Int)

  /// Writes the state under names that start with `prefix`.
  func encode(into archive: inout TensorArchive, prefix: String)

  /// Reads what `encode` wrote into an optimizer of the same settings and width.
  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError)
}
