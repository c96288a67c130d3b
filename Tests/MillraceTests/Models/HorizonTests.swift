import Millrace
import Testing

/// Which records the weights for where no label comes are earned by: all three narrow banks.
@Suite struct `Weights for where no label comes` {
  /// What a bank that has learnt some rows, so many at a time, answers without labels.
  private func answers(
    _ stream: LabelledRows, _ task: Task, count: Int, sizes: [Int], intervals: [Double]? = nil
  ) throws -> [Double] {
    var settings = LearnerSettings()
    settings.bankConstants["horizon-intervals"] = intervals
    var bank = try settings.makeLearner(task: task, columnCount: stream.columnCount)
    let (rows, columns) = (stream.standardized().rows, stream.columnCount + 1)
    let width = bank.outputWidth(classCount: 3)
    _ = bank.learn(
      Array(rows[..<(columns * count)]), columns: columns, labels: Array(stream.labels[..<count]),
      weights: Array(stream.weights[..<count]), width: width, sizes: sizes)
    return bank.predict(rows, columns: columns, width: width, horizon: .never)
  }

  @Test(arguments: Task.allCases)
  func `do not depend on how records come`(task: Task) throws {
    // Records that weigh nothing are among them, and one of two, then one of three is scored.
    let stream = LabelledRows.linear(task, count: 14_000, classCount: 3)
    let whole = try answers(stream, task, count: stream.count, sizes: [stream.count])
    #expect(try answers(stream, task, count: stream.count, sizes: [1_000, 7, 333]) == whole)
    #expect(try answers(stream, task, count: stream.count, sizes: [1]) == whole)
  }

  @Test(arguments: Task.allCases)
  func `are earned by fewer of the records as there are more`(task: Task) throws {
    let stream = LabelledRows.linear(task, count: 10_000, classCount: 3)
    func agrees(_ count: Int, _ intervals: [Double]) throws -> Bool {
      try answers(stream, task, count: count, sizes: [count])
        == answers(stream, task, count: count, sizes: [count], intervals: intervals)
    }
    #expect(try agrees(8_192, [1, 1]) && !agrees(10_000, [1, 1]) && agrees(10_000, [2, 2]))
  }
}
