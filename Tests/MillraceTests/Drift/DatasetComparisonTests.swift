import Glibc
import Millrace
import Testing

/// Two datasets, made of `uniforms`.
private enum Dataset: String {
  case reference, current

  /// As CSV. The columns: `same` and `level` do not drift, `bent` and `kind` do, `gappy` loses every
  /// tenth value, `time` is `bent` with an offset that a 32-bit float could not hold.
  var csv: String {
    let isReference = self == .reference
    let count = isReference ? 400 : 300
    func level(_ u: Double) -> String { ["red", "green", "blue"][Int(3 * u)] }
    let bent = uniforms(count, seed: isReference ? 42 : 7).map { isReference ? $0 : pow($0, 1.4) }
    let same = isReference ? bent : uniforms(count, seed: 9)
    let kind = uniforms(count, seed: isReference ? 5 : 6)
    let level2 = isReference ? kind : uniforms(count, seed: 8)
    let rows = (0..<count).map { row in
      let gappy = !isReference && row % 10 == 0 ? "" : "\(bent[row])"
      let skewed = level(isReference ? kind[row] : kind[row].squareRoot())
      return "\(same[row]),\(bent[row]),\(gappy),\(1.7e9 + bent[row]),\(skewed),"
        + level(level2[row])
    }
    return (["same,bent,gappy,time,kind,level"] + rows).joined(separator: "\n") + "\n"
  }
}

/// Compares texts, CSV unless said.
private func compare(
  _ reference: String, _ current: String,
  _ options: DatasetComparison.Options = DatasetComparison.Options(), format: String = "csv"
) throws -> DatasetComparison {
  try withTemporaryDirectory { directory in
    let logs = try [reference, current].enumerated().map { index, text in
      let path = "\(directory)/\(index).\(format)"
      try DurableFile.write(Array(text.utf8), to: path)
      return try FileLog(LogAddress(path), untilEnd: true)
    }
    return try DatasetComparison(reference: logs[0], current: logs[1], options: options)
  }
}

@Suite struct `Comparison of datasets` {
  @Test func `LibSVM records are compared by label and index`() throws {
    func lines(label: Int, offset: Double) -> String {
      uniforms(200, seed: 4).map { "\(label) 1:\($0) 3:\($0 + offset)\n" }.joined()
    }
    let reference = lines(label: 0, offset: 0)
    func drifted(_ current: String) throws -> [Bool] {
      let features = try compare(reference, current, format: "svm").features
      #expect(features.map(\.name) == ["label", "1", "2", "3"])
      return features.map(\.drifted)
    }
    #expect(try drifted(lines(label: 1, offset: 0)) == [true, false, false, false])
    #expect(try drifted(lines(label: 0, offset: 1)) == [false, false, false, true])
    let named = try compare("low 1:1\n", "high 1:1\n", format: "svm")
    #expect(named.features.map(\.name) == ["1"])
    #expect(named.warnings.first == "reference: the label is text and is left out")
    let message = errorMessage(.input) { try compare("1 1025:1\n", reference, format: "svm") }
    #expect(message == "reference: an index is 1025; columns are compared up to index 1024")
  }

  @Test func `tests are SciPy's, and only what differs has drifted`() throws {
    let comparison = try compare(Dataset.reference.csv, Dataset.current.csv)
    #expect(comparison.features.map(\.name) == ["same", "bent", "gappy", "time", "kind", "level"])
    #expect(
      comparison.features.map(\.type) == [String](repeating: "numeric", count: 4)
        + ["categorical", "categorical"])
    // ks_2samp of the columns; chi2_contingency(counts, correction=False) of the last two.
    let expected: [(Double?, Double)] = [
      (0.075, 0.27772347787325535), (0.2025, 1.286972360333419e-06),
      (0.19657407407407407, 6.190922439298737e-06), (0.2025, 1.286972360333419e-06),
      (0.2533333333333333, 2.8361952617789446e-16), (nil, 0.8360360805013872),
    ]
    for (feature, (statistic, p)) in zip(comparison.features, expected) {
      if let statistic { #expect(isClose(feature.ks.statistic, statistic)) }
      #expect(isClose(feature.ks.pValue, p, 1e-9), "\(feature.name)")
    }
    #expect(
      comparison.features.map(\.ks.method) == [String](repeating: "exact", count: 4)
        + ["chi-squared", "chi-squared"])
    #expect(comparison.features.map(\.drifted) == [false, true, true, true, true, false])
    #expect(comparison.drifted && comparison.features[2].missingCurrent == 0.1)
    #expect(isClose(comparison.features[3].psi, comparison.features[1].psi ?? 0, 1e-3))
  }

  @Test func `a dataset has not drifted from itself`() throws {
    let comparison = try compare(Dataset.current.csv, Dataset.current.csv)
    #expect(!comparison.drifted && comparison.rowsReference == 300)
    #expect(comparison.features.allSatisfy { $0.ks.statistic == 0 && $0.psi == 0 })
  }

  @Test func `a column that is only in one dataset is missing in the other`() throws {
    let comparison = try compare(
      "x,y\n" + String(repeating: "1,2\n2,3\n", count: 50),
      "x\n" + String(repeating: "1\n2\n", count: 50))
    #expect(comparison.features.map(\.drifted) == [false, true])
    #expect(comparison.features[1].ks.method == "insufficient")
    #expect(comparison.features[1].ks.statistic == nil)
    #expect(comparison.features[1].missingCurrent == 1)
  }

  @Test func `a level that was never seen counts`() throws {
    let comparison = try compare(
      "x\n" + String(repeating: "a\nb\n", count: 1_000),
      "x\n" + String(repeating: "a\nb\n", count: 1_000) + String(repeating: "c\n", count: 1_000))
    #expect(comparison.drifted)
    #expect(isClose(comparison.features[0].ks.statistic, 1.0 / 3))
  }

  @Test func `texts against numbers are compared as categories`() throws {
    let numbers = (0..<200).map { "\($0 % 5)" }
    let comparison = try compare(
      (["x"] + numbers).joined(separator: "\n") + "\n",
      (["x"] + numbers.map { "level \($0)" }).joined(separator: "\n") + "\n")
    #expect(comparison.badRecords == 0 && comparison.drifted)
    #expect(comparison.features.map(\.type) == ["categorical"])
  }

  @Test func `only the columns that were asked for are compared`() throws {
    var options = DatasetComparison.Options()
    options.features = ["bent"]
    let comparison = try compare(Dataset.reference.csv, Dataset.current.csv, options)
    #expect(comparison.features.map(\.name) == ["bent"])
    options.features = ["bend"]
    #expect(throws: MillraceError.self) {
      try compare(Dataset.reference.csv, Dataset.current.csv, options)
    }
    #expect(throws: MillraceError.self) { try compare("x\n", "x\n1\n") }
  }

  @Test func `infinities and constants are shown with finite numbers`() throws {
    let comparison = try compare("x,y\n-inf,5\n1,5\n2,5\ninf,5\n", "x,y\n1,5\n3,6\ninf,5\n-inf,4\n")
    for feature in comparison.page.features {
      let edges = try #require(feature.histogram?.edges)
      #expect(edges.allSatisfy(\.isFinite) && edges == edges.sorted() && edges.count > 1)
      #expect(feature.distributions?.values.allSatisfy(\.isFinite) ?? false)
    }
  }
}
