import FoundationEssentials
import Glibc
import Millrace
import Testing

@Suite struct `Synthetic streams` {
  private struct Written {
    var names: [String]
    var rows: [[Double]]
    var truth: SyntheticStreamTruth

    var labels: [Double] { rows.map { $0.last ?? .nan } }

    /// intercept + Σ coefficient · feature of every row by the truth that was written.
    var scores: [Double] {
      rows.enumerated().map { index, row in
        guard let segment = truth.segments.first(where: { ($0.fromRow..<$0.toRow) ~= index }) else {
          return .nan
        }
        let share = Double(index - segment.fromRow) / Double(segment.toRow - segment.fromRow)
        func coefficient(_ name: String) -> Double {
          let start = segment.coefficients[name] ?? .nan
          guard let end = segment.endCoefficients?[name] else { return start }
          return start + share * (end - start)
        }
        return zip(names, row).dropLast().reduce(coefficient("intercept")) {
          $0 + coefficient($1.0) * $1.1
        }
      }
    }
  }

  private func write(_ stream: SyntheticStream) throws -> Written {
    try withTemporaryDirectory { directory in
      let truth = try stream.write(to: "\(directory)/x.csv")
      let lines = String(decoding: try DurableFile.read("\(directory)/x.csv"), as: UTF8.self)
        .split(separator: "\n")
      let saved = try JSONDecoder().decode(
        SyntheticStreamTruth.self, from: Data(DurableFile.read("\(directory)/x.truth.json")))
      #expect(saved == truth)
      #expect(try Directory.entries(directory) == ["x.csv", "x.truth.json"])
      return Written(
        names: lines[0].split(separator: ",").map(String.init),
        rows: lines.dropFirst().map { $0.split(separator: ",").map { Double($0) ?? .nan } },
        truth: truth)
    }
  }

  @Test func `random bits are those of the reference implementation`() {
    // splitmix64.c of https://prng.di.unimi.it with x = 1234567.
    var random = SplitMix64(seed: 1_234_567)
    let bits = (0..<5).map { _ in random.next() }
    #expect(
      bits == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test func `SEA labels are by the sum of two columns, with a threshold for each concept`() throws
  {
    let written = try write(
      SyntheticStream(.sea, rows: 4000, driftRows: [1000, 2000, 3000], noise: 0, seed: 1))
    #expect(written.names == ["x1", "x2", "x3", "label"])
    #expect(written.truth.trueModel.accuracy == 1 && written.truth.bayesError == 0)
    for (index, row) in written.rows.enumerated() {
      // In units of 10⁻⁴, where sums of decimals are exact.
      let sum = (row[0] * 1e4).rounded() + (row[1] * 1e4).rounded()
      #expect((row[3] == 1) == (sum <= [8e4, 9e4, 7e4, 9.5e4][index / 1000]))
    }
    #expect(written.rows.allSatisfy { $0.dropLast().allSatisfy { (0...10).contains($0) } })
  }

  @Test func `the share of flipped labels is the noise`() throws {
    let clean = try write(SyntheticStream(.hyperplane, rows: 20_000, noise: 0, seed: 3))
    let noisy = try write(SyntheticStream(.hyperplane, rows: 20_000, noise: 0.2, seed: 3))
    #expect(clean.rows.map { $0.dropLast() } == noisy.rows.map { $0.dropLast() })
    let flipped = zip(clean.labels, noisy.labels).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
    // Five standard deviations of a binomial count.
    #expect(abs(Double(flipped) - 4000) < 5 * (20_000 * 0.2 * 0.8).squareRoot())
    #expect(noisy.truth.trueModel.accuracy == 1 - Double(flipped) / 20_000)
    // −.2 ln .2 − .8 ln .8
    #expect(abs((noisy.truth.bayesLogLoss ?? 0) - 0.500_402_423_538_188) < 1e-9)
  }

  @Test(arguments: [[], [700]])
  func `a hyperplane turns evenly, or jumps at drift rows`(driftRows: [Int]) throws {
    let written = try write(
      SyntheticStream(.hyperplane, rows: 2000, driftRows: driftRows, noise: 0, seed: 5))
    #expect(written.truth.segments.map(\.fromRow) == [0] + driftRows)
    #expect((written.truth.segments[0].endCoefficients == nil) == !driftRows.isEmpty)
    for (label, score) in zip(written.labels, written.scores) {
      // Weights that move are rounded to 10⁻⁴ at each row: ten columns come to 10⁻³ at most.
      if abs(score) > 1e-3 { #expect(label == (score > 0 ? 1 : 0)) }
    }
    let positives = written.labels.reduce(0, +)
    #expect((800...1200).contains(positives))
  }

  @Test func `a linear label without noise is the score to the last digit`() throws {
    let exact = try write(
      SyntheticStream(.linear, rows: 500, features: 5, driftRows: [250], noise: 0, seed: 7))
    for (label, score) in zip(exact.labels, exact.scores) { #expect(abs(label - score) < 1e-12) }
    let noisy = try write(SyntheticStream(.linear, rows: 20_000, noise: 3, seed: 7))
    let residuals = zip(noisy.labels, noisy.scores).map { $0 - $1 }
    let rmse = (residuals.reduce(0) { $0 + $1 * $1 } / 20_000).squareRoot()
    #expect(abs(rmse - 3) < 5 * 3 / (2 * 20_000.0).squareRoot())
    #expect(abs((noisy.truth.trueModel.rmse ?? 0) - rmse) < 1e-9)
  }

  @Test func `logistic labels have the probability of their score, and half of the means move`()
    throws
  {
    let count = 20_000
    let written = try write(
      SyntheticStream(.logistic, rows: 2 * count, features: 3, driftRows: [count], seed: 9))
    var loss = 0.0
    var excess = 0.0
    var variance = 0.0
    for (label, score) in zip(written.labels, written.scores) {
      let probability = 1 / (1 + exp(-score))
      loss -= log(label == 1 ? probability : 1 - probability)
      excess += label - probability
      variance += probability * (1 - probability)
    }
    #expect(abs(excess) < 5 * variance.squareRoot())
    #expect(abs((written.truth.trueModel.logLoss ?? 0) - loss / Double(2 * count)) < 1e-9)
    #expect(written.truth.bayesError == nil)
    for segment in written.truth.segments {
      for column in 0..<3 {
        let values = written.rows[segment.fromRow..<segment.toRow].map { $0[column] }
        let mean = values.reduce(0, +) / Double(count)
        let expected = segment.means?["x\(column + 1)"] ?? .nan
        #expect(abs(mean - expected) < 5 / Double(count).squareRoot())
        let deviation = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        #expect(abs(deviation - 1) < 5 * (2 / Double(count)).squareRoot())
      }
    }
    let moved = written.truth.segments[1].means?.values.map { abs($0) }.sorted()
    #expect(moved == [0, 1, 1])
  }

  @Test func `a stream is a function of its settings, and a prefix of a longer one`() throws {
    try withTemporaryDirectory { directory in
      func bytes(_ name: String, rows: Int, seed: UInt64) throws -> String {
        try SyntheticStream(.logistic, rows: rows, features: 4, seed: seed)
          .write(to: "\(directory)/\(name)")
        return String(decoding: try DurableFile.read("\(directory)/\(name)"), as: UTF8.self)
      }
      let long = try bytes("a.csv", rows: 3000, seed: 1)
      #expect(try bytes("b.csv", rows: 3000, seed: 1) == long)
      #expect(
        try bytes("c.csv", rows: 1500, seed: 1)
          == long.prefix(bytes("c.csv", rows: 1500, seed: 1).count))
      #expect(try bytes("d.csv", rows: 3000, seed: 2) != long)
      let json = try bytes("a.jsonl", rows: 2, seed: 1).split(separator: "\n")
      let values = long.split(separator: "\n")[2].split(separator: ",")
      #expect(
        json[1] == """
          {"x1": \(values[0]), "x2": \(values[1]), "x3": \(values[2]), "x4": \(values[3]), \
          "label": \(values[4])}
          """)
    }
  }

  @Test func `the samples that ship are what their settings make today`() throws {
    let samples = [
      "sea": try SyntheticStream(.sea, rows: 10_000, driftRows: [2500, 5000, 7500], seed: 1),
      "hyperplane": try SyntheticStream(.hyperplane, rows: 6000, features: 5, seed: 1),
      "logistic": try SyntheticStream(
        .logistic, rows: 6000, features: 5, driftRows: [3000], seed: 1),
      "linear": try SyntheticStream(.linear, rows: 6000, features: 4, driftRows: [3000], seed: 1),
    ]
    let datasets = #filePath.components(separatedBy: "/Tests/")[0] + "/datasets"
    try withTemporaryDirectory { directory in
      for (name, stream) in samples {
        try stream.write(to: "\(directory)/\(name)-sample.csv")
        for file in ["\(name)-sample.csv", "\(name)-sample.truth.json"] {
          let made = try DurableFile.read("\(directory)/\(file)")
          #expect(try made == DurableFile.read("\(datasets)/\(file)"))
          #expect(made.count < 300_000)
        }
      }
    }
  }

  @Test func `settings outside what is allowed are refused with what is`() throws {
    #expect(
      errorMessage(.configuration) { try SyntheticStream(.sea, rows: 10, driftRows: [5, 3]) }
        == "driftAt is \"5,3\"; expected ascending rows from 1 to 9")
    for make: () throws -> SyntheticStream in [
      { try SyntheticStream(.sea, rows: 0) }, { try SyntheticStream(.sea, rows: 1, features: 1) },
      { try SyntheticStream(.sea, rows: 9, driftRows: [9]) },
      { try SyntheticStream(.sea, rows: 9, noise: .nan) },
      { try SyntheticStream(.logistic, rows: 9, noise: 0.6) },
      { try SyntheticStream(.linear, rows: 9, noise: -1) },
    ] {
      _ = errorMessage(.configuration, make)
    }
    let stream = try SyntheticStream(.sea, rows: 1)
    #expect(errorMessage(.configuration) { try stream.write(to: "x.svm") }.contains("x.svm"))
    #expect(errorMessage(.system) { try stream.write(to: "/no/such/x.csv") }.contains("/no/such"))
  }
}
