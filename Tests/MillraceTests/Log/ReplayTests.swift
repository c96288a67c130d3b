import Millrace
import Synchronization
import Testing

@Suite struct `Replay of datasets` {
  let directory = LogDirectory()

  private func run(
    _ data: String, to target: String, _ replay: Replay = Replay(),
    isStopped: () -> Bool = { false }
  ) throws -> Replay.Outcome {
    try replay.run(
      from: LogAddress(directory.file(data)), to: LogAddress(directory.file(target)),
      isStopped: isStopped)
  }

  @Test func `records of the same format keep their bytes`() throws {
    directory.append("{\"a\": 1.50}\n{ \"b\":\"é\"}\r\n{bad", to: "x.jsonl")
    let outcome = try run("x.jsonl", to: "log/")
    #expect(outcome.rows == 3)
    #expect(directory.content("log/0.jsonl") == "{\"a\": 1.50}\n{ \"b\":\"é\"}\n{bad\n")
    directory.append("a,b\n1,\"x\ny\"\n", to: "x.csv")
    _ = try run("x.csv", to: "y.csv")
    _ = try run("x.csv", to: "y.csv")
    #expect(directory.content("y.csv") == "a,b\n1,\"x\ny\"\n1,\"x\ny\"\n")
  }

  @Test func `CSV into a log becomes JSON lines, with numbers to the last digit`() throws {
    directory.append(
      #"""
      number,"a ""name""",c
      0.10000000000000000555,-1e-5,100
      007,+1,.5
      1.,NaN, 2
      "a, b\#tc","",x"y
      1,2
      1,2,3,4

      """#, to: "x.csv")
    #expect(try run("x.csv", to: "log/").rows == 6)
    #expect(
      directory.content("log/0.jsonl") == #"""
        {"number": 0.10000000000000000555, "a \"name\"": -1e-5, "c": 100}
        {"number": "007", "a \"name\"": "+1", "c": ".5"}
        {"number": "1.", "a \"name\"": "NaN", "c": " 2"}
        {"number": "a, b\tc", "a \"name\"": null, "c": "x\"y"}
        "1,2"
        "1,2,3,4"

        """#)
  }

  @Test func `JSON lines decode to the rows of the CSV they came from`() throws {
    directory.append("x,y,label\n1.5,a,0\n+2,?,1\n.25, b ,1\n,a,0\n1,2\n", to: "x.csv")
    _ = try run("x.csv", to: "log/")
    let schema = Schema(
      task: .binary,
      columns: [
        .init(name: "x", kind: .numeric), .init(name: "y", kind: .categorical(levels: ["a", "b"])),
      ], label: "label", classes: ["0", "1"])
    var batches: [Batch] = []
    for (address, header) in [("x.csv", ["x", "y", "label"]), ("log/", [])] {
      let log = try FileLog(LogAddress(directory.file(address)), untilEnd: true)
      var records = RecordBatch()
      _ = try log.read(batch: &records)
      var decoder = try RecordDecoder(schema: schema, format: log.format, header: header)
      var batch = Batch(columnCount: 3)
      var rejected: [RejectedRecord] = []
      try decoder.decode(records, into: &batch, rejected: &rejected)
      #expect(rejected.map(\.recordIndex) == [4])
      batches.append(batch)
    }
    #expect(batches[0].features.map(\.description) == batches[1].features.map(\.description))
    #expect(batches[0].labels == batches[1].labels && batches[0].count == 4)
  }

  @Test func `a directory that holds CSV stays CSV, and so does one that is asked for`() throws {
    directory.append("a,b\n1,2\n", to: "x.csv")
    _ = try Replay().run(
      from: LogAddress(directory.file("x.csv")),
      to: LogAddress(directory.file("log/"), format: .csv),
      isStopped: { false })
    var two = Replay()
    two.partitions = 2
    directory.append("3,4\n", to: "x.csv")
    _ = try run("x.csv", to: "log/", two)
    #expect(directory.content("log/0.csv") == "a,b\n1,2\n1,2\n")
    #expect(directory.content("log/1.csv") == "a,b\n3,4\n")
    directory.append("{}\n", to: "x.jsonl")
    #expect(
      errorMessage(.configuration) { try run("x.jsonl", to: "log/") }
        .contains("records of jsonl cannot become csv"))
  }

  @Test func `partitions are taken in turns, or by key`() throws {
    directory.append("{\"k\":\"a\",\"n\":0}\n", to: "x.jsonl")
    for index in 1..<40 {
      directory.append("{\"n\":\(index),\"k\":\"\(index % 5)\"}\n", to: "x.jsonl")
    }
    directory.append("{\"n\":40}\n", to: "x.jsonl")
    var replay = Replay()
    replay.partitions = 3
    _ = try run("x.jsonl", to: "turns/", replay)
    let turns = try FileLog(LogAddress(directory.file("turns/")), untilEnd: true)
    #expect(try turns.read(2).prefix(2) == ["{\"n\":2,\"k\":\"2\"}", "{\"n\":5,\"k\":\"0\"}"])
    replay.key = "k"
    _ = try run("x.jsonl", to: "keys/", replay)
    let keys = try FileLog(LogAddress(directory.file("keys/")), untilEnd: true)
    var seen: Set<String> = []
    for partition in keys.partitions {
      let here = Set(
        try keys.read(partition).compactMap { $0.split(separator: "\"k\":").last }.map(String.init))
      #expect(seen.isDisjoint(with: here.subtracting(["{\"n\":40}"])))
      seen.formUnion(here)
    }
    #expect(
      errorMessage(.configuration) {
        directory.append("a,b\n1,2\n", to: "x.csv")
        return try run("x.csv", to: "keys/", replay)
      } == "key is \"k\"; expected one of the fields 'a', 'b'")
  }

  // org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  @Test(
    arguments: [
      ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
      ("a-little-bit-longer-string", -1_486_304_829),
      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
  func `keys are hashed as Kafka does`(key: String, hash: Int32) {
    #expect(Partitioner.murmur2(Array(key.utf8)[...]) == UInt32(bitPattern: hash))
    #expect(
      Partitioner.partition(of: Array(key.utf8)[...], count: 7) == Int(hash & 0x7FFF_FFFF) % 7)
  }

  @Test func `a rate is kept, and what is on time can be read`() throws {
    for index in 0..<60 { directory.append("{\"n\":\(index)}\n", to: "x.jsonl") }
    var replay = Replay()
    replay.rate = 200
    var seen: [Int] = []
    let outcome = try run("x.jsonl", to: "log/", replay) {
      seen.append(directory.content("log/0.jsonl").split(separator: "\n").count)
      return false
    }
    // Record 59 is due 59/200 s after the first.
    #expect(outcome.rows == 60 && outcome.seconds > 0.29 && outcome.seconds < 3)
    #expect(seen.contains { (10..<50).contains($0) })
    #expect(seen == seen.sorted())
  }

  @Test func `time runs as the timestamps do, times the speed`() throws {
    directory.append(
      "t,x\n2024-05-01T00:00:00Z,1\nnone,2\n2024-05-01T00:01:00Z,3\n2024-05-01T00:00:30Z,4\n",
      to: "x.csv")
    var replay = Replay()
    (replay.speed, replay.timestamp) = (300, "t")
    let outcome = try run("x.csv", to: "y.csv", replay)
    #expect(outcome.rows == 4 && outcome.seconds > 0.199 && outcome.seconds < 3)
    directory.append("t,x\nsoon,1\n", to: "bad.csv")
    #expect(
      errorMessage(.input) { try run("bad.csv", to: "z.csv", replay) }
        .contains("has \"soon\" for its time 't'"))
  }

  // date -u -d 2024-02-29T12:30:15.25Z +%s.%N and so on.
  @Test(
    arguments: [
      ("1700000000", 1_700_000_000), ("1.7e9", 1_700_000_000), ("1700000000000", 1_700_000_000),
      ("1700000000000000", 1_700_000_000), ("1700000000000000000", 1_700_000_000), ("-5", -5),
      ("1970-01-01", 0), ("2024-02-29T12:30:15.25Z", 1_709_209_815.25),
      ("2024-02-29 12:30", 1_709_209_800), ("2024-02-29T12:30:15+02:00", 1_709_202_615),
      ("1969-12-31T23:59:59-0030", 1799), ("1900-03-01", -2_203_891_200),
      ("2100-01-01T00:00:00", 4_102_444_800),
    ] as [(String, Double)])
  func `times are read in their usual forms`(text: String, seconds: Double) {
    #expect(RecordTime.seconds(Array(text.utf8)) == seconds)
  }

  @Test(arguments: [
    "", "abc", "nan", "2024-13-01", "2024-01-01T25", "2024-01-01T12:60", "12:30", "2024-01-01Tx",
  ])
  func `other texts are no times`(text: String) {
    #expect(RecordTime.seconds(Array(text.utf8)) == nil)
  }

  @Test func `a loop goes on until it is stopped`() throws {
    directory.append("1\n2\n3\n", to: "x.jsonl")
    var replay = Replay()
    replay.loops = true
    var asked = 0
    let outcome = try run("x.jsonl", to: "log/", replay) {
      asked += 1
      return asked > 20
    }
    #expect(outcome.rows > 6)
    #expect(directory.content("log/0.jsonl").hasPrefix("1\n2\n3\n1\n2\n3\n"))
    directory.append("", to: "empty.jsonl")
    #expect(try run("empty.jsonl", to: "log/", replay).rows == 0)
  }

  @Test func `what is refused leaves nothing behind`() throws {
    directory.append("a,b\n1,2\n", to: "x.csv")
    var keyed = Replay()
    keyed.key = "k"
    for (target, replay, evidence) in [
      ("y.svm", Replay(), "records of csv cannot become libsvm"),
      ("new/y.jsonl.gz", Replay(), "to is \"\(directory.file("new/y.jsonl.gz"))\""),
      ("y.csv", keyed, "key is \"k\""), ("log/", keyed, "key is \"k\""),
    ] {
      let message = errorMessage(.configuration) { try run("x.csv", to: target, replay) }
      #expect(message.contains(evidence), "\(message)")
    }
    #expect(try Directory.entries(directory.path) == ["x.csv"])
  }

  @Test func `settings that do not fit together are refused`() throws {
    directory.append("1\n", to: "x.jsonl")
    var replay = Replay()
    replay.rate = 0
    #expect(
      errorMessage(.configuration) { try run("x.jsonl", to: "log/", replay) }.hasPrefix("rate"))
    (replay.rate, replay.speed) = (nil, 2)
    #expect(
      errorMessage(.configuration) { try run("x.jsonl", to: "log/", replay) }.hasPrefix("speed"))
    (replay.speed, replay.partitions) = (nil, 0)
    #expect(
      errorMessage(.configuration) { try run("x.jsonl", to: "log/", replay) }.hasPrefix("part"))
    #expect(
      errorMessage(.configuration) { try run("x.jsonl", to: "x.jsonl") }.contains("another log"))
  }
}
