import Millrace
import Testing

/// Infers from the text of a file with a header (CSV) or without (JSON lines).
private func infer(
  _ text: String, _ format: DataFormat = .csv, label: String = "y",
  _ change: (inout SchemaInference.Options) -> Void = { _ in }
) throws -> (schema: Schema, warnings: [String]) {
  var options = SchemaInference.Options(label: label)
  change(&options)
  var records = recordBatch(Array(text.utf8), format)
  var header: [UInt8]?
  if format == .csv, let end = records.ends.first {
    header = Array(records.buffer[..<end])
    records.starts.removeFirst()
    records.ends.removeFirst()
  }
  return try SchemaInference.infer(
    from: [.init(records: [records], header: header)], format: format, name: "x.csv",
    options: options)
}

/// The message of the error that inference throws.
private func refusal(
  _ text: String, _ format: DataFormat = .csv, label: String = "y",
  _ change: (inout SchemaInference.Options) -> Void = { _ in }
) -> String? {
  let error = #expect(throws: MillraceError.self) {
    _ = try infer(text, format, label: label, change)
  }
  return error?.message
}

@Suite struct `Schema inference` {
  @Test func `numbers, levels and classes are told apart`() throws {
    let text = "\u{feff}a,city,y\n1,oslo,up\n2,rome,down\n,oslo,up\n"
    let (schema, warnings) = try infer(text)
    #expect(
      schema
        == Schema(
          task: .binary,
          columns: [
            .init(name: "a", kind: .numeric),
            .init(name: "city", kind: .categorical(levels: ["oslo", "rome"])),
          ], label: "y", classes: ["down", "up"]))
    #expect(warnings.isEmpty)
  }

  @Test func `JSON fields are those of all records`() throws {
    let (schema, warnings) = try infer(
      """
      {"a":1,"y":0,"extra":{"b":1}}
      {"y":1.0,"b":true,"a":null}
      """, .jsonLines)
    #expect(schema.columns == numeric("a", "b") && schema.classes == ["0", "1"])
    #expect(warnings == ["x.csv: 'extra' is an object or an array and left out"])
  }

  @Test(arguments: [
    ((0..<40).map { "\($0 % 2 * 2 - 1)" }, Task.binary, ["-1", "1"]),
    ((0..<40).map { "\($0 % 4)" }, .multiclass, ["0", "1", "2", "3"]),
    ((0..<9).map { "\($0 % 4)" }, .regression, []),
    ((0..<40).map { "\($0 % 4).5" }, .regression, []),
    ((0..<40).map { "\($0 % 3)k" }, .multiclass, ["0k", "1k", "2k"]),
    ((0..<40).map { $0 % 2 == 0 ? "true" : "false" }, .binary, ["false", "true"]),
    (["10", "9", "x", "10", "9", "x"], .multiclass, ["9", "10", "x"]),
  ])
  func `the task follows from the label`(labels: [String], task: Task, classes: [String]) throws {
    let schema = try infer("a,y\n" + labels.map { "1,\($0)\n" }.joined()).schema
    #expect(schema.task == task && schema.classes == classes)
  }

  @Test func `a given task holds where the label allows it`() throws {
    let numbers = "a,y\n" + (0..<40).map { "1,\($0 % 4)\n" }.joined()
    #expect(try infer(numbers) { $0.task = .regression }.schema.classes.isEmpty)
    #expect(
      refusal(numbers) { $0.task = .binary }
        == #"x.csv: the label 'y' has 4 distinct values ("0", "1", "2", …); a binary task needs two"#
    )
    #expect(
      refusal("a,y\n1,UP\n2,DOWN\n") { $0.task = .regression }
        == #"x.csv: the label 'y' is "UP"; a regression needs numbers"#)
  }

  @Test func `one class is enough to begin with`() throws {
    let (schema, warnings) = try infer("a,y\n1,up\n2,up\n")
    #expect(schema.task == .binary && schema.classes == ["up"] && schema.hasOpenClasses)
    #expect(warnings == [#"x.csv: the label 'y' is always "up" in the first 2 records"#])
    #expect(try infer("a,y\n1,1\n").schema.classes == ["0", "1"])
  }

  @Test func `what cannot be learnt from is an error that says what is there`() {
    #expect(refusal("") == "x.csv: it is empty")
    #expect(
      refusal("a,y\n") == "x.csv: it has a header and no records; its fields are 'a', 'y'")
    #expect(
      refusal("a,b\n1,2\n") == "label is \"y\"; expected one of the fields of x.csv: 'a', 'b'")
    #expect(
      refusal("a,y\n1,\n2,NA\n") == "x.csv: the label 'y' has no value in the first 2 records")
    #expect(refusal("y\n1\n2\n")?.hasPrefix("x.csv: no field is left as a feature") == true)
    #expect(refusal("{\n[1]\n", .jsonLines) == "x.csv: none of its first 2 records can be read")
    #expect(refusal("a,y\n1,2\n") { $0.weight = "w" }?.hasPrefix("weight is \"w\"") == true)
    let unique = "a,y\n" + (0..<40).map { "1,name\($0)\n" }.joined()
    #expect(refusal(unique)?.contains("has 40 distinct values") == true)
  }

  @Test func `columns that say little are kept or left out with a warning`() throws {
    let rows = (0..<200).map { index in
      // 80 levels, and 10 more that come once.
      "\(index == 7 ? "n/a" : "1"),,id\(index),\(index < 190 ? index % 80 : index)x,\(index % 2)\n"
    }
    let (schema, warnings) = try infer("some,none,id,many,y\n" + rows.joined())
    #expect(
      schema.columns
        == numeric("some", "none") + [.init(name: "many", kind: .hashed(width: 256))])
    #expect(
      warnings == [
        #"x.csv: 'some' is "n/a" in a record; it is read as a number, and what is none is rejected"#,
        "x.csv: 'none' has no value in the first 200 records",
        "x.csv: 'id' has 200 distinct texts in 200 records and is left out",
        "x.csv: 'many' has 90 levels, which are hashed into 256 columns",
      ])
  }

  /// A level per record out of so many, a number around 50 and one that is mostly 0.
  private func levels(_ count: Int, rare: Int = 0) -> String {
    "city,n,sparse,y\n"
      + (0..<1_000).map { row in
        let level = row < rare ? "rare\(row)" : "city\(row % count)"
        return "\(level),\(row % 2 == 0 ? 49 : 51),\(row % 9 == 0 ? 1 : 0),\(row % 2)\n"
      }.joined()
  }

  @Test func `features are sparse where texts have too many levels for a column each`() throws {
    func schema(_ text: String, mayBeSparse: Bool = true) throws -> Schema {
      try infer(text) { $0.mayBeSparse = mayBeSparse }.schema
    }
    #expect(try schema(levels(256)).featureNames.count == 256 + 2)
    let sparse = try infer(levels(257)) { $0.mayBeSparse = true }
    #expect(sparse.schema.sparseWidth == 1 << 18)
    #expect(
      sparse.warnings == [
        "x.csv: 'city' has many levels: features are sparse, as with --hash-bits 18"
      ])
    // A number is centred, unless that would leave no zeros.
    #expect(sparse.schema.columns.map(\.center) == [nil, 50, nil])
    #expect(try schema(levels(257), mayBeSparse: false).featureNames.count == 256 + 2)
    // Of 100 levels and some that come once: these say how many the sample lacks.
    #expect(try schema(levels(100, rare: 20)).featureNames.count == 120 + 2)
    #expect(try schema(levels(100, rare: 21)).sparseWidth == 1 << 18)
    #expect(try schema(levels(40, rare: 24)).featureNames.count == 64 + 2)
  }

  @Test func `features are sparse where there would be too many columns`() throws {
    let names = (0..<6).map { "t\($0)" }
    let rows = (0..<1_000).map { row in
      (names.indices.map { "l\((row + $0) % 200)" } + ["\(row % 2)"]).joined(separator: ",")
    }
    let text = ((names + ["y"]).joined(separator: ",") + "\n") + rows.joined(separator: "\n") + "\n"
    #expect(try infer(text) { $0.mayBeSparse = true }.schema.sparseWidth == 1 << 18)
    #expect(try infer(text).schema.featureNames.count == 1_200)
  }

  @Test func `features are those that are asked for, in that order`() throws {
    let text = "a,b,c,w,k,t,y\n1,2,3,1,u,10,0\n1,2,3,1,v,20,1\n"
    let all = try infer(text) {
      $0.exclude = ["b"]
      ($0.weight, $0.key, $0.timestamp) = ("w", "k", "t")
    }.schema
    #expect(all.columns == numeric("a", "c") && all.weight == "w" && all.key == "k")
    #expect(try infer(text) { $0.features = ["c", "a"] }.schema.columns == numeric("c", "a"))
  }

  @Test func `partitions may order their fields differently`() throws {
    func sample(_ header: String, _ row: String) -> SchemaInference.Sample {
      .init(records: [recordBatch(Array(row.utf8), .csv)], header: Array(header.utf8))
    }
    let schema = try SchemaInference.infer(
      from: [sample("a,y", "1,0"), sample("y,a", "1,1.5")], format: .csv,
      name: "log", options: .init(label: "y")
    ).schema
    #expect(schema.columns == numeric("a") && schema.classes == ["0", "1"])
  }
}

@Suite struct `Data schema` {
  @Test func `features are named by column and level`() {
    let schema = Schema(
      task: .binary,
      columns: [
        .init(name: "a", kind: .numeric), .init(name: "b", kind: .categorical(levels: ["x", "y"])),
        .init(name: "c", kind: .hashed(width: 2)),
      ], label: "z")
    #expect(schema.featureNames == ["a", "b=x", "b=y", "c#0", "c#1"] && schema.featureCount == 5)
  }

  @Test(arguments: [
    (Schema(task: .binary, columns: numeric("a", "a"), label: "y"), "two columns 'a'"),
    (Schema(task: .binary, columns: numeric("y"), label: "y"), "'y' is a feature too"),
    (Schema(task: .binary, columns: numeric("a"), label: "y", weight: "y"), "the weight 'y'"),
    (Schema(task: .binary, columns: [], label: "y", classes: ["a", "b", "c"]), "3 classes"),
    (Schema(task: .regression, columns: [], label: "y", classes: ["a"]), "no classes"),
    (Schema(task: .multiclass, columns: [], label: "y", classes: ["a", "a"]), "are the same"),
    (
      Schema(
        task: .binary, columns: [.init(name: "a", kind: .categorical(levels: []))], label: "y"),
      "levels of 'a'"
    ),
    (
      Schema(task: .binary, columns: [.init(name: "a", kind: .hashed(width: 0))], label: "y"),
      "into 0 columns"
    ),
  ])
  func `one that contradicts itself is refused`(schema: Schema, reason: String) {
    let error = #expect(throws: MillraceError.self) { try schema.validate() }
    #expect(error?.kind == .configuration && error?.message.contains(reason) == true)
  }
}
