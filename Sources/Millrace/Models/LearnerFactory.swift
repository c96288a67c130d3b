extension LearnerSettings {
  /// A learner that has learnt nothing.
  ///
  /// - Parameter columnCount: columns of the rows it will see, the constant included.
  /// - Throws: `configuration` when the learner cannot do the task.
  public func makeLearner(task: Task, columnCount: Int) throws(MillraceError) -> any Learner {
    switch learner {
    case .filter: try GaussianFilter(settings: self, task: task, columns: columnCount)
    default: throw unavailable(for: task)
    }
  }

  /// The learner that `Learner.encode` wrote.
  ///
  /// - Throws: `store` when the archive lacks something or has the wrong shape.
  public func decodeLearner(
    task: Task, columnCount: Int, from archive: TensorArchive, prefix: String
  ) throws(MillraceError) -> any Learner {
    switch learner {
    case .filter: try GaussianFilter(settings: self, decoding: archive, prefix: prefix)
    default: throw unavailable(for: task)
    }
  }

  private func unavailable(for task: Task) -> MillraceError {
    .setting("learner", learner.rawValue, expected: "a learner that can do \(task.rawValue)")
  }
}
