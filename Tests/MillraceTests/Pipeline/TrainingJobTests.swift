import Millrace
import Testing

@Suite struct `A training that is stopped` {
  @Test func `in a fold of its cross-validation ends well, and stores nothing`() throws {
    try withTemporaryDirectory { directory in
      let rows = (0..<2_000).map { "\($0 * 37 % 101),\($0 % 3 == 0 ? 1 : 0)\n" }
      try DurableFile.write(Array(("a,y\n" + rows.joined()).utf8), to: "\(directory)/data.csv")
      var job = TrainingJob(
        data: "\(directory)/data.csv", format: nil, settings: PipelineSettings(),
        inference: .init(label: "y"))
      job.store = ModelStore(path: "\(directory)/models")
      job.modelName = "m"
      job.foldCount = 5
      var isStopped = false
      // The first fold has learnt something when the wish comes.
      let result = try job.run(shouldStop: { isStopped }, progress: { _ in isStopped = true })
      #expect(isStopped && result.command == "train" && result.model == nil)
      #expect(!Directory.exists("\(directory)/models"))
    }
  }
}
