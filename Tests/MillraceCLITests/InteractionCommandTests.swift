import Foundation
import Testing

/// Products of columns, against the same products as columns of the file.
@Suite struct `The option --interactions` {
  private let folder: Folder
  private static let pairs = "a:b,a:a,city:a"
  private static let products = ["a:b", "a:a", "city=Bern:a", "city=Chur:a", "city=Genf:a"]

  /// `plain.*` have a, b, city and y; `made.*` have a column for each product beside.
  init() throws {
    folder = try Folder()
    var (plain, made) = ([["a", "b", "city"]], [["a", "b", "city"] + Self.products])
    var labels = ["y"]
    var state: UInt64 = 11
    func next(_ limit: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % limit)
    }
    for _ in 0..<3_000 {
      let city = ["Bern", "Chur", "Genf", ""][min(next(10), 3)]
      let a: Double? = next(40) == 0 ? nil : Double(next(65) - 32) / 8
      let b: Double? = next(30) == 0 ? nil : Double(next(65) - 32) / 8
      let isBern: Double = city == "Bern" ? 1 : -1
      labels.append((a ?? 0) * ((b ?? 0) + isBern) + Double(next(9)) > 4 ? "yes" : "no")
      func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
      func product(_ x: Double?, _ y: Double?) -> String {
        guard let x, let y else { return "" }
        return text(x * y)
      }
      let levels = ["Bern", "Chur", "Genf"].map { city.isEmpty ? nil : $0 == city ? 1.0 : 0 }
      plain.append([text(a), text(b), city])
      made.append(
        plain[plain.count - 1] + [product(a, b), product(a, a)] + levels.map { product($0, a) })
    }
    for (name, rows) in [("plain", plain), ("made", made)] {
      for (format, separator) in [("csv", ","), ("tsv", "\t")] {
        try folder.write(
          zip(rows, labels).map { ($0 + [$1]).joined(separator: separator) },
          to: "\(name).\(format)")
      }
      let objects = zip(rows, labels).dropFirst().map { row, label in
        let members = zip(rows[0], row).map { key, value in
          let isText = key == "city" && !value.isEmpty
          return #""\#(key)":\#(isText ? "\"\(value)\"" : value.isEmpty ? "null" : value)"#
        }
        return "{" + members.joined(separator: ",") + #","y":"\#(label)"}"#
      }
      try folder.write(Array(objects), to: "\(name).jsonl")
    }
  }

  /// The answer without times and places.
  private func answer(_ arguments: [String]) throws -> NSDictionary {
    let outcome = try MillraceProcess.run(arguments + ["--json", "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    var json = outcome.json
    for key in ["seconds", "rowsPerSecond", "model", "positions", "microBatches"] {
      json[key] = nil
    }
    return json as NSDictionary
  }

  @Test(arguments: [
    ("csv", ["--coefficients"]), ("tsv", ["--learner", "sgd", "--coefficients"]),
    ("jsonl", ["--learner", "exact", "--summary", "--coefficients"]),
    ("jsonl", ["--learner", "filter", "--passes", "2"]),
  ])
  func `learns what columns of the file teach, bit for bit`(
    format: String, options: [String]
  ) throws {
    let (plain, made) = ("plain.\(format)", "made.\(format)")
    let options = options + ["--label", "y"]
    let products = try answer(
      ["train", plain, "--interactions", Self.pairs, "--model", "p"] + options)
    #expect(products == (try answer(["train", made, "--model", "m"] + options)))
    #expect(
      products["features"] as? [String] == ["a", "b", "city=Bern", "city=Chur", "city=Genf"]
        + Self.products)
    #expect(
      try folder.read("models/p/1/model.safetensors")
        == folder.read("models/m/1/model.safetensors"))
    // Served, it needs the columns alone.
    let predictions = try [("p", plain), ("m", made)].map { model, data in
      try MillraceProcess.run("predict", data, "--model", model, in: folder).output
    }
    #expect(predictions[0] == predictions[1] && predictions[0].count > 3_000)
    let shown = try MillraceProcess.run("models", "show", "p", in: folder)
    #expect(shown.output.contains(Self.products.joined(separator: ", ")), "\(shown.output)")
    // Without them less is learnt.
    let without = try answer(["train", plain, "--features", "a,b,city"] + options)
    if options.contains("sgd") {
      #expect(try #require(loss(without)) > #require(loss(products)) + 0.05)
    }
  }

  private func loss(_ answer: NSDictionary) -> Double? {
    (answer["progressive"] as? NSDictionary)?["logLoss"] as? Double
  }

  /// What was predicted, without where the records lay and which version was served.
  private func predictions(_ name: String) throws -> [NSDictionary] {
    try String(decoding: folder.read(name), as: UTF8.self).split(separator: "\n").map { line in
      var answer = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      for key in ["position", "version"] { answer?[key] = nil }
      return (answer ?? [:]) as NSDictionary
    }
  }

  @Test func `goes through a job that watches drift, and on from its checkpoint`() throws {
    func run(_ data: String, _ name: String, _ extra: [String] = []) throws -> NSDictionary {
      try answer(
        [
          "run", data, "--label", "y", "--model", name, "--until-end", "--reference", "500",
          "--window", "500", "--predictions", "\(name).jsonl", "--checkpoint", "\(name)-state",
        ] + extra)
    }
    let options = ["--interactions", Self.pairs]
    let made = try run("made.csv", "m")
    #expect(try run("plain.csv", "p", options) == made)
    #expect(try predictions("p.jsonl") == predictions("m.jsonl"))

    let lines = String(decoding: try folder.read("plain.csv"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    try folder.write(Array(lines.prefix(1_501)), to: "log.csv")
    _ = try run("log.csv", "l", options)
    try folder.write(lines, to: "log.csv")
    #expect(try run("log.csv", "l", options)["rows"] as? Int == 3_000)
    #expect(try predictions("l.jsonl") == predictions("m.jsonl"))
  }

  @Test func `multiplies the numbers of LibSVM records`() throws {
    let rows = stream(1_000) { a, b, _ in "\(a * b > 0 ? 1 : 0) 1:\(a) 2:\(b)" }.dropFirst()
    let made = stream(1_000) { a, b, _ in
      "\(a * b > 0 ? 1 : 0) 1:\(a) 2:\(b) 3:\(Float(a) * Float(b))"
    }.dropFirst()
    try folder.write(Array(rows), to: "plain.svm")
    try folder.write(Array(made), to: "made.svm")
    let options = ["--learner", "adagrad", "--model"]
    let products = try answer(["train", "plain.svm", "--interactions", "1:2"] + options + ["p"])
    let columns = try answer(["train", "made.svm"] + options + ["m"])
    #expect(products["progressive"] as? NSDictionary == columns["progressive"] as? NSDictionary)
    #expect(products["features"] as? [String] == ["1", "2", "1:2"])
    #expect(try #require(loss(products)) < 0.5)
  }

  @Test(arguments: [
    (
      "a:z",
      "--interactions is \"z\"; expected one of the fields of plain.csv: 'a', 'b', 'city', 'y'"
    ),
    ("a:y", "interactions is \"a:y\"; expected FIRST:SECOND, two of the feature columns 'a'"),
    ("a", "interactions is \"a\"; expected FIRST:SECOND"),
    ("a::b", "--interactions is \"\"; expected one of the fields"),
    ("city:city", "interactions is \"city:city\"; expected two columns"),
    ("a:b,b:a", "interactions is \"b:a\"; expected each pair once"),
  ])
  func `says what it cannot multiply`(pairs: String, evidence: String) throws {
    let outcome = try MillraceProcess.run(
      "train", "plain.csv", "--label", "y", "--interactions", pairs, in: folder)
    #expect(outcome.status != 0 && outcome.errors.contains(evidence), "\(outcome.errors)")
  }
}
