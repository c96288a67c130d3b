import Millrace
import Synchronization
import Testing

/// A log that can be written and opened: what `checkLogSource` runs against.
struct LogUnderTest: Sendable {
  /// Appends records to a partition, durably enough for a reader to see them.
  var append: @Sendable (_ records: [String], _ partition: Int) -> Void
  /// Opens the log at its beginning.
  var open: @Sendable (_ untilEnd: Bool) throws -> any LogSource
}

/// A record as read: its text and where it lay.
struct ReadRecord: Equatable {
  var text: String
  var position: Int64
}

extension RecordBatch {
  /// The records' texts.
  func records() throws -> [ReadRecord] {
    try withBytes { bytes in
      #expect(ends.last.map { $0 + RecordBatch.padding <= bytes.count } ?? true)
      return (0..<count).map { index in
        ReadRecord(
          text: String(decoding: bytes[starts[index]..<ends[index]], as: UTF8.self),
          position: positions[index])
      }
    }
  }
}

extension LogSource {
  /// One poll, with texts for records.
  func read(
    _ partition: Int = 0, maxRecords: Int = 1000, maxBytes: Int = 1 << 20,
    linger: Duration = .zero, batch: inout RecordBatch
  ) throws -> (records: [ReadRecord], goesOn: Bool) {
    let goesOn = try poll(
      partition: partition, maxRecords: maxRecords, maxBytes: maxBytes, linger: linger,
      into: &batch)
    #expect(batch.partition == partition && batch.count <= maxRecords)
    return (try batch.records(), goesOn)
  }

  func read(_ partition: Int = 0, linger: Duration = .zero) throws -> [String] {
    var batch = RecordBatch()
    return try read(partition, linger: linger, batch: &batch).records.map(\.text)
  }

  /// Polls until a batch is empty.
  func readWhatIsThere() throws -> [String] {
    var all: [String] = []
    while case let texts = try read(), !texts.isEmpty { all += texts }
    return all
  }

  /// Everything to the end, by polls of the given size.
  func readAll(
    _ partition: Int = 0, maxRecords: Int = 1000, maxBytes: Int = 1 << 20
  ) throws -> [ReadRecord] {
    var batch = RecordBatch()
    var all: [ReadRecord] = []
    while true {
      let (records, goesOn) = try read(
        partition, maxRecords: maxRecords, maxBytes: maxBytes, batch: &batch)
      all += records
      if !goesOn { return all }
    }
  }
}

/// The laws of `LogSource`, for every kind of log.
///
/// - Parameter make: an empty log of two partitions, 0 and 1, that exist.
func checkLogSource(_ make: () throws -> LogUnderTest) throws {
  let texts = (0..<200).map {
    "{\"x\": \($0), \"pad\": \"\(String(repeating: "é", count: $0 % 17))\"}"
  }
  let others = ["{\"other\": 1}", "{\"other\": 2}"]
  let log = try make()

  // An empty log ends at once, or goes on.
  #expect(try log.open(true).readAll() == [])
  var batch = RecordBatch()
  let empty = try log.open(false).read(batch: &batch)
  #expect(empty.records == [] && empty.goesOn)

  log.append(texts, 0)
  log.append(others, 1)
  let all = try log.open(true).readAll()
  #expect(all.map(\.text) == texts)
  #expect(zip(all, all.dropFirst()).allSatisfy { $0.position < $1.position })
  let source = try log.open(true)
  #expect(source.partitions == [0, 1])
  #expect(try source.readAll(1).map(\.text) == others)

  // Records and positions do not depend on how they are polled.
  for (maxRecords, maxBytes) in [(1, 1 << 20), (7, 1 << 20), (1000, 1), (1000, 100), (3, 64)] {
    #expect(try log.open(true).readAll(maxRecords: maxRecords, maxBytes: maxBytes) == all)
  }

  // Bytes are bounded, save for a record that is longer alone.
  let bounded = try log.open(true)
  while try bounded.read(maxBytes: 100, batch: &batch).goesOn {
    #expect(batch.count == 1 || batch.ends.last ?? 0 <= 100)
  }

  // One can resume at any record; the end is a position too.
  for index in all.indices {
    let source = try log.open(true)
    try source.seek(to: [0: all[index].position, 1: 0])
    #expect(try source.readAll() == Array(all[index...]))
    #expect(try source.readAll(1).map(\.text) == others)
    let read = try log.open(true)
    _ = try read.read(maxRecords: index + 1, batch: &batch)
    #expect(batch.nextPosition >= all[batch.count - 1].position)
    let resumed = try log.open(true)
    try resumed.seek(to: [0: batch.nextPosition])
    #expect(try resumed.readAll() == Array(all[batch.count...]))
    try resumed.seek(to: [:])
    #expect(try resumed.readAll() == all)
  }

  // Beyond the end there is nothing to resume at.
  _ = try log.open(true).read(maxRecords: 1000, batch: &batch)
  let end = batch.nextPosition
  #expect(throws: MillraceError.self) { try log.open(true).seek(to: [0: end + 1000]) }

  // Linger waits for the first record, and only as long as needed.
  let followed = try log.open(false)
  try followed.seek(to: [0: end, 1: 0])
  _ = try followed.read(1)
  let clock = ContinuousClock()
  let beforeIdle = clock.now
  #expect(try followed.read(linger: .milliseconds(30)) == [])
  #expect(clock.now - beforeIdle >= .milliseconds(29))
  log.append(["{\"late\": 1}"], 0)
  let beforePrompt = clock.now
  #expect(try followed.read(linger: .seconds(20)) == ["{\"late\": 1}"])
  #expect(clock.now - beforePrompt < .seconds(5))
}

/// A log that grows while another thread reads it: every record once, in order.
func checkGrowingLogSource(_ make: () throws -> LogUnderTest) async throws {
  let log = try make()
  let count = 3000
  let writer = _Concurrency.Task.detached {
    for first in stride(from: 0, to: count, by: 10) {
      log.append((first..<first + 10).map { "{\"x\": \($0)}" }, 0)
    }
  }
  let reader = _Concurrency.Task.detached {
    let source = try log.open(false)
    var batch = RecordBatch()
    var texts: [String] = []
    while texts.count < count {
      texts += try source.read(maxRecords: 97, linger: .milliseconds(200), batch: &batch)
        .records.map(\.text)
    }
    return texts
  }
  await writer.value
  #expect(try await reader.value == (0..<count).map { "{\"x\": \($0)}" })
}
