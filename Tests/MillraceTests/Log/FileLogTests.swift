import Glibc
import Millrace
import Testing

@Suite struct `File log` {
  let directory = LogDirectory()

  private func open(
    _ name: String, untilEnd: Bool = true, hasHeader: Bool = true, recordLimit: Int = 64 << 20
  ) throws -> FileLog {
    try FileLog(
      LogAddress(directory.file(name)), hasHeader: hasHeader, untilEnd: untilEnd,
      recordLimit: recordLimit)
  }

  private func partitionedLog() throws -> LogUnderTest {
    let directory = LogDirectory()
    directory.append("", to: "0.jsonl")
    directory.append("", to: "1.jsonl")
    return LogUnderTest { records, partition in
      directory.append(records.map { $0 + "\n" }.joined(), to: "\(partition).jsonl")
    } open: { untilEnd in
      try FileLog(LogAddress(directory.path), untilEnd: untilEnd)
    }
  }

  @Test func `a directory of partitions obeys the laws of logs`() async throws {
    try checkLogSource(partitionedLog)
    try await checkGrowingLogSource(partitionedLog)
  }

  @Test func `positions are byte offsets and line ends belong to no record`() throws {
    directory.append("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}", to: "x.jsonl")
    #expect(
      try open("x.jsonl").readAll() == [
        ReadRecord(text: "{\"a\":1}", position: 0), ReadRecord(text: "{\"a\":2}", position: 9),
        ReadRecord(text: "{\"a\":3}", position: 18),
      ])
  }

  @Test func `an unfinished last line is left alone while following, and is a record at the end`()
    throws
  {
    directory.append("{\"a\":1}\n{\"a\"", to: "x.jsonl")
    #expect(try open("x.jsonl").readAll().map(\.text) == ["{\"a\":1}", "{\"a\""])
    let followed = try open("x.jsonl", untilEnd: false)
    var batch = RecordBatch()
    #expect(try followed.read(batch: &batch).records.map(\.text) == ["{\"a\":1}"])
    #expect(batch.nextPosition == 8)
    #expect(try followed.read(linger: .milliseconds(5)) == [])
    directory.append(":2}", to: "x.jsonl")
    #expect(try followed.read() == [])
    directory.append("\n", to: "x.jsonl")
    #expect(
      try followed.read(batch: &batch).records == [ReadRecord(text: "{\"a\":2}", position: 8)])
    // Smaller polls than what is carried over.
    directory.append("{\"long\":\"", to: "x.jsonl")
    #expect(try followed.read() == [])
    directory.append("1234567890\"}\n", to: "x.jsonl")
    #expect(
      try followed.read(maxBytes: 2, batch: &batch).records.map(\.text)
        == ["{\"long\":\"1234567890\"}"])
  }

  @Test func `the first line of CSV is the header, whatever the line ends and quotes`() throws {
    directory.append("\u{FEFF}a,\"b\nc\"\r\n1,2\r\n\"3\n\",4\r\n", to: "x.csv")
    let log = try open("x.csv")
    #expect(
      try log.header(partition: 0).map { String(decoding: $0, as: UTF8.self) } == "a,\"b\nc\"")
    try log.seek(to: [0: 0])
    #expect(
      try log.readAll() == [
        ReadRecord(text: "1,2", position: 12), ReadRecord(text: "\"3\n\",4", position: 17),
      ])
    try log.seek(to: [0: 17])
    #expect(try log.readAll().map(\.text) == ["\"3\n\",4"])
    #expect(try log.header(partition: 0)?.count == 7)
    let plain = try open("x.csv", hasHeader: false)
    #expect(try plain.readAll().first == ReadRecord(text: "a,\"b\nc\"", position: 3))
    #expect(try plain.header(partition: 0) == Array("x1,x2".utf8))
  }

  @Test func `a header that is not there yet is waited for`() throws {
    directory.append("a,", to: "x.csv")
    let log = try open("x.csv", untilEnd: false)
    #expect(try log.header(partition: 0) == nil)
    #expect(try log.read(linger: .milliseconds(5)) == [])
    directory.append("b\n1,2\n", to: "x.csv")
    #expect(try log.read(linger: .seconds(5)) == ["1,2"])
    #expect(try log.header(partition: 0) == Array("a,b".utf8))
  }

  @Test func `an empty file and a header alone have no records`() throws {
    directory.append("", to: "empty.csv")
    directory.append("a,b", to: "header.csv")
    let empty = try open("empty.csv")
    #expect(try empty.readAll() == [] && empty.header(partition: 0) == nil)
    let header = try open("header.csv")
    #expect(try header.readAll() == [] && header.header(partition: 0) == Array("a,b".utf8))
  }

  @Test func `records may be long, up to a limit`() throws {
    let long = "{\"x\":\"\(String(repeating: "a", count: 1 << 20))\"}"
    directory.append("{}\n\(long)\n{}\n", to: "x.jsonl")
    #expect(try open("x.jsonl").readAll(maxBytes: 4096).map(\.text) == ["{}", long, "{}"])
    let limited = try open("x.jsonl", recordLimit: 1 << 20)
    #expect(try limited.read() == ["{}"])
    #expect(
      throws: MillraceError(
        .input,
        "\(directory.file("x.jsonl")): the record at position 3 is longer than 1048576 bytes")
    ) { try limited.read() }
  }

  @Test func `a rotated file is read to its end, then the new one from its start`() throws {
    directory.append("1\n2\n", to: "x.jsonl")
    let log = try open("x.jsonl", untilEnd: false)
    var batch = RecordBatch()
    #expect(try log.read(maxRecords: 1, batch: &batch).records.map(\.text) == ["1"])
    rename(directory.file("x.jsonl"), directory.file("x.jsonl.1"))
    directory.append("3\nunfinished", to: "x.jsonl.1")
    #expect(try log.readWhatIsThere() == ["2", "3"])
    directory.append("4\n", to: "x.jsonl.1")
    #expect(try log.read() == ["unfinished4"])
    directory.append("5\nlast", to: "x.jsonl.1")
    directory.append("6\n", to: "x.jsonl")
    #expect(try log.read() == ["5"])
    #expect(try log.read(batch: &batch).records == [ReadRecord(text: "last", position: 20)])
    #expect(batch.nextPosition == 0)
    #expect(try log.read(batch: &batch).records == [ReadRecord(text: "6", position: 0)])
  }

  @Test func `a rotated CSV file must keep its header`() throws {
    directory.append("a,b\n1,2\n", to: "x.csv")
    let log = try open("x.csv", untilEnd: false)
    #expect(try log.read() == ["1,2"])
    for (header, records) in [("a,b", ["3,4"]), ("b,a", [])] {
      rename(directory.file("x.csv"), directory.file("x.csv.1"))
      directory.append("\(header)\n3,4\n", to: "x.csv")
      #expect(try log.read() == [])
      if records.isEmpty {
        let message = errorMessage(.input) { try log.read() }
        #expect(message.hasSuffix("the header \"b,a\"; expected \"a,b\" as before"))
      } else {
        #expect(try log.read() == records)
      }
    }
  }

  @Test func `a truncated or replaced file is an error that tells the sizes`() throws {
    directory.append("{\"a\":1}\n{\"a\":2}\n", to: "x.jsonl")
    let log = try open("x.jsonl", untilEnd: false)
    #expect(try log.read().count == 2)
    truncate(directory.file("x.jsonl"), 8)
    let error = #expect(throws: MillraceError.self) { try log.read() }
    #expect(error?.kind == .input)
    #expect(
      error?.message.contains("x.jsonl is 8 bytes long, but was read up to position 16") == true)
    #expect(throws: MillraceError.self) { try open("x.jsonl").seek(to: [0: 16]) }
    let inside = #expect(throws: MillraceError.self) { try open("x.jsonl").seek(to: [0: 5]) }
    #expect(inside?.message.contains("position 5 is not the start of a record") == true)
    #expect(throws: MillraceError.self) { try open("x.jsonl").seek(to: [1: 0]) }
  }

  @Test func `a new partition is noticed, and wakes who waits for another`() throws {
    directory.append("1\n", to: "0.jsonl")
    directory.append("not a partition\n", to: "00.jsonl")
    let log = try FileLog(LogAddress(directory.path), untilEnd: false)
    #expect(log.partitions == [0])
    #expect(try log.read() == ["1"])
    directory.append("2\n", to: "3.jsonl")
    let before = ContinuousClock.now
    #expect(try log.read(linger: .seconds(20)) == [])
    #expect(.now - before < .seconds(10))
    usleep(60_000)
    #expect(log.partitions == [0, 3])
    #expect(try log.read(3) == ["2"])
    #expect(throws: MillraceError.self) { try log.read(1) }
  }

  @Test func `a pipe is read as it comes, to its end, and cannot be sought`() async throws {
    mkfifo(directory.file("x.csv"), 0o600)
    let name = directory.file("x.csv")
    let writer = _Concurrency.Task.detached {
      let file = fopen(name, "w")
      for text in ["a,b\n1", ",2\n3,4\n", "5,6"] {
        fputs(text, file)
        fflush(file)
        usleep(20_000)
      }
      fclose(file)
    }
    let log = try open("x.csv", untilEnd: false)
    var batch = RecordBatch()
    var texts: [String] = []
    while true {
      let (records, goesOn) = try log.read(linger: .seconds(5), batch: &batch)
      texts += records.map(\.text)
      if !goesOn { break }
    }
    #expect(texts == ["1,2", "3,4", "5,6"])
    let error = #expect(throws: MillraceError.self) { try log.seek(to: [0: 4]) }
    #expect(error?.message.contains("cannot go to position") == true)
    await writer.value
  }

  @Test func `compressed files have the positions of what they hold`() throws {
    // printf 'a,b\n1,2\n3,4\n5,6' | gzip -n
    directory.append(
      [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
        0x4B, 0xD4, 0x49, 0xE2, 0x32, 0xD4, 0x31, 0xE2, 0x32, 0xD6, 0x31, 0xE1, 0x32, 0xD5, 0x31,
        0x03, 0x00, 0x9F, 0x2D, 0x4F, 0x64, 0x0F, 0x00, 0x00, 0x00,
      ], to: "x.csv.gz")
    let all = [
      ReadRecord(text: "1,2", position: 4), ReadRecord(text: "3,4", position: 8),
      ReadRecord(text: "5,6", position: 12),
    ]
    for maxRecords in [1, 1000] {
      #expect(try open("x.csv.gz").readAll(maxRecords: maxRecords) == all)
    }
    let log = try open("x.csv.gz", untilEnd: false)
    for index in all.indices.reversed() {
      try log.seek(to: [0: all[index].position])
      #expect(try log.readAll() == Array(all[index...]))
      #expect(try log.header(partition: 0) == Array("a,b".utf8))
    }
    #expect(errorMessage(.input) { try log.seek(to: [0: 40]) }.contains("holds 15 bytes"))
    #expect(log.byteCount == nil)
  }

  @Test func `what cannot be opened says why`() throws {
    let missing = #expect(throws: MillraceError.self) { try open("missing.csv") }
    #expect(
      missing?.message
        == "cannot open '\(directory.file("missing.csv"))': No such file or directory")
    directory.append("1\n", to: "0.jsonl")
    directory.append("a\n1\n", to: "1.csv")
    let mixed = #expect(throws: MillraceError.self) {
      try FileLog(LogAddress(directory.path), untilEnd: true)
    }
    #expect(mixed?.kind == .configuration)
    let csv = try FileLog(LogAddress(directory.path, format: .csv), untilEnd: true)
    #expect(csv.partitions == [1])
    directory.append("1\n", to: "0.ndjson")
    #expect(
      errorMessage(.configuration) {
        try FileLog(LogAddress(directory.path, format: .jsonLines), untilEnd: true)
      }.contains("are the same partition"))
  }
}

@Suite struct `Log address` {
  @Test(arguments: [
    ("data.csv", LogAddress.file(path: "data.csv", format: .csv)),
    (
      "a/b.tar/data.NDJSON.gz",
      .file(path: "a/b.tar/data.NDJSON.gz", format: .jsonLines)
    ),
    ("data.svm", .file(path: "data.svm", format: .libsvm)),
    ("no-such-directory/", .directory(path: "no-such-directory", format: nil)),
    ("/", .directory(path: "/", format: nil)),
    ("/tmp", .directory(path: "/tmp", format: nil)),
  ])
  func `is told by its form`(text: String, address: LogAddress) throws {
    #expect(try LogAddress(text) == address)
  }

  @Test func `a format that is asked for wins`() throws {
    #expect(try LogAddress("-", format: .csv) == .standard(format: .csv))
    #expect(
      try LogAddress("x.log", format: .csv)
        == .file(path: "x.log", format: .csv))
  }

  @Test(arguments: ["kafka://host:9092/topic", "s3://bucket/x.csv", "-", "", "data.txt", "data"])
  func `others are refused`(text: String) {
    let error = #expect(throws: MillraceError.self) { try LogAddress(text) }
    #expect(error?.kind == .configuration)
  }
}
