import Glibc
import Millrace
import Testing

extension LogSink {
  func append(_ text: String, partition: Int = 0) throws {
    try Array(text.utf8).withUnsafeBytes { try append($0, partition: partition) }
  }
}

@Suite struct `File sink` {
  let directory = LogDirectory()

  private func open(_ name: String, header: String? = nil) throws -> FileSink {
    try FileSink(LogAddress(directory.file(name)), header: header.map { Array($0.utf8) })
  }

  @Test func `what is appended is in the file after send, and its length known after flush`() throws
  {
    let sink = try open("new/x.jsonl")
    try sink.append("{}")
    try sink.append("{\"é\":1}", partition: 7)
    #expect(directory.content("new/x.jsonl") == "")
    try sink.send()
    #expect(directory.content("new/x.jsonl") == "{}\n{\"é\":1}\n")
    try sink.append("")
    #expect(try sink.flush() == [0: 13])
  }

  @Test func `a file has one sink at a time`() throws {
    do {
      let sink = try open("x.jsonl")
      try sink.append("first")
      let message = errorMessage(.system) { try open("x.jsonl") }
      #expect(
        message.hasSuffix(
          "x.jsonl' is being written by another job; one at a time may write to a file"))
      #expect(try sink.flush() == [0: 6])
    }
    #expect(try open("x.jsonl").flush() == [0: 6])
  }

  @Test func `a directory gets a file for each partition`() throws {
    let sink = try open("log/")
    try sink.append("a", partition: 0)
    try sink.append("b", partition: 12)
    try sink.append("c", partition: 0)
    #expect(try sink.flush() == [0: 4, 12: 2])
    #expect(
      directory.content("log/0.jsonl") == "a\nc\n" && directory.content("log/12.jsonl") == "b\n")
    let source = try FileLog(LogAddress(directory.file("log")), untilEnd: true)
    #expect(source.partitions == [0, 12])
    #expect(try source.readAll(12).map(\.text) == ["b"])
  }

  @Test func `recovery cuts each partition back to what a checkpoint knew`() throws {
    let lengths: [Int: Int64]
    do {
      let sink = try open("log/")
      for partition in 0..<3 { try sink.append("kept", partition: partition) }
      lengths = try sink.flush()
      for partition in 0..<3 { try sink.append("lost", partition: partition) }
      _ = try sink.flush()
    }
    directory.append("torn", to: "log/1.jsonl")
    do {
      let resumed = try open("log/")
      try resumed.append("not written yet", partition: 0)
      try resumed.truncate(to: lengths.filter { $0.key < 2 })
      try resumed.append("again", partition: 1)
      #expect(try resumed.flush() == [0: 5, 1: 11, 2: 0])
    }
    #expect(directory.content("log/0.jsonl") == "kept\n")
    #expect(directory.content("log/1.jsonl") == "kept\nagain\n")
    #expect(directory.content("log/2.jsonl") == "")
    let message = errorMessage(.input) { try open("log/").truncate(to: [1: 12]) }
    #expect(
      message.hasSuffix(
        "1.jsonl' is 11 bytes long, but 12 bytes of it were durable: it was truncated or replaced"))
  }

  @Test func `an unfinished last line is ended, not continued`() throws {
    directory.append("{\"a\":1", to: "x.jsonl")
    let sink = try open("x.jsonl")
    try sink.append("{}")
    #expect(try sink.flush() == [0: 10])
    #expect(directory.content("x.jsonl") == "{\"a\":1\n{}\n")
  }

  @Test func `CSV files start with the header, once`() throws {
    for row in ["1,2", "3,4"] {
      let sink = try open("x.csv", header: "a,b")
      try sink.append(row)
      _ = try sink.flush()
    }
    #expect(directory.content("x.csv") == "a,b\n1,2\n3,4\n")
    do {
      let sink = try open("x.csv", header: "a,b")
      try sink.truncate(to: [:])
      #expect(try sink.flush() == [0: 4])
    }
    let message = errorMessage(.configuration) { try open("x.csv", header: "a,b,c") }
    #expect(message.contains("starts with \"a,b\"; expected the header \"a,b,c\""))
  }

  @Test func `what cannot be written says why, and leaves whole records behind`() throws {
    #expect(errorMessage(.configuration) { try open("x.csv.gz") }.contains("not compressed"))
    #expect(
      errorMessage(.system) { try FileSink(LogAddress("/proc/no/x.jsonl")) }.contains("'/proc/no'"))
    let full = try FileSink(LogAddress("/dev/full", format: .jsonLines))
    try full.append("x")
    #expect(
      errorMessage(.system) { try full.flush() }
        == "cannot write '/dev/full': No space left on device")
  }

  @Test func `a full disk keeps the records before it, and goes on when there is room`() throws {
    try withSmallDisk(kilobytes: 64) { disk in
      let sink = try FileSink(LogAddress("\(disk)/x.jsonl"))
      let record = String(repeating: "r", count: 999)
      try sink.append(record)
      _ = try sink.flush()
      for _ in 0..<200 { try sink.append(record) }
      #expect(
        errorMessage(.system) { try sink.flush() }
          == "cannot write '\(disk)/x.jsonl': No space left on device")
      #expect(try DurableFile.read("\(disk)/x.jsonl") == Array((record + "\n").utf8))
      try sink.append(record)
      #expect(try sink.flush() == [0: 2000])
    }
  }
}
