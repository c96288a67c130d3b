/// A stored model that answers, and goes on answering while a better version takes its place.
///
///     var predictor = try Predictor("elec", store: "models")
///     let probability = try predictor.predict([0.4, 0.05, 0.5, 0.003, 0.4, 0.4])
///
/// Once a call it looks whether the store's alias has moved, which costs about a nanosecond; all
/// rows of a call are answered by one version. Predicting does not allocate and never waits.
///
/// A value is for one thread or task: give each its own copy. Copies share the model and what
/// watches the store, which ends with the last of them.
public struct Predictor: Sendable {
  private let watcher: StoreWatcher
  private var reader: ModelHandle.Reader

  /// Opens a model.
  ///
  /// - Parameters:
  ///   - reference: `NAME`, `NAME@ALIAS` or `NAME@VERSION`, as `ModelStore.resolve` reads it.
  ///   - path: the directory of the store.
  ///   - report: told when another version is served, and when one was refused.
  /// - Throws: `store` when there is no version that can be served.
  public init(
    _ reference: String, store path: String,
    report: @escaping @Sendable (StoreWatcher.Event) -> Void = { _ in }
  ) throws(MillraceError) {
    self.init(
      following: try StoreWatcher(
        store: ModelStore(path: path), reference: reference, report: report))
  }

  /// Answers with what a watcher serves.
  public init(following watcher: StoreWatcher) {
    self.watcher = watcher
    reader = watcher.handle.makeReader()
  }

  /// The model that gave the last answer.
  public var served: ServedModel { reader.served }

  /// Predicts one row: the probability of the second of two classes, the index of the most
  /// probable one of several (in `served.model.schema.classes`), or the mean of a regression.
  ///
  /// - Parameter row: a number per feature, in the schema's order, without those that are products
  ///   of others; NaN is a missing value.
  /// - Throws: `input` when the row has not as many numbers as the model has such columns.
  public mutating func predict(_ row: [Float]) throws(MillraceError) -> Double {
    reader.refresh()
    // The model is not copied: that would count references to each of its parts.
    let served = reader.served
    let inputCount = served.model.inputCount, width = served.model.outputWidth
    try check(row.count == inputCount, row.count, "features", expected: inputCount)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(width, 1)) { buffer in
      buffer.initialize(repeating: 0)
      guard let base = buffer.baseAddress else { return 0 }
      row.withUnsafeBufferPointer { row in
        guard let features = row.baseAddress else { return }
        let output = PredictionRows(base: base, count: 1, width: width)
        served.model.predict(inputs: features, into: output)
      }
      guard served.model.schema.task == .multiclass else { return buffer[0] }
      return Double(buffer.indices.max { buffer[$0] < buffer[$1] } ?? 0)
    }
  }

  /// Predicts rows into the caller's buffer.
  ///
  /// - Parameters:
  ///   - rows: row after row, numbers as above.
  ///   - predictions: `served.model.outputWidth` numbers per row: see `PredictionRows`.
  /// - Throws: `input` when the numbers do not make whole rows, or when the buffer has not the
  ///   length for as many.
  public mutating func predict(
    _ rows: Span<Float>, into predictions: inout MutableSpan<Double>
  ) throws(MillraceError) {
    reader.refresh()
    let served = reader.served
    let inputCount = served.model.inputCount, width = served.model.outputWidth
    let count = rows.count / max(inputCount, 1)
    try check(count * inputCount == rows.count, rows.count, "features", expected: inputCount)
    try check(
      count * width == predictions.count, predictions.count, "predictions",
      expected: count * width)
    rows.withUnsafeBufferPointer { rows in
      predictions.withUnsafeMutableBufferPointer { predictions in
        guard let features = rows.baseAddress, let base = predictions.baseAddress else { return }
        let output = PredictionRows(base: base, count: count, width: width)
        served.model.predict(inputs: features, into: output)
      }
    }
  }

  private func check(
    _ fits: Bool, _ count: Int, _ what: String, expected: Int
  ) throws(MillraceError) {
    guard fits else {
      let name = served.version.map { "\($0)" } ?? "the model"
      throw MillraceError(.input, "\(name) was given \(count) \(what); expected \(expected)")
    }
  }
}
