import Glibc
import Millrace
import Testing

// Reference values: scikit-learn 1.9.1 on these records (`uniforms` shows `lcg`):
//   u = list(lcg(1500)); p = u[0::3]
//   y = [1 if u[3*i+1] < p[i]**2 else 0 for i in range(500)]
//   w = [1 + int(4*u[3*i+2]) for i in range(500)]
//   p[0] = 0.0; p[1] = 1.0; p[2] = .5        (y = 1, 0, 0: both clips are needed)
//   log_loss(y, p), accuracy_score(y, [a > .5 for a in p]), roc_auc_score(y, p); the same with
//   sample_weight=w; the same on the last 100; confusion_matrix(…, sample_weight=w)
//   t = [10*a + b - .5 for a, b in zip(u[0::3], u[1::3])]; q = [10*a for a in u[0::3]]
//   mean_squared_error(t, q)**.5, mean_absolute_error(t, q), r2_score(t, q); with sample_weight=w
//   P = np.array(u).reshape(500, 3); P /= P.sum(1, keepdims=True)
//   Y = [int(3*a) for a in lcg(500, 7)]
//   log_loss(Y, P), accuracy_score, precision_score(Y, P.argmax(1), average=None), recall_score
private let u = uniforms(1_500)
private let ones = [Float](repeating: 1, count: 500)
private let weights = (0..<500).map { Float(1 + Int(4 * u[3 * $0 + 2])) }

private let first = (0..<500).map { u[3 * $0] }
private let second = (0..<500).map { u[3 * $0 + 1] }
private let probabilities = [0, 1, 0.5] + first[3...]
private let classes = zip(first, second).map { $1 < $0 * $0 ? 1.0 : 0.0 }
private let targets: [Double] = zip(first, second).map { 10 * $0 + $1 - 0.5 }
private let intervals: [Double] = first.flatMap { [10 * $0, 10 * $0 - 0.4, 10 * $0 + 0.4] }
private let threeProbabilities: [Double] = (0..<500).flatMap { row in
  let numbers = u[3 * row..<3 * row + 3]
  return numbers.map { $0 / numbers.reduce(0, +) }
}
private let threeClasses = uniforms(500, seed: 7).map { Double(Int(3 * $0)) }

/// Feeds records in micro-batches of `batch`.
private func metrics(
  _ task: Millrace.Task, _ predictions: [Double], _ labels: [Double], _ weights: [Float] = ones,
  window: Int = 100, batch: Int = 500
) -> ProgressiveMetrics {
  var metrics = ProgressiveMetrics(task: task, window: window)
  feed(&metrics, predictions, labels, weights, 0..<labels.count, batch: batch)
  return metrics
}

private func feed(
  _ metrics: inout ProgressiveMetrics, _ predictions: [Double], _ labels: [Double],
  _ weights: [Float], _ rows: Range<Int>, batch: Int
) {
  let width = predictions.count / labels.count
  var predictions = predictions
  predictions.withUnsafeMutableBufferPointer { predictions in
    guard let base = predictions.baseAddress else { return }
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: batch) {
      let count = min(batch, rows.upperBound - start)
      metrics.update(
        predictions: PredictionRows(
          base: base + start * width, count: count, width: width),
        labels: Array(labels[start..<start + count]),
        weights: Array(weights[start..<start + count]))
    }
  }
}

@Suite struct `Progressive metrics` {
  @Test func `binary metrics are scikit-learn's`() throws {
    let metrics = metrics(.binary, probabilities, classes)
    let all = metrics.cumulative.summary
    #expect(all.rows == 500)
    #expect(isClose(all.logLoss, 0.6166330123534823))
    #expect(isClose(all.accuracy, 0.768))
    let latest = metrics.windowed.summary
    #expect(latest.rows == 100)
    #expect(isClose(latest.logLoss, 0.5015509074276081))
    #expect(isClose(latest.accuracy, 0.73))
    #expect(isClose(latest.auc, 0.8862847222222222, 1e-3))
  }

  // l = -np.log(np.clip(np.where(y == 1, p, 1 - p), 2**-52, 1)); z = norm.ppf(.975)
  //   l.mean() ± z * sem(l); proportion_confint(384, 500, method="wilson") of statsmodels
  //   M = (pos[:, None] > neg) + .5 * (pos[:, None] == neg)   (DeLong's placements)
  //   M.mean() ± z * sqrt(M.mean(1).var(ddof=1)/len(pos) + M.mean(0).var(ddof=1)/len(neg))
  //   e = t - q: sqrt((e*e).mean() ± z * sem(e*e)); abs(e).mean() ± z * sem(abs(e))
  @Test func `intervals are those of standard errors, Wilson and DeLong`() throws {
    let binary = try #require(metrics(.binary, probabilities, classes).cumulative.summary.intervals)
    let regression = try #require(
      metrics(.regression, first.map { 10 * $0 }, targets).cumulative.summary.intervals)
    for (interval, expected, tolerance) in [
      (binary.logLoss, [0.414984855307952, 0.8182811693990126], 1e-12),
      (binary.accuracy, [0.7290425919653227, 0.8028707615472854], 1e-12),
      (binary.auc, [0.8476162063531845, 0.9109934193152647], 1e-3),
      (regression.rmse, [0.27950254248492246, 0.3022536636838102], 1e-12),
      (regression.mae, [0.23973266371812252, 0.265167280051817], 1e-12),
    ] {
      #expect(isClose(interval?.first, expected[0], tolerance))
      #expect(isClose(interval?.last, expected[1], tolerance))
    }
    #expect(metrics(.binary, [0.5], [1], [1]).cumulative.summary.intervals?.logLoss == nil)
  }

  @Test func `intervals of what is never negative do not go below 0`() throws {
    let intervals = try #require(
      metrics(.regression, [0, 0, 0], [0.01, 0.01, 5]).cumulative.summary.intervals)
    #expect(intervals.mae?.first == 0 && intervals.rmse?.first == 0)
  }

  @Test func `predictions that are not finite are counted, and nothing else`() {
    let summary = metrics(.regression, [1, .nan, .infinity, 3], [1, 1, 1, 1]).cumulative.summary
    #expect(summary.invalidPredictions == 2 && summary.rows == 4)
    #expect(isClose(summary.mae, 1))
    #expect(metrics(.regression, [1], [1]).cumulative.summary.invalidPredictions == nil)
  }

  @Test func `weighted binary metrics are scikit-learn's`() throws {
    let binary = try #require(
      metrics(.binary, probabilities, classes, weights).cumulative.binary)
    #expect(isClose(binary.scores.model.logLoss, 0.5604706428690367))
    #expect(isClose(binary.scores.model.accuracy, 0.7691711851278079))
    #expect(binary.confusion == [[598, 241], [57, 395]])
    let predicted = zip(probabilities, weights).reduce(0.0) { $0 + $1.0 * Double($1.1) }
    #expect(isClose(binary.calibrationRatio, predicted / 452))
  }

  @Test(arguments: [(false, 0.8793048128342247), (true, 0.8796449629246785)])
  func `the binned AUC is within its bound of the exact one`(
    isWeighted: Bool, exact: Double
  ) throws {
    let binary = try #require(
      metrics(.binary, probabilities, classes, isWeighted ? weights : ones).cumulative.binary)
    let auc = try #require(binary.auc)
    #expect((auc - exact).magnitude <= binary.aucErrorBound)
    #expect(binary.aucErrorBound < 2e-3)
    let curve = binary.rocCurve(points: 60)
    let area = zip(curve, curve.dropFirst()).reduce(0.0) { area, pair in
      area + (pair.1.falsePositiveRate - pair.0.falsePositiveRate)
        * (pair.1.truePositiveRate + pair.0.truePositiveRate) / 2
    }
    #expect(curve.count <= 60 && isClose(area, exact, 5e-3))
  }

  @Test func `the AUC separates scores that differ only far from a half`() {
    // Two tiny and two nearly certain probabilities, each pair in the right order.
    let metrics = metrics(
      .binary, [1e-6, 1.1e-6, 1 - 1.1e-6, 1 - 1e-6], [0, 1, 0, 1])
    #expect(metrics.cumulative.summary.auc == 0.75)
  }

  @Test func `reliability bars hold the mean prediction and the rate of positives`() throws {
    let binary = try #require(
      metrics(.binary, [0.01, 0.03, 0.52, 0.99, 1], [0, 1, 1, 1, 0]).cumulative.binary)
    let bars = binary.reliability
    #expect(bars.map(\.count) == [2, 1, 2])
    #expect(bars.map(\.meanPrediction) == [0.02, 0.52, 0.995])
    #expect(bars.map(\.meanOutcome) == [0.5, 1, 0.5])
  }

  @Test func `baselines predict each record before they see its label`() throws {
    let summary = metrics(.binary, [0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0]).cumulative.summary
    // Positives: ½, 1.5/2, 2.5/3, 2.5/4. Repeats: ½ before the first two, 1.5/2, 1.5/3.
    let baseRate = [0.5, 0.75, 1 - 2.5 / 3, 1 - 2.5 / 4]
    let noChange = [0.5, 0.5, 1 - 1.5 / 2, 1.5 / 3]
    func logLoss(_ p: [Double]) -> Double { -log(p[0] * p[1] * p[2] * p[3]) / 4 }
    #expect(isClose(summary.baseRate?.logLoss, logLoss(baseRate)))
    #expect(isClose(summary.noChange?.logLoss, logLoss(noChange)))
    #expect(summary.baseRate?.accuracy == 0.25)
  }

  @Test func `regression metrics are scikit-learn's`() {
    let plain = metrics(.regression, intervals, targets).cumulative.summary
    #expect(isClose(plain.rmse, 0.291100453852121))
    #expect(isClose(plain.mae, 0.25244997188496976))
    #expect(isClose(plain.r2, 0.9903161609318298))
    #expect(plain.intervalCoverage == 0.784)
    let weighted = metrics(.regression, intervals, targets, weights).cumulative.summary
    #expect(isClose(weighted.rmse, 0.29050991143266064))
    #expect(isClose(weighted.mae, 0.2514086746771841))
    #expect(isClose(weighted.r2, 0.99025523278244))
  }

  @Test func `regression baselines are the running mean and the last label`() {
    let summary = metrics(.regression, [0, 0, 0], [2, 4, 9]).cumulative.summary
    // Errors of the mean: 0, 2, 6; of the last label: 0, 2, 5.
    #expect(isClose(summary.baseRate?.rmse, (40.0 / 3).squareRoot()))
    #expect(isClose(summary.baseRate?.mae, 8.0 / 3))
    #expect(isClose(summary.noChange?.rmse, (29.0 / 3).squareRoot()))
    #expect(isClose(summary.noChange?.mae, 7.0 / 3))
  }

  @Test func `a prediction that is not finite is counted and kept out`() {
    let regression = metrics(.regression, [1, .nan, .infinity], [2, 2, 2]).cumulative.regression
    #expect(regression?.invalidPredictions == 2 && regression?.rmse == 1)
    let binary = metrics(.binary, [.nan], [1]).cumulative.summary
    #expect(isClose(binary.logLoss, -log(Double.ulpOfOne)) && binary.accuracy == 0)
  }

  @Test func `multiclass metrics are scikit-learn's`() throws {
    let metrics = metrics(.multiclass, threeProbabilities, threeClasses).cumulative
    #expect(isClose(metrics.summary.logLoss, 1.3510475662741548))
    #expect(isClose(metrics.summary.accuracy, 0.326))
    let multiclass = try #require(metrics.multiclass)
    let precision = [0.3836477987421384, 0.3388888888888889, 0.2546583850931677]
    let recall = [0.35260115606936415, 0.3333333333333333, 0.2847222222222222]
    #expect(precision.enumerated().allSatisfy { isClose(multiclass.precision($0), $1) })
    #expect(recall.enumerated().allSatisfy { isClose(multiclass.recall($0), $1) })
  }

  private func bytes(_ metrics: ProgressiveMetrics) -> [UInt8] {
    var archive = TensorArchive()
    metrics.encode(into: &archive, prefix: "m.")
    return archive.encoded()
  }

  @Test(arguments: [1, 7, 64])
  func `any micro-batches give the same state`(batch: Int) {
    for (task, predictions, labels) in [
      (Millrace.Task.binary, probabilities, classes), (.regression, targets, targets),
      (.multiclass, threeProbabilities, threeClasses),
    ] {
      #expect(
        bytes(metrics(task, predictions, labels, weights, batch: batch))
          == bytes(metrics(task, predictions, labels, weights)))
    }
  }

  @Test func `merged parts say what the whole says`() throws {
    for (task, predictions, labels) in [
      (Millrace.Task.binary, probabilities, classes), (.regression, intervals, targets),
      (.multiclass, threeProbabilities, threeClasses),
    ] {
      var parts = [ProgressiveMetrics](repeating: ProgressiveMetrics(task: task), count: 2)
      feed(&parts[0], predictions, labels, weights, 0..<123, batch: 500)
      feed(&parts[1], predictions, labels, weights, 123..<500, batch: 500)
      var merged = parts[0].cumulative
      merged.merge(parts[1].cumulative)
      let (sum, whole) = (
        merged.summary, metrics(task, predictions, labels, weights).cumulative.summary
      )
      #expect(sum.rows == whole.rows && sum.auc == whole.auc)
      let loss = try #require(whole.loss)
      #expect(isClose(sum.loss, loss) && isClose(sum.r2 ?? 1, whole.r2 ?? 1))
    }
  }

  @Test func `what is saved in mid-stream goes on as if it had not been`() throws {
    for (task, predictions, labels) in [
      (Millrace.Task.binary, probabilities, classes), (.regression, intervals, targets),
      (.multiclass, threeProbabilities, threeClasses),
    ] {
      var saved = ProgressiveMetrics(task: task, window: 70)
      feed(&saved, predictions, labels, weights, 0..<201, batch: 64)
      var restored = ProgressiveMetrics(task: task, window: 70)
      try restored.decode(from: try TensorArchive(decoding: bytes(saved)), prefix: "m.")
      feed(&restored, predictions, labels, weights, 201..<500, batch: 64)
      #expect(bytes(restored) == bytes(metrics(task, predictions, labels, weights, window: 70)))
    }
  }

  @Test func `an archive of another window is refused`() {
    var archive = TensorArchive()
    metrics(.binary, probabilities, classes).encode(into: &archive, prefix: "")
    var other = ProgressiveMetrics(task: .binary, window: 99)
    #expect(throws: MillraceError.self) { try other.decode(from: archive, prefix: "") }
  }

  @Test func `records without a label are left out`() {
    let binary = metrics(.binary, [0.5, 0.5, 0.5], [1, .nan, 0])
    #expect(binary.cumulative.summary.rows == 2)
    let multiclass = metrics(.multiclass, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [1, -1, 1e300])
    #expect(multiclass.cumulative.summary.rows == 1)
    #expect(ProgressiveMetrics(task: .binary).windowed.summary.logLoss == nil)
  }
}
