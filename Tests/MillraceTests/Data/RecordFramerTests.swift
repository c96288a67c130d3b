import Millrace
import Testing

/// The records of `text`, given to the framer in pieces of `piece` bytes, at most `maxRecords` a call.
private func records(
  _ text: String, _ format: DataFormat, piece: Int = .max, maxRecords: Int = .max
) -> [String] {
  let all = Array(text.utf8)
  var framer = RecordFramer(format: format)
  var found: [String] = []
  var start = 0
  var end = 0
  while true {
    end = min(all.count, piece == .max ? all.count : end + piece)
    let atEnd = end == all.count
    while true {
      var starts: [Int] = []
      var ends: [Int] = []
      let next = all[..<end].withUnsafeBytes {
        framer.scan(
          $0, from: start, atEnd: atEnd, maxRecords: maxRecords, starts: &starts, ends: &ends)
      }
      found += zip(starts, ends).map { String(decoding: all[$0..<$1], as: UTF8.self) }
      if next == start { break }
      start = next
    }
    if atEnd { return found }
  }
}

@Suite struct `Record framer` {
  @Test func `lines end with LF or CRLF and blank ones are skipped`() {
    #expect(records("a\nb\r\n\n\r\nc", .jsonLines) == ["a", "b", "c"])
    #expect(records("", .csv) == [] && records("\n", .csv) == [])
  }

  @Test func `an unfinished last line is a record only at the end`() {
    var framer = RecordFramer(format: .csv)
    var starts: [Int] = []
    var ends: [Int] = []
    let bytes = Array("1,2\n3,".utf8)
    let next = bytes.withUnsafeBytes {
      framer.scan($0, atEnd: false, starts: &starts, ends: &ends)
    }
    #expect(next == 4 && starts == [0] && ends == [3])
  }

  // Records as Python's csv module counts them:
  // [r for r in csv.reader(io.StringIO(text, newline=""))]
  @Test(arguments: [
    ("a,\"x\ny\",b\nc,d,e\n", ["a,\"x\ny\",b", "c,d,e"]),
    ("\"he said \"\"hi\"\"\n\",1\r\n2,3", ["\"he said \"\"hi\"\"\n\",1", "2,3"]),
    ("5\" pipe,1\n6\" pipe,2\n", ["5\" pipe,1", "6\" pipe,2"]),
    ("\"\",\"\"\n\"\n\"\n", ["\"\",\"\"", "\"\n\""]),
    ("\"a\"x\"\n,b\n", ["\"a\"x\"", ",b"]),
  ])
  func `a quote holds line ends only from the start of a field`(text: String, expected: [String]) {
    #expect(records(text, .csv) == expected)
  }

  @Test func `a quote that is never closed costs one record`() {
    #expect(records("a,\"b\nc,d\ne,f\n", .csv) == ["a,\"b", "c,d", "e,f"])
    let long = "\"" + String(repeating: "x,y\n", count: RecordFramer.quotedRecordLimit / 4 + 1)
    let found = records(long + "\"z\"\n", .csv)
    #expect(found.count == RecordFramer.quotedRecordLimit / 4 + 2 && found.first == "\"x,y")
  }

  @Test(arguments: DataFormat.allCases)
  func `any split of the bytes gives the same records`(format: DataFormat) {
    let alphabet = Array("ab,\t\"\"\n\n\r1")
    for _ in 0..<300 {
      let text = String((0..<Int.random(in: 0...300)).map { _ in alphabet.randomElement() ?? "a" })
      let whole = records(text, format)
      for piece in [1, 2, 3, 7, 63, 64, 65] {
        #expect(records(text, format, piece: piece) == whole, "\(text.debugDescription)")
      }
      #expect(records(text, format, maxRecords: 1) == whole, "\(text.debugDescription)")
      #expect(records(text, format, piece: 70, maxRecords: 2) == whole)
    }
  }

  @Test(arguments: [
    ("a/b.csv", DataFormat.csv), ("b.ndjson.gz", .jsonLines), ("x.JSONL", .jsonLines),
    ("x.svm", .libsvm), ("x.tsv", .tsv),
  ])
  func `the format follows from the file's name`(path: String, format: DataFormat) {
    #expect(DataFormat(path: path) == format)
  }

  @Test(arguments: ["x", "a.csv/x", "x.txt", ".gz", "-"])
  func `a name that says no format has none`(path: String) {
    #expect(DataFormat(path: path) == nil)
  }
}
