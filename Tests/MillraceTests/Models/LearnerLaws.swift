import Glibc
import Millrace
import Testing

/// Puts a learner through the laws that `Learner` states.
///
/// - Parameters:
///   - settings: the learner, as `makeLearner` takes it.
///   - task: what it learns; several classes are four.
///   - columnTolerance: how far constant, duplicated or missing columns may move the loss, relative.
///   - isCurved: whether there is a square in the truth.
///   - other: another learner than these settings make.
func checkLearner(
  _ settings: LearnerSettings, task: Task, columnTolerance: Double = 0.02, isCurved: Bool = false,
  other: OtherLearner? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let laws = LearnerLaws(
    settings: settings, task: task, columnTolerance: columnTolerance, isCurved: isCurved,
    other: other, location: sourceLocation)
  try laws.labelsComeAfterPredictions()
  try laws.reportsAreWhatPredictAnswers()
  try laws.splitsChangeNothing()
  try laws.savingAndLoadingChangeNothing()
  try laws.unitsChangeNothing()
  try laws.columnOrderHardlyMatters()
  try laws.idleColumnsAreHarmless()
  try laws.outliersLeaveItFinite()
}

/// How a learner is made, and read from an archive.
struct OtherLearner {
  var make: (_ columns: Int) throws -> any Learner
  var decode: (TensorArchive, _ prefix: String) throws -> any Learner
}

private struct LearnerLaws {
  let settings: LearnerSettings
  let task: Task
  let columnTolerance: Double
  let other: OtherLearner?
  let location: SourceLocation
  let classCount: Int
  let stream: LabelledRows

  init(
    settings: LearnerSettings, task: Task, columnTolerance: Double, isCurved: Bool,
    other: OtherLearner?, location: SourceLocation
  ) {
    self.settings = settings
    self.task = task
    self.columnTolerance = columnTolerance
    self.other = other
    self.location = location
    classCount = task == .regression ? 0 : task == .binary ? 2 : 4
    stream = .linear(
      task, count: 1_500, classCount: classCount, square: isCurved ? 1.5 : 0)
  }

  /// A learner that saw nothing.
  func makeLearner(_ stream: LabelledRows) throws -> any Learner {
    let columns = stream.columnCount + 1
    return try other?.make(columns)
      ?? settings.makeLearner(task: task, columnCount: columns, columnNames: stream.columnNames)
  }

  /// A learner that saw all of `stream`, and what it predicted.
  func learnt(
    _ stream: LabelledRows, sizes: [Int] = [64], from learner: (any Learner)? = nil
  ) throws -> (learner: any Learner, predictions: [Double]) {
    let columns = stream.columnCount + 1
    var learner = try learner ?? makeLearner(stream)
    let predictions = learner.learn(
      stream.standardized().rows, columns: columns, labels: stream.labels,
      weights: stream.weights, width: learner.outputWidth(classCount: classCount), sizes: sizes)
    return (learner, predictions)
  }

  /// The mean progressive loss: squared error, or log-loss.
  func loss(_ stream: LabelledRows) throws -> Double {
    let (learner, predictions) = try learnt(stream)
    let width = learner.outputWidth(classCount: classCount)
    let losses = stream.labels.indices.map { row in
      let label = stream.labels[row]
      let prediction = predictions[row * width]
      return switch task {
      case .regression: (prediction - label) * (prediction - label)
      case .binary: -log(label == 1 ? prediction : 1 - prediction)
      case .multiclass: -log(predictions[row * width + Int(label)])
      }
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  func expect(_ condition: Bool, _ law: Comment) {
    #expect(condition, law, sourceLocation: location)
  }

  func labelsComeAfterPredictions() throws {
    var changed = stream
    let row = 700
    changed.labels[row] = task == .regression ? stream.labels[row] + 50 : 1 - stream.labels[row]
    if task == .multiclass { changed.labels[row] = stream.labels[row] == 0 ? 1 : 0 }
    let (original, other) = (try learnt(stream), try learnt(changed))
    let end = (row + 1) * original.predictions.count / stream.count
    expect(
      original.predictions[..<end] == other.predictions[..<end],
      "a label changes a prediction made before it")
    expect(original.learner.encoded() != other.learner.encoded(), "a label is not learnt")
  }

  func reportsAreWhatPredictAnswers() throws {
    let columns = stream.columnCount + 1
    let rows = stream.standardized().rows
    var learner = try makeLearner(stream)
    let width = learner.outputWidth(classCount: classCount)
    var agreements = 0
    for row in 0..<stream.count {
      let features = Array(rows[row * columns..<(row + 1) * columns])
      let answer = learner.predict(features, columns: columns, width: width)
      let report = learner.learn(
        features, columns: columns, labels: [stream.labels[row]],
        weights: [stream.weights[row]], width: width)
      if answer == report { agreements += 1 }
    }
    expect(agreements == stream.count, "learn reports what predict did not answer")
    let together = learner.predict(rows, columns: columns, width: width)
    let apart = learner.predict(rows, columns: columns, width: width, size: 1)
    expect(together == apart, "a row is predicted differently in company")
  }

  func splitsChangeNothing() throws {
    let whole = try learnt(stream, sizes: [.max])
    let bytes = whole.learner.encoded()
    for sizes in [[1], [7, 64, 3, 129], [256], [1_000]] {
      let (learner, predictions) = try learnt(stream, sizes: sizes)
      expect(predictions == whole.predictions, "calls of \(sizes) rows predict differently")
      expect(learner.encoded() == bytes, "calls of \(sizes) rows leave another state")
    }
  }

  func savingAndLoadingChangeNothing() throws {
    let columns = stream.columnCount + 1
    let rows = stream.standardized().rows
    let uninterrupted = try learnt(stream).learner.encoded()
    for cut in [0, 1, 777] {
      var learner = try makeLearner(stream)
      let width = learner.outputWidth(classCount: classCount)
      func continueLearning(_ range: Range<Int>) {
        _ = learner.learn(
          Array(rows[range.lowerBound * columns..<range.upperBound * columns]), columns: columns,
          labels: Array(stream.labels[range]), weights: Array(stream.weights[range]), width: width)
      }
      continueLearning(0..<cut)
      let archive = try TensorArchive(decoding: learner.encoded())
      learner =
        try other?.decode(archive, "learner.")
        ?? settings.decodeLearner(
          task: task, columnCount: columns, from: archive, prefix: "learner.")
      continueLearning(cut..<stream.count)
      expect(learner.encoded() == uninterrupted, "loading at row \(cut) changes what is learnt")
    }
  }

  func unitsChangeNothing() throws {
    let expected = try loss(stream)
    for factor: Float in [1e6, 1e-6] {
      let scaled = try loss(
        stream.mapColumns { columns, _ in
          columns.enumerated().map { $0.offset == 1 ? $0.element * factor : $0.element }
        })
      expect(abs(scaled / expected - 1) < 1e-3, "a column × \(factor) moves the loss to \(scaled)")
      guard task == .regression else { continue }
      var target = stream
      target.labels = target.labels.map { $0 * Double(factor) }
      let relative = try loss(target) / Double(factor) / Double(factor)
      expect(abs(relative / expected - 1) < 1e-3, "the target × \(factor) moves the loss")
    }
  }

  func columnOrderHardlyMatters() throws {
    let expected = try loss(stream)
    var stream = stream.mapColumns { columns, _ in columns.reversed() }
    stream.columnNames.reverse()
    let reversed = try loss(stream)
    expect(
      abs(reversed / expected - 1) < 5e-3, "reversed columns: \(reversed) instead of \(expected)")
  }

  func idleColumnsAreHarmless() throws {
    let expected = try loss(stream)
    let additions: [(String, ([Float]) -> Float)] = [
      ("constant", { _ in 3 }), ("all-missing", { _ in .nan }), ("duplicated", { $0[0] }),
    ]
    for (name, value) in additions {
      let widened = try loss(stream.mapColumns { columns, _ in columns + [value(columns)] })
      expect(
        widened < expected * (1 + columnTolerance),
        "a \(name) column moves the loss from \(expected) to \(widened)")
    }
  }

  func outliersLeaveItFinite() throws {
    var wild = stream.mapColumns { columns, row in
      switch row % 50 {
      case 17: columns.map { _ in .nan }
      case 23: columns.map { $0 < 0 ? -.infinity : .infinity }
      case 31: columns.map { $0 * 1e30 }
      case 41: columns.map { _ in -.greatestFiniteMagnitude }
      default: columns
      }
    }
    if task == .regression {
      for row in Swift.stride(from: 20, to: wild.count, by: 90) { wild.labels[row] *= 1e30 }
      wild.labels[1_000] = .greatestFiniteMagnitude
      wild.labels[1_001] = -.greatestFiniteMagnitude
    }
    wild.weights[60] = 0
    wild.weights[61] = 1e20
    let (learner, predictions) = try learnt(wild)
    expect(learner.isFinite, "the state is not finite")
    expect(predictions.allSatisfy(\.isFinite), "a prediction is not finite")
  }
}
