/// Watches a stream for drift: every feature, the predictions, the labels, and the learner's error.
///
/// The first `reference` rows of a column are its reference; from then on a sliding window is
/// compared with it at fixed row numbers, whatever the micro-batches. An alarm needs significance
/// (Kolmogorov-Smirnov, corrected over the columns by Benjamini and Hochberg) and size (D, or the
/// population stability index). A column that alarmed takes the rows that follow as its new
/// reference, so that one change is one alarm.
///
/// Some 5 ns a value, and per comparison some nanoseconds a row of the reference.
public struct DriftMonitor: Sendable {
  /// How drift is watched for.
  public let settings: DriftSettings
  /// What is learnt.
  public let task: Task
  /// What is watched: the features, then `DriftAlarm.prediction` and `DriftAlarm.label`.
  public let columns: [String]
  /// Rows seen.
  public private(set) var rowCount = 0
  /// The row of the first alarm of each column; `nil` where there was none.
  public private(set) var firstAlarmRows: [Int?]
  private(set) var watches: [ColumnWatch]
  private var errorWatch: ErrorWatch

  /// Of wide rows only every k-th is watched, so that at most this many values a row are.
  private static let valuesPerRow = 64
  /// Watched rows that go through the columns together.
  private static let blockRows = 256

  /// A monitor that has seen nothing.
  ///
  /// - Parameter task: says what predictions and losses are.
  public init(settings: DriftSettings, task: Task, featureNames: [String]) {
    self.settings = settings
    self.task = task
    columns = featureNames + [DriftAlarm.prediction, DriftAlarm.label]
    watches = Array(repeating: ColumnWatch(), count: columns.count)
    firstAlarmRows = Array(repeating: nil, count: columns.count)
    errorWatch = ErrorWatch(settings)
  }

  private var featureCount: Int { columns.count - 2 }

  /// Every how many rows one is watched.
  private var sampling: Int { (columns.count + Self.valuesPerRow - 1) / Self.valuesPerRow }

  /// Rows from one comparison to the next.
  private var checkRows: Int { settings.interval * sampling }

  /// Rows whose predictions are not watched: those of a learner that has just begun drift by
  /// themselves.
  private var unwatchedPredictions: Int { 4 * settings.reference * sampling }

  /// Watches rows in order.
  ///
  /// - Parameters:
  ///   - features: `predictions.count` rows as they came, row-major; NaN is a missing value.
  ///   - labels: one per row; NaN where there is none.
  ///   - predictions: what was predicted for each row.
  ///   - losses: three numbers a row as `ProgressiveMetrics` gives them; the first is watched.
  /// - Returns: the comparisons that fell due, and alarms on the error, in the order of rows.
  public mutating func observe(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Double>, predictions: PredictionRows,
    losses: UnsafePointer<Double>
  ) -> [DriftCheck] {
    var checks: [DriftCheck] = []
    var start = 0
    while start < predictions.count {
      let untilCheck = checkRows - rowCount % checkRows
      let count = min(predictions.count - start, untilCheck, Self.blockRows * sampling)
      watch(
        features + start * featureCount, labels: labels + start,
        predictions: predictions.slice(from: start, count: count))
      for row in start..<start + count where errorWatch.update(error(losses[3 * row])) {
        let atRow = rowCount + row - start + 1
        checks.append(
          DriftCheck(
            atRow: atRow, statistics: [],
            alarms: [DriftAlarm(atRow: atRow, feature: DriftAlarm.error, kind: .error)]))
      }
      rowCount += count
      start += count
      if rowCount % checkRows == 0 { checks.append(compare()) }
    }
    return checks
  }

  /// Puts the values of at most `blockRows` watched rows into their columns.
  private mutating func watch(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Double>, predictions: PredictionRows
  ) {
    let (featureCount, sampling, settings) = (featureCount, sampling, settings)
    let first = (sampling - rowCount % sampling) % sampling
    let count = (predictions.count - first + sampling - 1) / sampling
    guard count > 0 else { return }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { slots in
      guard let slots = slots.baseAddress else { return }
      for column in 0..<featureCount {
        watches[column].append(
          features + first * featureCount + column, count: count,
          stride: sampling * featureCount, settings: settings, scratch: slots)
      }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
        guard let values = values.baseAddress else { return }
        for index in 0..<count { values[index] = Float(labels[first + index * sampling]) }
        watches[featureCount + 1].append(
          values, count: count, stride: 1, settings: settings, scratch: slots)
        let unwatched = max(0, unwatchedPredictions - rowCount - first + sampling - 1) / sampling
        guard unwatched < count else { return }
        for index in unwatched..<count {
          values[index] = score(predictions, row: first + index * sampling)
        }
        watches[featureCount].append(
          values + unwatched, count: count - unwatched, stride: 1, settings: settings,
          scratch: slots)
      }
    }
  }

  /// What is watched of a prediction: the probability of the second class, the mean, or the most
  /// probable of several classes.
  private func score(_ predictions: PredictionRows, row: Int) -> Float {
    let prediction = predictions[row]
    guard task == .multiclass else { return Float(prediction[0]) }
    return Float((0..<predictions.width).reduce(0) { prediction[$1] > prediction[$0] ? $1 : $0 })
  }

  /// What is watched of a loss: the log-loss, or the absolute error, whose tail is lighter than the
  /// squared one's.
  private func error(_ loss: Double) -> Double { task == .regression ? loss.squareRoot() : loss }
}

// MARK: - Comparing

extension DriftMonitor {
  /// What one column and test found.
  private struct Finding {
    var column: Int
    var kind: DriftAlarm.Kind
    var statistic: Double
    var isLarge: Bool
  }

  /// Compares every full window with its reference, and begins anew where it alarms.
  private mutating func compare() -> DriftCheck {
    var check = DriftCheck(
      atRow: rowCount, statistics: Array(repeating: .nan, count: columns.count), alarms: [])
    var findings: [Finding] = []
    for (column, watch) in watches.enumerated() where watch.isReady {
      guard let window = watch.window else { continue }
      let found = findings.count
      append(window, column: column, to: &findings)
      if found < findings.count, findings[found].kind == .distribution {
        check.statistics[column] = Float(findings[found].statistic)
      }
    }
    guard findings.contains(where: \.isLarge) else { return check }

    let pValues = findings.map { finding -> Double? in
      guard let window = watches[finding.column].window else { return nil }
      return finding.kind == .missing ? window.missingPValue : window.test.pValue
    }
    let isSignificant = benjaminiHochberg(pValues, level: settings.level)
    for (index, finding) in findings.enumerated() where finding.isLarge && isSignificant[index] {
      guard let window = watches[finding.column].window else { continue }
      let psi = window.reference.stabilityIndex(window.counter).value
      check.alarms.append(
        DriftAlarm(
          atRow: rowCount, feature: columns[finding.column], kind: finding.kind,
          ks: finding.statistic, pValue: pValues[index], psi: psi))
      firstAlarmRows[finding.column] = firstAlarmRows[finding.column] ?? rowCount
      watches[finding.column].restart()
    }
    return check
  }

  /// The tests of one column: of its values, and of how many are missing where any are.
  private func append(_ window: SlidingWindow, column: Int, to findings: inout [Finding]) {
    let (reference, counter) = (window.reference, window.counter)
    if let statistic = window.statistic {
      let threshold = settings.largeStatistic(reference.count, window.count)
      let isLarge =
        statistic > threshold
        || reference.stabilityIndex(counter).value ?? 0 > settings.psiThreshold
      findings.append(
        Finding(column: column, kind: .distribution, statistic: statistic, isLarge: isLarge))
    }
    guard reference.missingCount + counter.missingCount > 0 else { return }
    let threshold = settings.largeStatistic(settings.reference, settings.window)
    let difference = window.missingDifference
    findings.append(
      Finding(
        column: column, kind: .missing, statistic: difference, isLarge: difference > threshold))
  }
}

// MARK: - Saving

extension DriftMonitor {
  /// Writes the whole state under names that start with `prefix`.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(rowCount, as: "\(prefix)rowCount")
    archive.set(firstAlarmRows.map { $0 ?? -1 }, as: "\(prefix)firstAlarmRows")
    errorWatch.encode(into: &archive, prefix: "\(prefix)error.")
    for (column, watch) in watches.enumerated() {
      watch.encode(into: &archive, prefix: "\(prefix)column\(column).")
    }
  }

  /// Reads what `encode` of a monitor with the same settings and columns wrote.
  public mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    rowCount = try archive.count("\(prefix)rowCount")
    firstAlarmRows = try archive.integers("\(prefix)firstAlarmRows", count: columns.count)
      .map { $0 < 0 ? nil : Int($0) }
    try errorWatch.decode(from: archive, prefix: "\(prefix)error.")
    for column in watches.indices {
      watches[column] = try ColumnWatch(
        decoding: archive, prefix: "\(prefix)column\(column).", settings: settings)
    }
  }
}
