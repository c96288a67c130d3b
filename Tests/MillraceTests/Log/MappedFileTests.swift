import Glibc
import Millrace
import Testing

/// Serialized, because a process maps no more than 64 parts at a time.
@Suite(.serialized) struct `Mapped files` {
  private let directory = LogDirectory()

  private func open(_ name: String, untilEnd: Bool = true) throws -> FileLog {
    try FileLog(LogAddress(directory.file(name)), untilEnd: untilEnd)
  }

  /// Lines of all lengths, some of them blank, `size` bytes in all.
  private static func lines(_ size: Int, end: String = "\n", isFinished: Bool = true) -> [UInt8] {
    var text: [UInt8] = []
    var index = 0
    while text.count < size {
      text += Array("{\"x\":\(index),\"y\":\"\(String(repeating: "é", count: index % 97))\"}".utf8)
      text += Array(String(repeating: end, count: 1 + (index % 31) / 30).utf8)
      index += 1
    }
    text.removeLast(text.count - size)
    if isFinished { text[size - 1] = UInt8(ascii: "\n") }
    return text
  }

  /// A poll that takes so much that it is mapped.
  private func pollMapped(_ log: FileLog, maxBytes: Int = 1 << 20) throws -> RecordBatch {
    var batch = RecordBatch()
    _ = try log.poll(
      partition: 0, maxRecords: 1 << 20, maxBytes: maxBytes, linger: .zero, into: &batch)
    try #require(batch.isMapped && batch.count > 0)
    return batch
  }

  private static let page = sysconf(Int32(_SC_PAGESIZE))
  private static let contents: [(name: String, bytes: [UInt8])] = [
    ("pages.jsonl", lines(300 * page)),
    ("less.jsonl", lines(300 * page - 1)),
    ("more.jsonl", lines(300 * page + 1)),
    ("padded.jsonl", lines(300 * page + RecordBatch.padding)),
    ("unfinished.jsonl", lines(300 * page, isFinished: false)),
    ("returns.jsonl", lines(1_234_567, end: "\r\n")),
    (
      "giants.jsonl",
      lines(500_000) + Array(repeating: UInt8(ascii: "1"), count: 2_000_000) + lines(600_000)
    ),
    (
      "table.csv",
      [0xEF, 0xBB, 0xBF] + Array("a,b\r\n".utf8)
        + (0..<90_000).flatMap { Array("\($0),\"\($0 % 7)\($0 % 3 == 0 ? "\n" : "")\"\r\n".utf8) }
    ),
    ("small.jsonl", lines(300)), ("empty.jsonl", []),
  ]

  @Test(arguments: contents.indices)
  func `hold the records and positions that reading finds`(index: Int) throws {
    let (name, bytes) = Self.contents[index]
    directory.append(bytes, to: name)
    // Polls that take little are read.
    let all = try open(name).readAll(maxBytes: 100_000)
    for maxBytes in [1 << 18, 300_007, 1 << 20, 64 << 20] {
      #expect(try open(name).readAll(maxRecords: 1 << 20, maxBytes: maxBytes) == all)
    }
    // From the middle, and back to the start.
    guard all.count > 1000 else { return }
    let log = try open(name)
    _ = try pollMapped(log)
    try log.seek(to: [0: all[777].position])
    #expect(try log.readAll(maxRecords: 1 << 20) == Array(all[777...]))
    try log.seek(to: [:])
    #expect(try log.readAll(maxRecords: 3000) == all)
  }

  @Test func `that are followed grow and are rotated`() throws {
    directory.append("", to: "x.jsonl")
    let log = try open("x.jsonl", untilEnd: false)
    var batch = RecordBatch()
    var texts: [String] = []
    var expected: [String] = []
    func readOn() throws {
      while case let read = try log.read(maxRecords: 1 << 20, batch: &batch).records, !read.isEmpty
      {
        texts += read.map(\.text)
      }
    }
    for round in 0..<4 {
      let bytes = Self.lines(700_000, isFinished: false)
      directory.append(bytes, to: "x.jsonl")
      try readOn()
      directory.append("\(round)\n", to: "x.jsonl")
      expected += (String(decoding: bytes, as: UTF8.self) + "\(round)").split(separator: "\n")
        .map(String.init)
    }
    try readOn()
    #expect(texts == expected)

    // What is mapped of a file stays, whatever becomes of its name.
    directory.append(Self.lines(700_000), to: "x.jsonl")
    let old = try pollMapped(log, maxBytes: 300_000)
    unlink(directory.file("x.jsonl"))
    directory.append("{\"new\":1}\n", to: "x.jsonl")
    try readOn()
    #expect(try old.records().first?.text == "{\"x\":0,\"y\":\"\"}")
    #expect(batch.nextPosition == 0)
    try readOn()
    #expect(texts.last == "{\"new\":1}")
  }

  // MARK: Truncation

  @Test(arguments: [0, 100, 4096, 100_000, 262_100])
  func `that are truncated are an error, before and after decoding`(size: Int) throws {
    directory.append(Self.lines(2_000_000), to: "x.jsonl")
    let log = try open("x.jsonl")
    let batch = try pollMapped(log, maxBytes: 1 << 18)
    truncate(directory.file("x.jsonl"), size)
    let message =
      "\(directory.file("x.jsonl")) is \(size) bytes long, but was read up to position 262144:"
      + " it was truncated or replaced"
    #expect(throws: MillraceError(.input, message)) { try batch.records() }
    var decoder = try RecordDecoder(
      schema: Schema(task: .regression, columns: numeric("x"), label: "z"), format: .jsonLines,
      labels: .optional)
    var rows = Batch(columnCount: 1)
    var rejected: [RejectedRecord] = []
    #expect(throws: MillraceError(.input, message)) {
      try decoder.decode(batch, into: &rows, rejected: &rejected)
    }
    var copy = batch
    #expect(throws: MillraceError(.input, message)) { try copy.copyBytes() }
    #expect(throws: MillraceError(.input, message)) {
      try log.readAll(maxRecords: 1 << 20, maxBytes: 1 << 18)
    }
  }

  @Test func `that lose bytes and grow again are an error`() throws {
    directory.append(Self.lines(2_000_000), to: "x.jsonl")
    let batch = try pollMapped(open("x.jsonl"))
    let name = directory.file("x.jsonl")
    let error = #expect(throws: MillraceError.self) {
      try batch.withBytes { bytes in
        truncate(name, 0)
        #expect(bytes[500_000] == 0 && bytes[0] == 0 && bytes[1_000_000] == 0)
        truncate(name, 2_000_000)
      }
    }
    #expect(error?.message.contains("was truncated while it was read up to position") == true)
    // The window's place is as good as new for the next one.
    directory.append(Self.lines(2_000_000), to: "y.jsonl")
    #expect(try pollMapped(open("y.jsonl")).records().count > 1000)
  }

  @Test func `that are copied no longer depend on the file`() throws {
    directory.append(Self.lines(2_000_000), to: "x.jsonl")
    var batch = try pollMapped(open("x.jsonl"))
    let records = try batch.records()
    try batch.copyBytes()
    truncate(directory.file("x.jsonl"), 0)
    #expect(try !batch.isMapped && batch.records() == records)
  }

  @Test func `that are written over while they are decoded do no harm`() async throws {
    let texts = [
      Self.lines(1_000_000),
      Array(String(repeating: "{\"x\":1,\"y\":\"\\\"\"} ,\n", count: 60_000).utf8),
      Array(String(repeating: "1 1:2 7:1e3 2:3\n", count: 60_000).utf8),
      Array(String(repeating: "1 1:1:1:1:1:1:1\n", count: 60_000).utf8),
    ]
    for (name, format) in [("x.jsonl", DataFormat.jsonLines), ("x.svm", .libsvm)] {
      directory.append(texts[format == .libsvm ? 2 : 0], to: name)
      let path = directory.file(name)
      let writer = _Concurrency.Task.detached {
        let file = Glibc.open(path, O_WRONLY)
        while !_Concurrency.Task.isCancelled {
          for text in texts { pwrite(file, text, 900_000, 0) }
        }
        close(file)
      }
      let schema =
        format == .libsvm
        ? Schema(task: .regression, sparseWidth: 1 << 10, label: "label")
        : Schema(task: .regression, columns: numeric("x"), label: "label")
      var decoder = try RecordDecoder(schema: schema, format: format, labels: .optional)
      var rows = Batch(columnCount: 1)
      var rejected: [RejectedRecord] = []
      let log = try open(name)
      for _ in 0..<8 {
        try log.seek(to: [:])
        let batch = try pollMapped(log)
        try decoder.decode(batch, into: &rows, rejected: &rejected)
        #expect(rows.count + rejected.count == batch.count)
      }
      writer.cancel()
      await writer.value
    }
  }

  // MARK: The process

  @Test func `are read where too many parts are mapped`() throws {
    directory.append(Self.lines(20_000_000), to: "x.jsonl")
    let log = try open("x.jsonl")
    var batches: [RecordBatch] = []
    var goesOn = true
    while goesOn {
      var batch = RecordBatch()
      goesOn = try log.poll(
        partition: 0, maxRecords: 1 << 20, maxBytes: 1 << 18, linger: .zero, into: &batch)
      batches.append(batch)
    }
    let mappedCount = batches.count { $0.isMapped }
    #expect(mappedCount > 1 && mappedCount <= 64 && batches.count > 70)
    #expect(try batches.flatMap { try $0.records() } == open("x.jsonl").readAll(maxBytes: 100_000))
  }

  /// Maps a log, and dies of a page that is not the log's.
  private static func touchLostPage() throws -> Never {
    let tests = Self()
    tests.directory.append(lines(600_000), to: "x.jsonl")
    let batch = try tests.pollMapped(tests.open("x.jsonl"))
    let file = Glibc.open(tests.directory.file("x.jsonl"), O_RDONLY)
    let other = mmap(nil, 600_000, PROT_READ, MAP_SHARED, file, 0)
    truncate(tests.directory.file("x.jsonl"), 0)
    // The log's own page is mended; the same page of the other map is nobody's.
    let own = try? batch.withBytes { $0[500_000] }
    exit(own == nil ? Int32(other?.load(fromByteOffset: 500_000, as: UInt8.self) ?? 1) : 2)
  }

  @Test func `leave others' faults to the process`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) { try Self.touchLostPage() }
    await #expect(processExitsWith: .exitCode(7)) {
      signal(SIGBUS) { _ in _exit(7) }
      try Self.touchLostPage()
    }
  }
}
