import Foundation
import Testing

/// Learning stops, no label comes any more, and the truth stays what it was: one pass must have
/// found what the exact solution of all records finds. On the mean over streams: a filter's steps are
/// approximate, and where classes are far apart it may be 1 % off on a single one.
@Suite struct `Where the truth is fixed and no label comes` {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Eight normal columns, and the class with the greatest of linear scores that Gumbel noise is
  /// added to: of such labels the softmax model is the truth. With one class the score is a number.
  private func stream(classCount: Int, seed: UInt64) -> [String] {
    var state = seed
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Double(state >> 40) + 0.5) / Double(1 << 24)
    }
    func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
    let slopes = (0..<classCount).map { _ in (0..<8).map { _ in 0.7 * normal() } }
    return ["a,b,c,d,e,f,g,h,label"]
      + (0..<10_000).map { _ in
        let row = (0..<8).map { _ in normal() }
        let scores = slopes.map { zip($0, row).reduce(0) { $0 + $1.0 * $1.1 } }
        let columns = row.map { "\($0)" }.joined(separator: ",")
        if classCount == 1 { return "\(columns),\(scores[0] + normal())" }
        let noisy = scores.map { $0 - log(-log(uniform())) }
        return "\(columns),c\(noisy.indices.max { noisy[$0] < noisy[$1] } ?? 0)"
      }
  }

  @Test(arguments: [1, 2, 3, 5, 10])
  func `the bank answers like the exact solution`(classCount: Int) throws {
    let ratios = try (1...3).map { seed in
      let file = "\(classCount)-\(seed).csv"
      try folder.write(stream(classCount: classCount, seed: UInt64(seed)), to: file)
      let losses = try ["auto", "exact"].map { learner in
        let outcome = try MillraceProcess.run(
          ["train", file, "--label", "label", "--learner", learner, "--test", "0.2"]
            + ["--json", "--quiet"], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let test = try #require(outcome.json["test"] as? [String: Any])
        return try #require(test[classCount == 1 ? "rmse" : "logLoss"] as? Double)
      }
      return losses[0] / losses[1]
    }
    #expect(ratios.reduce(0, +) / 3 < 1.005, "\(ratios)")
  }
}
