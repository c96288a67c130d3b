import Millrace
import Testing

@Suite struct `Products of columns` {
  private let header = ["a", "b", "city", "kind", "y"]

  private func schema(_ interactions: [[String]]) -> Schema {
    var schema = Schema(
      task: .regression,
      columns: numeric("a", "b") + [
        .init(name: "city", kind: .categorical(levels: ["Bern", "Chur", "Genf"])),
        .init(name: "kind", kind: .hashed(width: 2)),
      ], label: "y")
    schema.interactions = interactions
    return schema
  }

  @Test func `stand behind the columns, a product for each pair of levels`() throws {
    let schema = schema([
      ["b", "a"], ["a", "a"], ["city", "b"], ["a", "kind"], ["kind", "city"],
    ])
    #expect(
      schema.featureNames.dropFirst(7) == [
        "b:a", "a:a", "city=Bern:b", "city=Chur:b", "city=Genf:b", "a:kind#0", "a:kind#1",
        "kind#0:city=Bern", "kind#0:city=Chur", "kind#0:city=Genf", "kind#1:city=Bern",
        "kind#1:city=Chur", "kind#1:city=Genf",
      ])
    #expect(schema.featureCount == schema.featureNames.count)
    let rows = try decoded(
      "3,-0.5,Chur,x,1\n2,7,Basel,x,2\n", schema, .csv, header: header
    ).rows
    let kind = Array(rows[0][5...6])
    #expect(kind.sorted() == [0, 1])
    #expect(
      Array(rows[0].dropFirst(7))
        == [-1.5, 9, 0, -0.5, 0, 3 * kind[0], 3 * kind[1], 0, kind[0], 0, 0, kind[1], 0])
    // Levels that are not listed have no column and no product.
    #expect(
      Array(rows[1].dropFirst(7))
        == [14, 4, 0, 0, 0, 2 * kind[0], 2 * kind[1], 0, 0, 0, 0, 0, 0])
  }

  @Test func `are missing where a factor is`() throws {
    let schema = schema([["a", "b"], ["a", "city"]])
    let rows = try decoded(
      "?,2,Bern,x,1\n3,,Bern,x,1\n3,2,,x,1\nz,2,Bern,x,1\n3,2,Bern,x,1\n", schema, .csv,
      header: header)
    let (none, bern): (Float, [Float]) = (.nan, [3, 0, 0])
    #expect(
      same(
        rows.rows.map { Array($0.dropFirst(7)) },
        [[none, none, none, none], [none] + bern, [6, none, none, none], [6] + bern]))
    #expect(rows.rejected.count == 1)
    // So in a file that has not the column at all.
    let without = try decoded("3,Bern,x,1\n", schema, .csv, header: ["a", "city", "kind", "y"])
    #expect(same([Array(without.rows[0].dropFirst(7))], [[none] + bern]))
  }

  @Test func `are the same in every format and exact in doubles`() throws {
    let schema = schema([["a", "b"], ["city", "a"]])
    let expected: [[Float]] = [[0.375, 0, 1.5, 0], [-8, 0, 0, -4]]
    let texts: [(String, DataFormat)] = [
      ("1.5,0.25,Chur,x,1\n-4,2,Genf,x,2\n", .csv),
      ("1.5\t0.25\tChur\tx\t1\n-4\t2\tGenf\tx\t2\n", .tsv),
      (
        #"{"a":1.5,"b":0.25,"city":"Chur","kind":"x","y":1}"# + "\n"
          + #"{"y":2,"kind":"x","city":"Genf","b":2,"a":-4}"#, .jsonLines
      ),
    ]
    for (text, format) in texts {
      let result = try decoded(text, schema, format, header: header, wide: true)
      #expect(result.rows.map { Array($0.dropFirst(7)) } == expected)
      #expect(result.batch.wideFeatures == result.batch.features.map(Double.init))
    }
    var indexed = Schema(task: .regression, columns: numeric("1", "2", "3"), label: "y")
    indexed.interactions = [["1", "3"], ["2", "2"]]
    let sparse = try decoded("1 1:1.5 3:4\n2 2:-3\n", indexed, .libsvm).rows
    #expect(sparse == [[1.5, 0, 4, 6, 0], [0, -3, 0, 0, 9]])
    // 0.1·0.3 in doubles is not what their roundings to `Float` make.
    var wide = Schema(task: .regression, columns: numeric("a", "b"), label: "y")
    wide.interactions = [["a", "b"]]
    let doubles = try decoded("0.1,0.3,1\n", wide, .csv, header: ["a", "b", "y"], wide: true)
    #expect(doubles.batch.wideFeatures == [0.1, 0.3, 0.1 * 0.3])
    #expect(doubles.batch.features == [0.1, 0.3, Float(0.1) * Float(0.3)])
  }

  @Test(arguments: [
    (["a"], "two of the feature columns 'a', 'b', 'city', 'kind'"),
    (["a", "b", "a"], "two of the feature columns"),
    (["a", "z"], "two of the feature columns"),
    (["a", "y"], "two of the feature columns"),
    (["city", "city"], "levels"),
    (["a", ""], "two of the feature columns"),
  ])
  func `that cannot be made are refused`(pair: [String], evidence: String) {
    let message = #expect(throws: MillraceError.self) { try schema([pair]).validate() }?.message
    #expect(message?.contains("\"\(pair.joined(separator: ":"))\"") == true)
    #expect(message?.contains(evidence) == true)
  }

  @Test func `are made once, within a limit, and have names of their own`() throws {
    func message(_ schema: Schema) -> String {
      #expect(throws: MillraceError.self) { try schema.validate() }?.message ?? ""
    }
    #expect(message(schema([["a", "b"], ["b", "a"]])).contains("each pair once"))
    let levels = (0...Schema.productLimit / 2).map { "level \($0)" }
    var many = Schema(
      task: .regression,
      columns: numeric("a", "b") + [.init(name: "city", kind: .categorical(levels: levels))],
      label: "y")
    many.interactions = [["a", "city"]]
    try many.validate()
    many.interactions?.append(["city", "b"])
    #expect(message(many).contains("at most \(Schema.productLimit) products"))
    var named = Schema(task: .regression, columns: numeric("a", "b", "a:b"), label: "y")
    named.interactions = [["a", "b"]]
    #expect(message(named).contains("two columns 'a:b'"))
  }
}
