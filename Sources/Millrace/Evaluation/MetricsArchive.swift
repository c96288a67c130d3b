extension ProgressiveMetrics {
  /// Writes the whole state under names that start with `prefix`.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    binary?.encode(into: &archive, prefix: prefix)
    multiclass?.encode(into: &archive, prefix: prefix)
    regression?.encode(into: &archive, prefix: prefix)
  }

  /// Reads what `encode` of metrics of the same task and window wrote.
  public mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    try binary?.decode(from: archive, prefix: prefix, window: window)
    try multiclass?.decode(from: archive, prefix: prefix, window: window)
    try regression?.decode(from: archive, prefix: prefix, window: window)
  }
}

extension MetricTrack {
  func encode(into archive: inout TensorArchive, prefix: String) {
    cumulative.encode(into: &archive, prefix: "\(prefix)cumulative.")
    baselines.encode(into: &archive, prefix: "\(prefix)baselines.")
    archive.set(ring.withUnsafeBytes { Array($0) }, as: "\(prefix)ring")
    archive.set(next, as: "\(prefix)next")
  }

  mutating func decode(
    from archive: TensorArchive, prefix: String, window: Int
  ) throws(MillraceError) {
    try cumulative.decode(from: archive, prefix: "\(prefix)cumulative.")
    try baselines.decode(from: archive, prefix: "\(prefix)baselines.")
    let bytes = try archive.bytes("\(prefix)ring")
    let size = MemoryLayout<Metrics.Outcome>.stride
    ring = bytes.withUnsafeBytes { bytes in
      stride(from: 0, through: bytes.count - size, by: size).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Metrics.Outcome.self)
      }
    }
    next = Int(try archive.integer("\(prefix)next", in: 0...Int64(window - 1)))
    guard bytes.count % size == 0, ring.count <= window, next == 0 || ring.count == window,
      ring.allSatisfy(Metrics.isValid)
    else {
      throw MillraceError(
        .store, "tensor '\(prefix)ring' does not hold outcomes for a window of \(window)")
    }
  }
}

extension ClassifierComparison: ArchivedState {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(rows, as: "\(prefix)rows")
    archive.set(
      [model, baseRate, noChange].flatMap {
        [$0.weight, $0.lossSum, $0.lossSquareSum, $0.correctWeight]
      },
      as: "\(prefix)scores")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    rows = try archive.count("\(prefix)rows")
    let sums = try archive.doubles("\(prefix)scores", count: 12)
    func score(_ first: Int) -> ClassifierScore {
      var score = ClassifierScore()
      (score.weight, score.lossSum, score.lossSquareSum, score.correctWeight) =
        (sums[first], sums[first + 1], sums[first + 2], sums[first + 3])
      return score
    }
    (model, baseRate, noChange) = (score(0), score(4), score(8))
  }
}

extension ClassBaselines: ArchivedState {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([weight, transitions, repeats, Double(last)], as: "\(prefix)state")
    archive.set(classWeights, as: "\(prefix)classWeights")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let state = try archive.doubles("\(prefix)state", count: 4)
    classWeights = try archive.doubles("\(prefix)classWeights")
    guard classWeights.count >= 2, let last = Int(exactly: state[3]),
      -1..<classWeights.count ~= last
    else {
      throw MillraceError(.store, "tensor '\(prefix)state' names a class that was not seen")
    }
    (weight, transitions, repeats, self.last) = (state[0], state[1], state[2], last)
    mostFrequent = classWeights.indices.reduce(0) {
      classWeights[$1] > classWeights[$0] ? $1 : $0
    }
  }
}

extension BinaryMetrics {
  func encode(into archive: inout TensorArchive, prefix: String) {
    scores.encode(into: &archive, prefix: prefix)
    archive.set(scoreCounts, as: "\(prefix)scoreCounts")
    archive.set(reliabilitySums, as: "\(prefix)reliability")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    try scores.decode(from: archive, prefix: prefix)
    scoreCounts = try archive.doubles("\(prefix)scoreCounts", count: scoreCounts.count)
    reliabilitySums = try archive.doubles("\(prefix)reliability", count: reliabilitySums.count)
  }

  static func isValid(_ outcome: ClassifierOutcome) -> Bool {
    0...1 ~= outcome.truth && 0...1 ~= outcome.predicted
  }
}

extension MulticlassMetrics {
  func encode(into archive: inout TensorArchive, prefix: String) {
    scores.encode(into: &archive, prefix: prefix)
    archive.set(
      confusion.flatMap { $0 }, shape: [confusion.count, confusion.count],
      as: "\(prefix)confusion")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    try scores.decode(from: archive, prefix: prefix)
    let shape = try archive.shape("\(prefix)confusion")
    let weights = try archive.doubles("\(prefix)confusion")
    guard shape.count == 2, shape[0] == shape[1] else {
      throw MillraceError(.store, "tensor '\(prefix)confusion' is \(shape); expected a square")
    }
    confusion = (0..<shape[0]).map { Array(weights[$0 * shape[0]..<($0 + 1) * shape[0]]) }
  }

  static func isValid(_ outcome: ClassifierOutcome) -> Bool {
    isLabel(Double(outcome.truth)) && isLabel(Double(outcome.predicted))
  }
}

extension RegressionMetrics {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([rows, invalidPredictions], as: "\(prefix)counts")
    archive.set(
      [model, baseRate, noChange].flatMap { [$0.squared, $0.absolute, $0.fourthPowers] },
      as: "\(prefix)errors")
    archive.set(
      [
        weight, labelMean, labelSquaredDistances, predictionSum, intervalWeight, coveredWeight,
        intervalWidths,
      ], as: "\(prefix)sums")
    sample.encode(into: &archive, prefix: "\(prefix)sample.")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let counts = try archive.integers("\(prefix)counts", count: 2)
    let errors = try archive.doubles("\(prefix)errors", count: 9)
    let sums = try archive.doubles("\(prefix)sums", count: 7)
    (rows, invalidPredictions) = (Int(counts[0]), Int(counts[1]))
    func score(_ first: Int) -> Errors {
      Errors(
        squared: errors[first], absolute: errors[first + 1], fourthPowers: errors[first + 2])
    }
    (model, baseRate, noChange) = (score(0), score(3), score(6))
    (weight, labelMean, labelSquaredDistances, predictionSum) = (sums[0], sums[1], sums[2], sums[3])
    (intervalWeight, coveredWeight, intervalWidths) = (sums[4], sums[5], sums[6])
    try sample.decode(from: archive, prefix: "\(prefix)sample.")
  }

  static func isValid(_ outcome: Outcome) -> Bool { true }
}

extension RegressionMetrics.Baselines: ArchivedState {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([weight, mean, last], as: "\(prefix)state")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let state = try archive.doubles("\(prefix)state", count: 3)
    (weight, mean, last) = (state[0], state[1], state[2])
  }
}
