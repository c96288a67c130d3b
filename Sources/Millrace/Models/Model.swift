/// What is learnt and served as one: how records are read, how columns are scaled, and a learner.
///
/// A value: a copy is a snapshot that learning does not touch. Prediction is safe from many
/// threads; once a model is served it does not allocate beyond the stack for rows of ordinary
/// width.
public struct Model: Sendable {
  /// How records become rows, and classes their indices.
  public internal(set) var schema: Schema
  /// What the learner was told.
  public let settings: LearnerSettings
  /// The columns' statistics.
  public internal(set) var scaler: StandardScaler
  /// What learns.
  public internal(set) var learner: any Learner
  /// Records learnt.
  public internal(set) var rowCount = 0
  /// The columns that are products of others.
  private let products: ProductColumns
  /// The scaler as it is, where nothing was learnt since `freeze`.
  private var frozenScaler: FrozenScaler?
  /// Standardised rows of the block in work; empty between calls, kept for its memory.
  private var standardized: [Float] = []

  /// Rows that are standardised at once: enough to amortise a call, few enough for the cache.
  static let blockRows = 64

  /// A model that has learnt nothing.
  ///
  /// - Throws: `configuration` when the learner cannot do the schema's task.
  public init(schema: Schema, settings: LearnerSettings) throws(MillraceError) {
    self.schema = schema
    self.settings = settings
    products = ProductColumns(schema)
    let names = schema.featureNames
    scaler = StandardScaler(columnCount: names.count, limit: Self.limit(for: schema.task, settings))
    learner =
      if let width = schema.sparseWidth {
        try settings.makeSparseLearner(task: schema.task, width: width)
      } else {
        // A column may be called what a level of another one is.
        try settings.makeLearner(
          task: schema.task, columnCount: names.count + 1,
          columnNames: Set(names).count == names.count ? names : [])
      }
  }

  init(schema: Schema, settings: LearnerSettings, scaler: StandardScaler, learner: any Learner) {
    self.schema = schema
    self.settings = settings
    self.scaler = scaler
    self.learner = learner
    products = ProductColumns(schema)
  }

  /// Standardised values are cut at ±10, and for regression at ±30: ±10 would break linear
  /// relations in heavy tails. An exact solution is one of the uncut values.
  private static func limit(for task: Task, _ settings: LearnerSettings) -> Float {
    settings.learner == .exact ? .infinity : task == .regression ? 30 : 10
  }

  /// Columns of a raw row; none where features are sparse.
  public var columnCount: Int { scaler.columnCount }

  /// Those of them that are no products of others.
  public var inputCount: Int { products.inputCount }

  /// Numbers per prediction (see `PredictionRows`).
  public var outputWidth: Int { learner.outputWidth(classCount: schema.classes.count) }

  /// Predicts raw rows; of a model of sparse features the row that has none of them.
  ///
  /// - Parameters:
  ///   - features: `predictions.count × columnCount` numbers, row-major; NaN is a missing value.
  ///   - horizon: `.never` where the model is used without fresh labels.
  ///   - predictions: where the answers go, `outputWidth` numbers a row.
  public func predict(
    _ features: UnsafePointer<Float>, horizon: LabelHorizon = .never,
    into predictions: PredictionRows
  ) {
    if schema.sparseWidth != nil { return predictEmptyRows(into: predictions) }
    // Written out, neither the scaler nor the learner is copied: a copy counts references.
    guard let frozenScaler else {
      let scaler = FrozenScaler(scaler)
      return learner.predict(features, scaler: scaler, horizon: horizon, into: predictions)
    }
    learner.predict(features, scaler: frozenScaler, horizon: horizon, into: predictions)
  }

  /// Predicts raw rows that have the first `inputCount` columns: the products are made of them.
  func predict(inputs: UnsafePointer<Float>, into predictions: PredictionRows) {
    guard products.count > 0 else { return predict(inputs, into: predictions) }
    let blockRows = min(predictions.count, Self.blockRows)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: blockRows * columnCount) { buffer in
      buffer.initialize(repeating: 0)
      guard let base = buffer.baseAddress else { return }
      for start in stride(from: 0, to: predictions.count, by: blockRows) {
        let count = min(blockRows, predictions.count - start)
        for row in 0..<count {
          (base + row * columnCount).update(
            from: inputs + (start + row) * inputCount, count: inputCount)
        }
        products.fill(base, rowCount: count)
        predict(base, into: predictions.slice(from: start, count: count))
      }
    }
  }

  /// The constants that the bank of experts was made with, by name: its own, or the settings'.
  /// Empty where the learner is no bank.
  ///
  /// - Throws: `configuration` when the settings are not allowed.
  public func bankConstants() throws(MillraceError) -> [String: [Double]] {
    guard learner is any ConstantsBank else { return [:] }
    // What has been learnt has changed variances.
    let fresh = try Model(schema: schema, settings: settings)
    return (fresh.learner as? any ConstantsBank)?.constantValues ?? [:]
  }

  /// Makes ready to be served: predictions do not look at the columns' statistics any more.
  mutating func freeze() { frozenScaler = FrozenScaler(scaler) }

  /// Predicts each row and then learns from it, in order.
  ///
  /// - Parameters:
  ///   - batch: decoded records with labels.
  ///   - rows: which of its rows.
  ///   - predictions: what was predicted for each row before it was learnt; `rows.count` rows.
  mutating func learn(_ batch: Batch, rows: Range<Int>, predictions: PredictionRows) {
    if batch.sparse.width > 0 { return learnSparse(batch, rows: rows, predictions: predictions) }
    frozenScaler = nil
    let stride = columnCount + 1
    // Taken out for the time of the call: it may not be borrowed while the rest of self changes.
    var buffer = exchange(&standardized, with: [])
    defer { standardized = buffer }
    if buffer.count < Self.blockRows * stride {
      buffer = Array(repeating: 0, count: Self.blockRows * stride)
    }
    batch.features.withUnsafeBufferPointer { features in
      batch.labels.withUnsafeBufferPointer { labels in
        batch.weights.withUnsafeBufferPointer { weights in
          buffer.withUnsafeMutableBufferPointer { buffer in
            guard let features = features.baseAddress, let labels = labels.baseAddress,
              let weights = weights.baseAddress, let base = buffer.baseAddress
            else { return }
            var start = rows.lowerBound
            while start < rows.upperBound {
              let count = min(Self.blockRows, rows.upperBound - start)
              scaler.transformAndUpdate(
                features + start * columnCount, count: count, into: base, stride: stride)
              learner.learn(
                Rows(base: base, count: count, columns: stride, stride: stride),
                labels: labels + start, weights: weights + start,
                predictions: predictions.slice(from: start - rows.lowerBound, count: count))
              start += count
            }
          }
        }
      }
    }
    rowCount += rows.count
  }

  /// Whether every number learnt is finite.
  public var isFinite: Bool {
    learner.isFinite && scaler.means.allSatisfy(\.isFinite)
      && scaler.squaredDistances.allSatisfy(\.isFinite)
  }

  /// The linear part of the model in the units of the input columns: the intercept and a
  /// coefficient per column of `coefficientNames`, for each output.
  ///
  /// A standardised score w·(x − μ)/σ + b is (w/σ)·x + (b − Σ wμ/σ); of sparse columns only numbers
  /// with a `center` are centred.
  public func coefficients(horizon: LabelHorizon = .never) -> [(
    intercept: Double, columns: [Double]
  )] {
    let sparse = learner as? any SparseLearner
    let sparseScales = sparse?.columnScales
    let centers = schema.sparseCenters
    return learner.standardizedCoefficients(horizon: horizon).map { weights in
      var columns = Array(weights.dropLast())
      var intercept = weights.last ?? 0
      for column in columns.indices {
        let deviation = sparseScales?[column] ?? scaler.standardDeviation(column)
        columns[column] = deviation > 0 ? columns[column] / deviation : 0
        let center = sparse.map { centers[$0.columns[column]] ?? 0 } ?? scaler.means[column]
        intercept -= columns[column] * center
      }
      return (intercept, columns)
    }
  }

  /// The names of the columns that have coefficients: of sparse features those that were seen.
  public var coefficientNames: [String] {
    (learner as? any SparseLearner)?.columns.map(String.init) ?? schema.featureNames
  }
}

// MARK: - Saving

extension Model {
  /// Writes the model under names that start with `prefix`.
  package func encode(into archive: inout TensorArchive, prefix: String = "") {
    archive.set(Int64(rowCount), as: "\(prefix)rowCount")
    scaler.encode(into: &archive, prefix: "\(prefix)scaler.")
    learner.encode(into: &archive, prefix: "\(prefix)learner.")
  }

  /// Reads what `encode` wrote.
  init(
    schema: Schema, settings: LearnerSettings, decoding archive: TensorArchive, prefix: String = ""
  ) throws(MillraceError) {
    try schema.validate()
    let columnCount = schema.featureNames.count
    self.schema = schema
    self.settings = settings
    products = ProductColumns(schema)
    rowCount = try archive.count("\(prefix)rowCount")
    scaler = StandardScaler(columnCount: columnCount, limit: Self.limit(for: schema.task, settings))
    try scaler.decode(from: archive, prefix: "\(prefix)scaler.")
    learner =
      if schema.sparseWidth != nil {
        try settings.decodeSparseLearner(from: archive, prefix: "\(prefix)learner.")
      } else {
        try settings.decodeLearner(
          task: schema.task, columnCount: columnCount + 1, from: archive,
          prefix: "\(prefix)learner.")
      }
    let classes = (learner as? any ClassLearner)?.classIndices ?? []
    guard classes.allSatisfy(schema.classes.indices.contains) || schema.task != .multiclass else {
      throw MillraceError(
        .store, "class \(classes.max() ?? 0) was learnt; the schema has \(schema.classes.count)")
    }
  }

  /// The served merge of the models of several partitions, in the order given.
  static func merging(_ parts: [Model]) throws(MillraceError) -> Model {
    guard let first = parts.first else {
      throw MillraceError(.numerical, "there is no model to merge")
    }
    guard parts.count > 1 else { return first }
    var scaler = first.scaler
    for part in parts.dropFirst() { scaler.merge(part.scaler) }
    var model = Model(
      schema: first.schema, settings: first.settings, scaler: scaler,
      learner: try first.learner.mergingPartitions(parts, scaler: scaler))
    model.rowCount = parts.reduce(0) { $0 + $1.rowCount }
    return model
  }
}

extension Learner {
  /// `merging` for parts whose learners are of this learner's type.
  fileprivate func mergingPartitions(
    _ parts: [Model], scaler: StandardScaler
  ) throws(MillraceError) -> any Learner {
    var own: [(learner: Self, scaler: StandardScaler)] = []
    for part in parts {
      guard let learner = part.learner as? Self else {
        throw MillraceError(.numerical, "models of different learners cannot be merged")
      }
      own.append((learner, part.scaler))
    }
    return try Self.merging(own, scaler: scaler)
  }
}

extension StandardScaler {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(counts, as: "\(prefix)counts")
    archive.set(means, as: "\(prefix)means")
    archive.set(squaredDistances, as: "\(prefix)squaredDistances")
    archive.set(missingCounts, as: "\(prefix)missingCounts")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    counts = try archive.doubles("\(prefix)counts", count: columnCount)
    means = try archive.doubles("\(prefix)means", count: columnCount)
    squaredDistances = try archive.doubles("\(prefix)squaredDistances", count: columnCount)
    missingCounts = try archive.doubles("\(prefix)missingCounts", count: columnCount)
  }
}
