import Millrace
import Testing

@Suite struct `Feature hashing` {
  private let header = ["n", "city", "note", "y"]

  private func schema(_ interactions: [[String]]? = nil) -> Schema {
    var schema = Schema(
      task: .regression,
      columns: [
        .init(name: "n", kind: .numeric), .init(name: "city", kind: .hashed(width: 1 << 20)),
        .init(name: "note", kind: .words),
      ], label: "y")
    schema.sparseWidth = 1 << 20
    schema.interactions = interactions
    return schema
  }

  private func entries(_ decoded: Decoded) -> [[[Float]]] {
    (0..<decoded.batch.count).map { row in
      (decoded.batch.sparse.starts[row]..<decoded.batch.sparse.starts[row + 1]).map {
        [Float(decoded.batch.sparse.indices[$0]), decoded.batch.sparse.values[$0]]
      }
    }
  }

  @Test func `numbers, levels and words are entries, what is missing is none`() throws {
    let result = try decoded(
      "2,Bern,The cat; the Hat,1\n0,,,2\n,Bern,hat,3\n", schema(), .csv, header: header)
    let rows = entries(result)
    #expect(rows.map(\.count) == [6, 0, 2] && result.batch.labels == [1, 2, 3])
    #expect(result.batch.columnCount == 0)
    // The number, the level, then the words of which "the" comes twice whatever its case.
    #expect(rows[0][0][1] == 2 && rows[0].dropFirst().allSatisfy { $0[1] == 1 })
    #expect(rows[0][2] == rows[0][4] && rows[0][2] != rows[0][3])
    #expect(rows[2] == [rows[0][1], rows[0][5]])
  }

  @Test func `CSV and JSON give the same entries, rejected records none`() throws {
    let csv = try decoded(
      "2,Bern,a b c,1\nx,Genf,d e,2\n3,Chur,f g,4\n", schema([["n", "city"], ["city", "note"]]),
      .csv, header: header)
    let json = try decoded(
      """
      {"n":2,"city":"Bern","note":"a b c","y":1}
      {"note":"d e","n":"x","city":"Genf","y":2}
      {"y":4,"note":"f g","city":"Chur","n":3}
      """, schema([["n", "city"], ["city", "note"]]), .jsonLines)
    // JSON's members have an order of their own.
    let sorted = [csv, json].map { entries($0).map { $0.sorted { $0[0] < $1[0] } } }
    #expect(sorted[0].map(\.count) == [9, 7] && sorted[0] == sorted[1])
    #expect(csv.batch.recordIndices == [0, 2] && csv.rejected.count == 1)
  }

  @Test func `a product of two columns is an entry of its own`() throws {
    let plain = try decoded("2,Bern,,1\n2,Genf,,1\n", schema(), .csv, header: header)
    let pairs = try decoded(
      "2,Bern,,1\n2,Genf,,1\n3,Bern,,1\n", schema([["n", "city"]]), .csv, header: header)
    let (without, with) = (entries(plain), entries(pairs))
    #expect(Array(with[0].prefix(2)) == without[0] && with.map(\.count) == [3, 3, 3])
    #expect(with[0][2][1] == 2 && with[2][2][1] == 3)
    #expect(with[0][2][0] == with[2][2][0] && with[0][2][0] != with[1][2][0])
  }

  @Test func `a number is what it is more than its center`() throws {
    var schema = schema([["n", "n"]])
    schema.columns[0].center = 2
    let rows = entries(try decoded("5,,,1\n2,,,2\n,,,3\n", schema, .csv, header: header))
    #expect(rows.map { $0.map { $0[1] } } == [[3, 9], [], []])
    schema.columns[0].center = .infinity
    #expect(throws: MillraceError.self) { try schema.validate() }
  }

  private func infer(_ options: (inout SchemaInference.Options) -> Void) throws -> Schema {
    let text = (0..<200).map { row in
      "\(row),city\(row % 90),word\(row) and word\(row * 7) more,\(row % 2)\n"
    }.joined()
    var inference = SchemaInference.Options(label: "y")
    options(&inference)
    return try SchemaInference.infer(
      from: [
        .init(
          records: [recordBatch(Array(text.utf8), .csv)], header: Array("n,city,note,y".utf8))
      ], format: .csv, name: "x.csv", options: inference
    ).schema
  }

  @Test func `is inferred with the bits that are asked for`() throws {
    let hashed = try infer { ($0.hashBits, $0.interactions) = (20, [["n", "city"]]) }
    var columns = schema().columns
    // The numbers 0 to 199.
    columns[0].center = 99.5
    #expect(hashed.columns == columns && hashed.sparseWidth == 1 << 20)
    #expect(hashed.interactions == [["n", "city"]] && hashed.featureNames.isEmpty)
    let dense = try infer { _ in }
    #expect(dense.columns.map(\.name) == ["n", "city"] && dense.sparseWidth == nil)
    for pair in [["n"], ["n", "y"]] {
      #expect(throws: MillraceError.self) {
        try infer { ($0.hashBits, $0.interactions) = (20, [pair]) }
      }
    }
  }
}
