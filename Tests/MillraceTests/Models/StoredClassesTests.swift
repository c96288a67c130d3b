import Millrace
import Testing

@Suite struct `Classes of stored learners` {
  @Test(arguments: [[-1], [1_000], [1 << 62], [3, 3]] as [[Int64]])
  func `what is no class, or one twice, is refused`(indices: [Int64]) throws {
    func check(
      _ learner: some Learner, _ decode: (TensorArchive) throws -> any Learner
    ) {
      var archive = TensorArchive()
      learner.encode(into: &archive, prefix: "learner.")
      archive.set(indices, as: "learner.classes")
      let message = errorMessage(.store) { try decode(archive) }
      #expect(message.hasPrefix("tensor 'learner.classes' has \(indices[indices.count - 1]) at"))
    }
    var settings = LearnerSettings()
    settings.basis = .linear
    for (kind, columnCount) in [(LearnerSettings.Kind.auto, 3), (.auto, 140), (.sgd, 3)] {
      settings.learner = kind
      try check(settings.makeLearner(task: .multiclass, columnCount: columnCount)) {
        try settings.decodeLearner(
          task: .multiclass, columnCount: columnCount, from: $0, prefix: "learner.")
      }
    }
    for kind in [LearnerSettings.Kind.auto, .sgd] {
      settings.learner = kind
      settings.basis = .auto
      try check(settings.makeSparseLearner(task: .multiclass, width: 16)) {
        try settings.decodeSparseLearner(from: $0, prefix: "learner.")
      }
    }
  }
}
