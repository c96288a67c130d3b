import Foundation
import Millrace
import Synchronization
import Testing

@Suite struct `Open predictor` {
  private let row: [Float] = [3, 4, 5]

  /// The sample that ships with the project.
  private func sample() throws -> Predictor { try Predictor("sea", store: sampleStore) }

  private let sampleStore = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../models").standardized.path

  @Test func `a row, a batch and the model itself give the same bits`() throws {
    var predictor = try sample()
    let rows: [Float] = (0..<600).map { Float($0 * 37 % 101) / 10 }
    var answers = [Double](repeating: -1, count: 200)
    var buffer = answers.mutableSpan
    try predictor.predict(rows.span, into: &buffer)
    var direct = [Double](repeating: -1, count: 200)
    direct.withUnsafeMutableBufferPointer { direct in
      guard let base = direct.baseAddress else { return }
      predictor.served.model.predict(rows, into: PredictionRows(base: base, count: 200, width: 1))
    }
    #expect(answers == direct)
    for (index, answer) in answers.enumerated() {
      #expect(try predictor.predict(Array(rows[3 * index..<3 * index + 3])) == answer)
    }
    #expect(answers.allSatisfy { (0...1).contains($0) } && Set(answers).count > 50)
  }

  @Test func `it knows the stream that it was trained on`() throws {
    var predictor = try sample()
    // The last concept of the stream: 1 where x1 + x2 ≤ 9.5, with a tenth of the labels flipped.
    #expect(try predictor.predict([2, 3, 5]) > 0.8)
    #expect(try predictor.predict([8, 7, 5]) < 0.2)
    #expect(try (0...1).contains(predictor.predict([.nan, .infinity, -.infinity])))
  }

  @Test func `a row of another width is an error, and so is a buffer`() throws {
    var predictor = try sample()
    #expect(
      errorMessage(.input) { try predictor.predict([1, 2]) }
        == "sea@1 was given 2 features; expected 3")
    var answers = [0.0]
    #expect(
      errorMessage(.input) {
        var buffer = answers.mutableSpan
        try predictor.predict([1, 2, 3, 4, 5, 6].span, into: &buffer)
      } == "sea@1 was given 1 predictions; expected 2")
    #expect(
      errorMessage(.input) {
        var buffer = answers.mutableSpan
        try predictor.predict([1, 2, 3, 4].span, into: &buffer)
      } == "sea@1 was given 4 features; expected 3")
    #expect(errorMessage(.store) { try Predictor("see", store: sampleStore) }.contains("sea"))
  }

  @Test func `products of columns are made of the numbers given`() throws {
    try withTemporaryDirectory { directory in
      let rows: [Float] = (0..<400).map { Float($0 * 37 % 101 - 50) / 8 }
      let lines = (0..<200).map { row in
        let (a, b) = (rows[2 * row], rows[2 * row + 1])
        return "\(a),\(b),\(a * b > 0 ? 1 : 0)\n"
      }
      try Data(("a,b,y\n" + lines.joined()).utf8)
        .write(to: URL(fileURLWithPath: "\(directory)/data.csv"))
      var inference = SchemaInference.Options(label: "y")
      inference.interactions = [["a", "b"]]
      var job = TrainingJob(
        data: "\(directory)/data.csv", format: nil, settings: PipelineSettings(),
        inference: inference)
      job.modelName = "signs"
      job.store = ModelStore(path: directory)
      _ = try job.run()

      var predictor = try Predictor("signs", store: directory)
      var answers = [Double](repeating: -1, count: 200)
      var buffer = answers.mutableSpan
      try predictor.predict(rows.span, into: &buffer)
      let whole = (0..<200).flatMap { row -> [Float] in
        let (a, b) = (rows[2 * row], rows[2 * row + 1])
        return [a, b, a * b]
      }
      var direct = [Double](repeating: -1, count: 200)
      direct.withUnsafeMutableBufferPointer { direct in
        guard let base = direct.baseAddress else { return }
        predictor.served.model.predict(
          whole, into: PredictionRows(base: base, count: 200, width: 1))
      }
      #expect(answers == direct && Set(answers).count > 50)
      #expect(try predictor.predict([rows[6], rows[7]]) == answers[3])
      #expect(
        errorMessage(.input) { try predictor.predict([1, 2, 2]) }
          == "signs@1 was given 3 features; expected 2")
    }
  }

  @Test func `threads go on with their copies while versions are promoted`() throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: directory)
      let model = try sample().served.model
      func publish(_ model: Model) throws -> ModelVersion {
        try store.publish(
          model, metrics: [:], lineage: .init(source: "test", reason: "batch"), as: "sea")
      }
      let learnt = try publish(model)
      let blank = try publish(Model(schema: model.schema, settings: model.settings))
      let answers = try [learnt, blank].map { version in
        try store.promote(version)
        var predictor = try Predictor("sea", store: directory)
        return try predictor.predict(row)
      }
      #expect(answers[0] != answers[1])
      let watcher = try StoreWatcher(store: store, reference: "sea", interval: 3_600)
      let predictor = Predictor(following: watcher)
      let isRunning = Atomic(true)
      let seen = Mutex<[Set<Double>]>([])
      let group = DispatchGroup()
      for _ in 0..<3 {
        group.enter()
        Thread.detachNewThread { [row] in
          var predictor = predictor
          var own: Set<Double> = []
          while isRunning.load(ordering: .relaxed) || own.count < 2 {
            own.insert((try? predictor.predict(row)) ?? .nan)
            if own.count > 2 { break }
          }
          seen.withLock { $0.append(own) }
          group.leave()
        }
      }
      for turn in 0..<50 {
        try store.promote(turn % 2 == 0 ? learnt : blank)
        watcher.look()
        usleep(500)
      }
      isRunning.store(false, ordering: .relaxed)
      // A thread that started late still has to see both.
      while group.wait(timeout: .now() + .milliseconds(2)) == .timedOut {
        _ = try store.rollback("sea")
        watcher.look()
      }
      #expect(seen.withLock { $0.allSatisfy { $0 == Set(answers) } && $0.count == 3 })
    }
  }
}
