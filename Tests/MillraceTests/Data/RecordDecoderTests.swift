import Millrace
import Testing

private let regression = Schema(task: .regression, columns: numeric("a", "b"), label: "y")
private let fields = ["a", "b", "y"]

@Suite struct `Record decoder` {
  @Test func `fields match columns by name and the others are ignored`() throws {
    let csv = try decoded(
      "7,x,1.5,-2\n8,,3,4e-1\n", regression, .csv, header: ["y", "note", "b", "a"])
    #expect(csv.rows == [[-2, 1.5], [0.4, 3]] && csv.batch.labels == [7, 8])
    let json = try decoded(
      #"{"y":7,"note":{"b":[1,2]},"b":1.5,"a":-2}"# + "\n" + #"{"a":4e-1, "y":8, "b":3}"#,
      regression, .jsonLines)
    #expect(json.rows == csv.rows && json.batch.labels == csv.batch.labels)
  }

  @Test func `missing values are NaN and infinities pass`() throws {
    let csv = try decoded(
      " , NA ,1\n?,null,2\nnan,None,3\ninf,-Infinity,4\n1e39,TRUE,5\n", regression, .csv,
      header: fields)
    let inf = Float.infinity
    let expected: [[Float]] = [
      [.nan, .nan], [.nan, .nan], [.nan, .nan], [inf, -inf], [inf, 1],
    ]
    #expect(same(csv.rows, expected) && csv.rejected.isEmpty)
    let json = try decoded(
      """
      {"a":"","b":"NA","y":1}
      {"a":null,"y":2}
      {"a":NaN,"b":"None","y":3}
      {"a":Infinity,"b":-Infinity,"y":4}
      {"a":1e39,"b":true,"y":5}
      """, regression, .jsonLines)
    #expect(same(json.rows, expected) && json.rejected.isEmpty)
  }

  @Test func `a record that does not fit is rejected with its evidence and the stream goes on`()
    throws
  {
    let result = try decoded(
      "1,2,3\nn/a,2,3\n1,2\n1,2,3,4\n1,2,\n1,2,inf\n1,2,x\n4,5,6\n", regression, .csv,
      header: fields)
    #expect(result.rows == [[1, 2], [4, 5]] && result.batch.recordIndices == [0, 7])
    #expect(
      result.reasons == [
        #"'a' is "n/a"; expected a number"#,
        "the record has 2 fields; expected 3",
        "the record has 4 fields; expected 3",
        "'y' is missing; a record to learn from needs its label",
        #"'y' is "inf"; expected a finite number"#,
        #"'y' is "x"; expected a finite number"#,
      ])
    #expect(result.rejected.map(\.position) == [6, 14, 18, 26, 31, 39])
    #expect(result.rejected.map(\.column) == ["a", nil, nil, "y", "y", "y"])
  }

  @Test func `a record without a usable label is a row when labels are optional`() throws {
    let result = try decoded(
      "1,2,\n3,4,x\n5,6,7\n", regression, .csv, header: fields, labels: .optional)
    #expect(result.rows == [[1, 2], [3, 4], [5, 6]])
    #expect(result.batch.labels[0].isNaN && result.batch.labels[1].isNaN)
    #expect(result.batch.labels[2] == 7)
    let unlabelled = try decoded(
      "1,2\n", regression, .csv, header: ["a", "b"], labels: .optional)
    #expect(unlabelled.rows == [[1, 2]] && unlabelled.batch.labels[0].isNaN)
  }

  @Test func `weights are read and must not be negative`() throws {
    var schema = regression
    schema.weight = "w"
    let result = try decoded(
      "1,2,3,0.5\n1,2,3,-1\n1,2,3,\n1,2,3,inf\n1,2,3,0\n", schema, .csv,
      header: ["a", "b", "y", "w"])
    #expect(result.batch.weights == [0.5, 0])
    #expect(
      result.reasons == [
        #"'w' is "-1"; expected a finite number of at least 0"#,
        "'w' is missing; expected a weight",
        #"'w' is "inf"; expected a finite number of at least 0"#,
      ])
  }

  @Test func `a level sets its column and an unknown one sets none`() throws {
    let schema = Schema(
      task: .regression,
      columns: [
        .init(name: "a", kind: .categorical(levels: ["red", "2"])),
        .init(name: "b", kind: .numeric),
      ], label: "y")
    let expected: [[Float]] = [[1, 0, 1], [0, 1, 2], [0, 1, 3], [0, 0, 4], [.nan, .nan, 5]]
    let csv = try decoded(
      "red,1,0\n 2 ,2,0\n2.0,3,0\nblue,4,0\n,5,0\n", schema, .csv, header: fields)
    #expect(same(csv.rows, expected))
    let json = try decoded(
      """
      {"a":"red","b":1,"y":0}
      {"a":2,"b":2,"y":0}
      {"a":2.0,"b":3,"y":0}
      {"a":"blue","b":4,"y":0}
      {"a":null,"b":5,"y":0}
      """, schema, .jsonLines)
    #expect(same(json.rows, expected))
    #expect(schema.featureNames == ["a=red", "a=2", "b"])
  }

  @Test func `a hashed level always sets the same one of its columns`() throws {
    let schema = Schema(
      task: .regression, columns: [.init(name: "a", kind: .hashed(width: 8))], label: "y")
    let rows = try decoded(
      "oslo,0\nrome,0\noslo,0\n,0\n", schema, .csv, header: ["a", "y"]
    ).rows
    #expect(rows[0] == rows[2] && rows[0] != rows[1])
    #expect(rows[0].reduce(0, +) == 1 && rows[3].allSatisfy(\.isNaN))
  }

  @Test func `classes that appear are added in their order while they are open`() throws {
    let schema = Schema(task: .multiclass, columns: numeric("a"), label: "y", classes: ["b"])
    let result = try decoded("1,a\n2,b\n3,a\n4,c\n", schema, .csv, header: ["a", "y"])
    #expect(result.schema.classes == ["b", "a", "c"] && result.batch.labels == [1, 0, 1, 2])
  }

  @Test func `a binary schema takes its second class and no third`() throws {
    let schema = Schema(task: .binary, columns: numeric("a"), label: "y", classes: ["0"])
    let result = try decoded("1,0\n2,1.0\n3,2\n4,1\n", schema, .csv, header: ["a", "y"])
    #expect(result.schema.classes == ["0", "1"] && result.batch.labels == [0, 1, 1])
    #expect(result.reasons == [#"'y' is "2"; expected one of "0", "1""#])
  }

  @Test func `quoted fields are read as Python's csv module reads them`() throws {
    // list(csv.reader(['"1",2," 3"', '"a""b",2,3', '"1"5,"2",3', '1,"2']))
    let schema = Schema(
      task: .regression,
      columns: [.init(name: "a", kind: .categorical(levels: ["1", "a\"b", "15", "x,y"]))],
      label: "y")
    let result = try decoded(
      "\"1\",\" 3\"\n\"a\"\"b\",3\n\"1\"5,\"2\"\n\"x,y\",4\n1,\"2\n", schema, .csv,
      header: ["a", "y"])
    #expect(result.rows == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    #expect(result.batch.labels == [3, 3, 2, 4])
    #expect(result.reasons == ["the quote that opens 'y' is never closed"])
  }

  @Test func `keys and timestamps are kept with their rows`() throws {
    var schema = Schema(task: .regression, columns: numeric("a"), label: "y")
    schema.key = "k"
    schema.timestamp = "t"
    let csv = try decoded(
      "1,7,u1,10\n2,x,u2,20\n3,9,\"u\"\"3\",\n", schema, .csv, header: ["a", "y", "k", "t"])
    let json = try decoded(
      """
      {"a":1,"y":7,"k":"u1","t":10}
      {"a":2,"y":"x","k":"u2","t":20}
      {"a":3,"y":9,"k":"u\\"3"}
      """, schema, .jsonLines)
    for result in [csv, json] {
      let batch = result.batch
      #expect(batch.count == 2)
      #expect(batch.key(row: 0).elementsEqual("u1".utf8))
      #expect(batch.timestamp(row: 0).elementsEqual("10".utf8))
      #expect(batch.key(row: 1).elementsEqual("u\"3".utf8) && batch.timestamp(row: 1).isEmpty)
    }
  }

  @Test func `a header without the label or any column is an error that lists the fields`() {
    func message(_ header: [String]) -> String? {
      let error = #expect(throws: MillraceError.self) {
        _ = try RecordDecoder(schema: regression, format: .csv, header: header)
      }
      return error?.message
    }
    #expect(message(["a", "b"]) == "there is no label field 'y'; the fields are 'a', 'b'")
    #expect(message(["q", "y"]) == "none of the model's columns is there; the fields are 'q', 'y'")
  }
}
