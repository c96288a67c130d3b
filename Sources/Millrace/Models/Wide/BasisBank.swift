internal import CMillraceKernels
internal import Glibc

/// A bank over the columns beside one that sees functions of them too, mixed by how well they
/// predict: where these are too many for filters with covariances. Of up to 29 columns they are two
/// kinks of each and the products of all pairs, of more the kinks.
///
/// The second bank works where it earns its place (`BasisTrial`), decided by record number. Where no
/// label comes the two have weights of their own, earned by what each says without labels of every
/// sixteenth record before it is learnt.
package struct BasisBank<Plain: DenseBank, Second: DenseBank>: Learner {
  /// The bank over the columns.
  var plain: Plain
  /// The bank over functions of the columns, while it works.
  var second: Second?
  /// What that begins as.
  var fresh: Second
  /// When the second bank works.
  var trial: BasisTrial
  /// Its weight, the one where no label comes, and how much of them is shared at a record.
  var weight = 0.0
  var frozenWeight = 0.0
  var share = 5e-4
  /// The width of the rows, the constant included.
  package let columns: Int
  let basis: BankBasis
  /// Rows seen.
  var rowCount = 0

  /// What the second bank begins as, and is where nothing is learnt yet.
  var beginning: Second {
    get { fresh }
    set {
      fresh = newValue
      if rowCount == 0, second != nil { second = newValue }
    }
  }

  /// What the names of the second bank's constants begin with.
  static var constantPrefix: String { "basis-" }
  private static var greatestAtOnce: Int { 129 }
  /// Blocks are learnt in parts of so many records.
  private static var partRows: Int { 16 }

  package init(settings: LearnerSettings, columns: Int) throws(MillraceError) {
    guard let basis = BankBasis(ofSecondBank: columns) else {
      throw .setting(
        "basis", settings.basis.rawValue,
        expected: "linear: \(columns - 1) columns are too many for functions of them")
    }
    self.columns = columns
    self.basis = basis
    plain = try Plain(settings: settings, columns: columns)
    fresh = try Second(settings: settings, columns: basis.width(columns: columns))
    trial = BasisTrial(columns: columns, basis: basis)
    // Of so many columns kinks cost about what the first bank does: they are tried at once.
    if !basis.pairs, columns <= Self.greatestAtOnce { wake() }
  }

  package var task: Task { plain.task }

  package func outputWidth(classCount: Int) -> Int { plain.outputWidth(classCount: classCount) }

  package var isFinite: Bool { plain.isFinite && second?.isFinite != false }

  /// The second bank's weight; 0 while it sleeps.
  func weight(_ horizon: LabelHorizon) -> Double {
    second == nil ? 0 : horizon == .never ? frozenWeight : weight
  }

  package func predict(_ rows: Rows, horizon: LabelHorizon, into predictions: PredictionRows) {
    plain.predict(rows, horizon: horizon, into: predictions)
    let weight = self.weight(horizon)
    guard let second, weight > 0 else { return }
    for start in stride(from: 0, to: rows.count, by: Self.partRows) {
      let count = min(Self.partRows, rows.count - start)
      basis.withExpanded(rows.slice(from: start, count: count)) { expanded in
        Self.withRoom(count, predictions.width) { others in
          second.predict(expanded, horizon: horizon, into: others)
          for row in 0..<count {
            Self.mix(predictions[start + row], others[row], predictions.width, weight)
          }
        }
      }
    }
  }

  package func predict(
    _ features: UnsafePointer<Float>, scaler: FrozenScaler, horizon: LabelHorizon,
    into predictions: PredictionRows
  ) {
    guard weight(horizon) > 0 else {
      return plain.predict(features, scaler: scaler, horizon: horizon, into: predictions)
    }
    predictByBlocks(features, scaler: scaler, horizon: horizon, into: predictions)
  }

  package mutating func learn(
    _ rows: Rows, labels: UnsafePointer<Double>, weights: UnsafePointer<Float>,
    predictions: PredictionRows
  ) {
    var start = 0
    while start < rows.count {
      let isAwake = second != nil
      let partRows = isAwake ? Self.partRows : BasisTrial.blockRows
      let count = min(rows.count - start, partRows - rowCount % partRows)
      let part = rows.slice(from: start, count: count)
      let own = predictions.slice(from: start, count: count)
      if isAwake {
        learnBoth(part, labels + start, weights + start, own)
      } else {
        plain.learn(part, labels: labels + start, weights: weights + start, predictions: own)
        if trial.watches(rowCount) { watch(part, labels + start, weights + start, own) }
      }
      rowCount += count
      start += count
      if rowCount % BasisTrial.blockRows == 0 { finishBlock() }
    }
  }

  /// Lets the second bank wake or fall asleep.
  private mutating func finishBlock() {
    let weight = max(weight(.immediate), weight(.never))
    switch trial.finishBlock(rowCount, weight: second == nil ? nil : weight) {
    case .wake: wake()
    case .sleep: second = nil
    case nil: break
    }
  }

  private mutating func wake() {
    trial.work(from: rowCount)
    second = fresh
    // Until it has learnt what the first one knows.
    (weight, frozenWeight) = (0, 0)
  }

  private mutating func learnBoth(
    _ rows: Rows, _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>,
    _ predictions: PredictionRows
  ) {
    basis.withExpanded(rows) { expanded in
      Self.withRoom(rows.count, predictions.width) { others in
        if rowCount % Self.partRows == 0 {
          learnFrozen(rows, expanded, labels[0], weights[0], predictions, others)
        }
        plain.learn(rows, labels: labels, weights: weights, predictions: predictions)
        second?.learn(expanded, labels: labels, weights: weights, predictions: others)
        let task = task
        for row in 0..<rows.count {
          let (own, other) = (predictions[row], others[row])
          let logRatio = Self.logRatio(own, other, predictions.width, labels[row], task)
          Self.mix(own, other, predictions.width, weight)
          Self.learn(logRatio, weights[row], share: share, &weight)
        }
      }
    }
  }

  /// Weighs what both banks say of the first row where no label comes.
  private mutating func learnFrozen(
    _ rows: Rows, _ expanded: Rows, _ label: Double, _ rowWeight: Float, _ own: PredictionRows,
    _ others: PredictionRows
  ) {
    plain.predict(
      rows.slice(from: 0, count: 1), horizon: .never, into: own.slice(from: 0, count: 1))
    second?.predict(
      expanded.slice(from: 0, count: 1), horizon: .never, into: others.slice(from: 0, count: 1))
    let logRatio = Self.logRatio(own[0], others[0], own.width, label, task)
    Self.learn(logRatio, rowWeight, share: share, &frozenWeight)
  }

  /// ln of how much likelier the label is by the second bank: its probability, or Student's t with
  /// three degrees of freedom of the interval's width.
  private static func logRatio(
    _ own: UnsafePointer<Double>, _ other: UnsafePointer<Double>, _ width: Int, _ label: Double,
    _ task: Task
  ) -> Double {
    func logDensity(_ said: UnsafePointer<Double>) -> Double {
      switch task {
      case .binary: return log(label > 0.5 ? said[0] : 1 - said[0])
      case .multiclass:
        let index = Int(exactly: label) ?? -1
        return (0..<width).contains(index) ? log(said[index]) : 0
      case .regression:
        let deviation = max((said[2] - said[1]) / 3.29, .leastNormalMagnitude)
        let error = (label - said[0]) / deviation
        return -2 * log(1 + error * error / 3) - log(deviation)
      }
    }
    let ratio = logDensity(other) - logDensity(own)
    return ratio.isNaN ? 0 : ratio
  }

  /// m ← (1 − share)·mr/(mr + 1 − m) + share/20·(1 − m)/(mr + 1 − m): fixed share (Herbster &
  /// Warmuth 1998), but towards the bank over the columns. Where the second one says no more than
  /// that, its weight falls below what is negligible.
  ///
  /// - Parameter rowWeight: of the record, which counts at most like one: the ratio is what one label
  ///   says of two banks, not what a hundred would.
  private static func learn(
    _ logRatio: Double, _ rowWeight: Float, share: Double, _ own: inout Double
  ) {
    guard rowWeight > 0 else { return }
    let ratio = exp(min(max(logRatio * Double(min(rowWeight, 1)), -80), 80))
    let posterior = own * ratio / (own * ratio + 1 - own)
    own = (1 - share) * posterior + share / 20 * (1 - posterior)
  }

  /// Watches what the first bank's answers leave of the labels: of several classes a sum with signs
  /// that change from test to test.
  private mutating func watch(
    _ rows: Rows, _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>,
    _ predictions: PredictionRows
  ) {
    var random = SplitMix64(seed: UInt64(trial.testNumber))
    let (task, signs) = (task, random.next())
    func sign(_ index: Int) -> Double { signs >> UInt64(index & 63) & 1 == 0 ? 1 : -1 }
    for row in 0..<rows.count {
      let (said, label) = (predictions[row], labels[row])
      var residual = 0.0
      switch task {
      case .binary: residual = label - said[0]
      case .multiclass:
        residual = Int(exactly: label).map(sign) ?? 0
        for index in 0..<predictions.width { residual -= sign(index) * said[index] }
      case .regression:
        residual = (label - said[0]) / max(said[2] - said[1], .leastNormalMagnitude)
        residual = min(max(residual, -1), 1)
      }
      trial.watch(
        rows[row], residual: weights[row] > 0 ? Float(residual) : 0, at: rowCount + row)
    }
  }

  private static func mix(
    _ own: UnsafeMutablePointer<Double>, _ other: UnsafePointer<Double>, _ width: Int,
    _ weight: Double
  ) {
    for index in 0..<width { own[index] += weight * (other[index] - own[index]) }
  }

  /// Calls `body` with room for predictions.
  private static func withRoom(_ count: Int, _ width: Int, _ body: (PredictionRows) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count * width) { buffer in
      guard let base = buffer.baseAddress else { return }
      body(PredictionRows(base: base, count: count, width: width))
    }
  }
}
