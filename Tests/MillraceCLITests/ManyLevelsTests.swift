import Foundation
import Testing

@Suite struct `A text with many levels` {
  private let folder: Folder

  /// 400 levels, each with a probability of its own, and a number far from 0 that matters too.
  init() throws {
    folder = try Folder()
    var state: UInt64 = 5
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    let effects = (0..<400).map { _ in uniform() < 0.5 ? -2.0 : 2 }
    try folder.write(
      ["city,year,y"]
        + (0..<12_000).map { _ in
          let (city, year) = (Int(uniform() * 400), 4 * uniform())
          let score = effects[city] + year - 2
          return "city\(city),\(2_000 + year),\(uniform() < 1 / (1 + exp(-score)) ? "yes" : "no")"
        }, to: "data.csv")
  }

  private func loss(_ options: String...) throws -> (test: Double, errors: String) {
    let outcome = try MillraceProcess.run(
      ["train", "data.csv", "--label", "y", "--test", "0.25", "--model", "m", "--json"] + options,
      in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let test = try #require(outcome.json["test"] as? [String: Any])
    return (try #require(test["logLoss"] as? Double), outcome.errors)
  }

  @Test func `is learnt level by level, beside numbers that keep their meaning`() throws {
    let own = try loss()
    #expect(own.errors.contains("'city' has many levels"), "\(own.errors)")
    // The truth's own loss is 0.384; without years it is 0.454, without levels 0.657.
    #expect(own.test < 0.42, "\(own.test)")
    let predicted = try MillraceProcess.run("predict", "data.csv", "--model", "m", in: folder)
    #expect(predicted.output.split(separator: "\n").count == 12_001, "\(predicted.errors)")
  }

  @Test func `leaves the coefficients of numbers in their own units`() throws {
    try folder.write(
      ["n,y"] + (0..<4_000).map { "\(30 + $0 * 8 % 21),\(100 + 3 * (30 + $0 * 8 % 21))" },
      to: "line.csv")
    let outcome = try MillraceProcess.run(
      "train", "line.csv", "--label", "y", "--hash-bits", "8", "--task", "regression",
      "--coefficients", "--json", in: folder)
    let coefficients = try #require(outcome.json["coefficients"] as? [String: Double])
    let intercept = try #require(coefficients["intercept"])
    let slopes = coefficients.filter { $0.key != "intercept" }.values
    #expect(slopes.count == 1 && slopes.allSatisfy { abs($0 - 3) < 0.02 })
    #expect(abs(intercept - 100) < 1)
  }

  @Test func `is hashed where the learner cannot be sparse`() throws {
    #expect(try loss("--learner", "newton").errors.contains("hashed into 256 columns"))
  }
}
