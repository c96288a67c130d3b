import Millrace
import Testing

@Suite struct `Decimated series` {
  @Test(arguments: [1, 399, 400, 401, 800, 801, 45_312, 1_000_000])
  func `at most 400 points hold every row once`(rows: Int) {
    var series = DecimatedSeries()
    var total = 0.0
    for row in 0..<rows {
      series.append(Double(row % 7))
      total += Double(row % 7)
    }
    #expect(series.sums.count <= 400)
    #expect(rows < 400 || series.sums.count > 200)
    #expect(series.rowCount == rows)
    // Small integers: sums are exact whatever the order.
    #expect(series.weights.reduce(0, +) == Double(rows))
    #expect(series.sums.reduce(0, +) == total)
    #expect(series.weights.dropLast().allSatisfy { $0 == Double(series.stride) })
    #expect(series.endRow(of: series.sums.count - 1) == rows)
  }

  @Test func `each point is the mean of its own rows`() {
    var series = DecimatedSeries()
    for row in 0..<1000 { series.append(Double(row)) }
    #expect(series.stride == 4 && series.sums.count == 250)
    #expect(series.windowedMeans(points: 1)[10] == 41.5)
    #expect(series.windowedMeans(points: 2)[10] == 39.5)
    #expect(series.cumulativeMeans()[10] == 21.5)
    #expect(series.mean == 499.5)
  }

  @Test func `values that are not finite take their place and count for nothing`() {
    var series = DecimatedSeries()
    for value in [Double.nan, 1, .infinity, 3] { series.append(value) }
    #expect(series.windowedMeans(points: 1) == [nil, 1, nil, 3])
    #expect(series.cumulativeMeans() == [nil, 1, 1, 2])
    #expect(series.rowCount == 4 && series.mean == 2)
    #expect(DecimatedSeries().mean == nil)
  }
}

@Suite struct `Decimated grid` {
  @Test func `maxima, means and sums survive the merging of columns`() {
    var maxima = DecimatedGrid(numbers: 1, merge: .maximum)
    var counts = DecimatedGrid(numbers: 1, merge: .sum)
    var means = DecimatedGrid(numbers: 1, merge: .mean)
    for row in stride(from: 0, to: 100_000, by: 50) {
      let value: Float = row == 30_000 ? 9 : 1
      maxima.record(atRow: row, [value])
      means.record(atRow: row, [1])
      counts.record(atRow: row, [1])
    }
    #expect(maxima.counts.count <= 120 && maxima.counts.count > 60)
    #expect(maxima.counts.reduce(0, +) == 2000)
    #expect(maxima.series(0)[30_000 / maxima.stride] == 9)
    #expect(maxima.series(0).filter { $0 == 9 }.count == 1)
    #expect(means.series(0).allSatisfy { $0 == 1 })
    #expect(counts.series(0).reduce(0) { $0 + ($1 ?? 0) } == 2000)
  }

  @Test func `a column without a measurement is missing`() {
    var grid = DecimatedGrid(numbers: 2, merge: .maximum, stride: 10)
    grid.record(atRow: 5, [.nan, 0.5])
    grid.record(atRow: 25, [0.25])
    #expect(grid.counts == [1, 0, 1])
    #expect(grid.series(0) == [nil, nil, 0.25])
    #expect(grid.series(1) == [0.5, nil, nil])
  }
}

@Suite struct `Run history` {
  @Test func `long lists keep their first and newest elements`() {
    var list = BoundedList<Int>(limit: 3)
    for element in 0..<10 { list.append(element) }
    #expect(list.kept == [0, 1, 2, 7, 8, 9])
    #expect(list.count == 10 && list.omitted == 4)
  }

  @Test func `reasons beyond the limit are counted together`() {
    var reasons = ReasonCounts()
    for reason in 0..<60 { reasons.add("reason \(reason % 55)") }
    #expect(reasons.reasons.count == 50 && reasons.others == 5 && reasons.total == 60)
    #expect(reasons.counts[0] == 2)
  }

  @Test func `the first alarm of each feature is remembered`() {
    var history = RunHistory(featureCount: 1)
    history.note(RunEvent(.alarm, atRow: 10, feature: "a"))
    history.note(RunEvent(.alarm, atRow: 20, feature: "a"))
    history.note(RunEvent(.restart, atRow: 30))
    #expect(history.firstAlarmRows == ["a": 10])
    #expect(history.eventCounts == [.alarm: 2, .restart: 1])
  }
}
