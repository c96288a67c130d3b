import Millrace
import Testing

/// Predictions 0, 1, … with residuals that are a permutation of 0 ..< count.
private func metrics(rows: Range<Int>, of count: Int) -> ProgressiveMetrics.Metrics {
  var metrics = ProgressiveMetrics(task: .regression, window: 10)
  for row in rows {
    var prediction = Double(row)
    let residual = Double(row * 7_919 % count)  // 7,919 is prime: every residual comes once.
    withUnsafeMutablePointer(to: &prediction) { prediction in
      metrics.update(
        predictions: PredictionRows(base: prediction, count: 1, width: 1),
        labels: [Double(row) + residual], weights: [1])
    }
  }
  return metrics.cumulative
}

@Suite struct `Sampled predictions` {
  @Test func `quantiles of few residuals are those of all`() throws {
    // numpy.quantile(range(1000), [0, .25, .5, 1], method="inverted_cdf") is 0, 249, 499, 999.
    let regression = try #require(metrics(rows: 0..<1_000, of: 1_000).regression)
    #expect(
      regression.residualQuantiles([0, 0.25, 0.5, 1]).map(\.value) == [0, 249, 499, 999])
    let bins = regression.bins(10)
    #expect(bins.map(\.count) == Array(repeating: 100, count: 10))
    #expect(bins.map(\.meanPrediction) == (0..<10).map { 49.5 + 100 * Double($0) })
  }

  @Test func `a sample of many is near all of them, and as large as it says`() throws {
    let count = 100_000
    let regression = try #require(metrics(rows: 0..<count, of: count).regression)
    // The deviation of a quantile of 1,024 or more is at most .5/32; four of them.
    for quantile in regression.residualQuantiles([0.1, 0.5, 0.9]) {
      #expect(abs(quantile.value / Double(count) - quantile.share) < 4 * 0.5 / 32)
    }
    let bins = regression.bins(10)
    #expect(abs(bins.reduce(0) { $0 + $1.count } - Double(count)) < 1e-6)
    for (bin, index) in zip(bins, 0...) {
      #expect(abs(bin.meanPrediction / Double(count) - (Double(index) + 0.5) / 10) < 0.06)
    }
  }

  @Test func `parts of a stream merge into a sample of the whole`() throws {
    let count = 40_000
    var merged = metrics(rows: 0..<10_000, of: count)
    for part in 1..<4 {
      merged.merge(metrics(rows: part * 10_000..<(part + 1) * 10_000, of: count))
    }
    let regression = try #require(merged.regression)
    let bins = regression.bins(4)
    #expect(abs(bins.reduce(0) { $0 + $1.count } - Double(count)) < 1e-6)
    for (bin, index) in zip(bins, 0...) {
      #expect(abs(bin.meanPrediction / Double(count) - (Double(index) + 0.5) / 4) < 0.06)
    }
  }
}
