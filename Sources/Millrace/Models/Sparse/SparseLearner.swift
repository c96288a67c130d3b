/// A learner of sparse rows. Its state grows with the features that were seen, not with the width.
///
/// `standardizedCoefficients` has, for each output, the features of `columns` in their order, and
/// the constant last.
package protocol SparseLearner: Learner {
  /// The features seen, ascending.
  var columns: [UInt32] { get }

  /// What each of `columns` was divided by: the mean of its absolute values that are not 0.
  var columnScales: [Double] { get }
}

extension LearnerSettings {
  /// A learner of sparse rows that has learnt nothing.
  ///
  /// - Parameter width: the columns of the rows, a power of two.
  /// - Throws: `configuration` when a setting is not allowed, or not for sparse rows.
  package func makeSparseLearner(task: Task, width: Int) throws(MillraceError) -> any SparseLearner
  {
    try validate(for: task)
    return switch learner {
    case .auto: try SparseBank(task: task, width: width).with(self)
    case .sgd, .adagrad, .ftrl: SparseLinearLearner(settings: self, task: task, width: width)
    default: throw .setting("learner", learner.rawValue, expected: Self.sparseLearners)
    }
  }

  /// Whether the learner can learn sparse rows.
  public var learnsSparse: Bool {
    [.auto, .sgd, .adagrad, .ftrl].contains(learner) && (basis == .auto || basis == .linear)
  }

  /// The learners that sparse rows may have.
  static let sparseLearners = "auto, sgd, adagrad or ftrl where features are sparse"

  /// The learner of sparse rows that `Learner.encode` wrote.
  ///
  /// - Throws: `store` when the archive lacks something or has the wrong shape.
  package func decodeSparseLearner(
    from archive: TensorArchive, prefix: String
  ) throws(MillraceError) -> any SparseLearner {
    learner == .auto
      ? try SparseBank(settings: self, decoding: archive, prefix: prefix)
      : try SparseLinearLearner(settings: self, decoding: archive, prefix: prefix)
  }
}
