extension LearnerSettings {
  /// A learner that has learnt nothing.
  ///
  /// - Parameters:
  ///   - columnCount: columns of the rows it will see, the constant included.
  ///   - columnNames: what they are called, all but the constant; none, or all different. Random
  ///     functions of the columns go with their names, or else with their places.
  /// - Throws: `configuration` when a setting is not allowed, or not for the task.
  public func makeLearner(
    task: Task, columnCount: Int, columnNames: [String] = []
  ) throws(MillraceError) -> any Learner {
    try validate(for: task)
    switch learner {
    case .auto:
      guard let bank = bank(task: task, columnCount: columnCount) else {
        guard bankConstants.isEmpty else {
          throw .setting(
            "bankConstants", bankConstants.keys.sorted().joined(separator: ", "),
            expected: "none with \(columnCount - 1) columns, where auto is AdaGrad")
        }
        return LinearLearner(settings: self, task: task, columnCount: columnCount)
      }
      var learner = try bank.init(settings: self, columns: columnCount).with(self)
      guard !columnNames.isEmpty else { return learner }
      guard columnNames.count == columnCount - 1, Set(columnNames).count == columnCount - 1 else {
        throw .setting(
          "columnNames", columnNames.joined(separator: ", "),
          expected: "\(columnCount - 1) different names")
      }
      learner.nameColumns(columnNames)
      return learner
    case .filter: return try GaussianFilter(settings: self, task: task, columns: columnCount)
    case .sgd, .adagrad, .adam, .ftrl, .newton:
      return LinearLearner(settings: self, task: task, columnCount: columnCount)
    case .exact:
      throw .setting("learner", "exact", expected: "a learner that learns record by record")
    }
  }

  /// The learner that `Learner.encode` wrote.
  ///
  /// - Throws: `store` when the archive lacks something or has the wrong shape.
  public func decodeLearner(
    task: Task, columnCount: Int, from archive: TensorArchive, prefix: String
  ) throws(MillraceError) -> any Learner {
    let decoded: any Learner =
      switch learner {
      case .auto:
        if let bank = bank(task: task, columnCount: columnCount) {
          try bank.init(settings: self, decoding: archive, prefix: prefix)
        } else {
          try LinearLearner(settings: self, decoding: archive, prefix: prefix)
        }
      case .filter: try GaussianFilter(settings: self, decoding: archive, prefix: prefix)
      case .sgd, .adagrad, .adam, .ftrl, .newton:
        try LinearLearner(settings: self, decoding: archive, prefix: prefix)
      case .exact: try ExactModel(settings: self, decoding: archive, prefix: prefix)
      }
    if let dense = decoded as? any DenseLearner, dense.columns != columnCount {
      throw MillraceError(
        .store, "what was learnt has \(dense.columns) columns; the schema has \(columnCount)")
    }
    return decoded
  }
}

extension LearnerSettings {
  /// What `auto` is. From some width on a covariance for each filter would cost too much, from
  /// another on one curvature for all models (`nil`): there AdaGrad learns.
  private func bank(task: Task, columnCount: Int) -> (any DenseBank.Type)? {
    // A basis that is asked for is that of the banks with covariances.
    let isPlain = basis == .auto || basis == .linear
    if isPlain, columnCount > NewtonBlocks.columnLimit { return nil }
    let isWide = isPlain && columnCount >= NewtonBlocks.leastColumns
    let isWideOfClasses = isPlain && columnCount >= WideSoftmaxBank.leastColumns
    let hasSecond =
      basis == .auto
      && BankBasis.suitsSecondBank(
        columns: columnCount, besideCovariances: task == .multiclass ? !isWideOfClasses : !isWide)
    return switch (task, hasSecond) {
    case (.binary, false): isWide ? WideBank.self : BinaryBank.self
    case (.binary, true):
      isWide ? BasisBank<WideBank, WideBank>.self : BasisBank<BinaryBank, WideBank>.self
    case (.multiclass, false): isWideOfClasses ? WideSoftmaxBank.self : SoftmaxBank.self
    case (.multiclass, true):
      isWideOfClasses
        ? BasisBank<WideSoftmaxBank, WideSoftmaxBank>.self
        : BasisBank<SoftmaxBank, WideSoftmaxBank>.self
    case (.regression, false): RegressionBank.self
    case (.regression, true): BasisBank<RegressionBank, RegressionBank>.self
    }
  }
}

// MARK: - Validation

extension LearnerSettings {
  /// Checks every setting.
  ///
  /// - Throws: `configuration` with the key, its value and what is allowed.
  public func validate(for task: Task) throws(MillraceError) {
    try check("learningRate", learningRate ?? 1, "a positive number") { $0 > 0 }
    try check("l1", l1, "0 or a positive number") { $0 >= 0 }
    try check("l2", l2, "0 or a positive number") { $0 >= 0 }
    try check("huberThreshold", huberThreshold, "a positive number") { $0 > 0 }
    try check("quantile", quantile, "a number between 0 and 1") { $0 > 0 && $0 < 1 }
    try check("gradientLimit", gradientLimit ?? 1, "a positive number") { $0 > 0 }
    try check("forgetting", forgetting ?? 1, "more than 0 and at most 1") { $0 > 0 && $0 <= 1 }
    try check("prior-variance", priorVariance ?? 1, "a positive number") { $0 > 0 }
    for weight in classWeights {
      try check("classWeights", weight, "0 or a positive number") { $0 >= 0 }
    }
    guard (1...1_000_000).contains(batchSize) else {
      throw .setting("batchSize", "\(batchSize)", expected: "1 to 1000000")
    }
    if learner == .sgd, schedule == .optimal, l2 == 0 {
      throw .setting("l2", "0", expected: "a positive number, which the schedule optimal needs")
    }
    if learner == .adam, schedule == .optimal {
      throw .setting("schedule", "optimal", expected: "constant or invscaling for adam")
    }
    let losses = Loss.allowed(for: task)
    if let loss, !losses.contains(loss) {
      let names = losses.map(\.rawValue).joined(separator: ", ")
      throw .setting("loss", loss.rawValue, expected: "\(names) for the task \(task.rawValue)")
    }
    try checkUse(for: task)
  }

  /// Checks that nothing is set which the learner, the task or the loss has no use for.
  private func checkUse(for task: Task) throws(MillraceError) {
    let untouched = LearnerSettings()
    let isOwnLoss = loss == nil || loss == Loss(task)
    let isPlain = basis == .auto || basis == .linear
    let optimizers: [Kind] = [.sgd, .adagrad, .adam, .ftrl, .newton]
    let uses: [(key: String, value: String?, learners: [Kind])] = [
      ("basis", isPlain ? nil : basis.rawValue, [.auto]),
      ("learningRate", learningRate.map { "\($0)" }, optimizers),
      ("schedule", schedule == untouched.schedule ? nil : schedule.rawValue, [.sgd, .adam]),
      ("l1", l1 > 0 ? "\(l1)" : nil, [.sgd, .adagrad, .adam, .ftrl]),
      ("l2", l2 > 0 ? "\(l2)" : nil, optimizers + [.exact]),
      ("loss", isOwnLoss ? nil : loss?.rawValue, optimizers),
      ("classWeights", classWeights.isEmpty ? nil : "\(classWeights)", optimizers),
      ("gradientLimit", gradientLimit.map { "\($0)" }, optimizers),
      ("averaging", averaging ? "true" : nil, optimizers),
      ("forgetting", forgetting.map { "\($0)" }, [.newton]),
      ("prior-variance", priorVariance.map { "\($0)" }, [.filter]),
      ("bankConstants", bankConstants.keys.sorted().first, [.auto]),
    ]
    for (key, value, learners) in uses where !learners.contains(learner) {
      guard let value else { continue }
      let names = learners.map(\.rawValue).joined(separator: ", ")
      throw .setting(key, value, expected: "none with \(learner.rawValue): only with \(names)")
    }
    if task == .regression, !classWeights.isEmpty {
      throw .setting("classWeights", "\(classWeights)", expected: "none for the task regression")
    }
    if quantile != untouched.quantile, loss != .quantile {
      throw .setting("quantile", "\(quantile)", expected: "the loss quantile beside it")
    }
    if huberThreshold != untouched.huberThreshold, loss != .huber {
      throw .setting("huberThreshold", "\(huberThreshold)", expected: "the loss huber beside it")
    }
  }

  private func check(
    _ key: String, _ value: Double, _ expected: String, _ isAllowed: (Double) -> Bool
  ) throws(MillraceError) {
    guard value.isFinite, isAllowed(value) else {
      throw .setting(key, "\(value)", expected: expected)
    }
  }
}
