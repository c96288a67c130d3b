internal import Glibc

/// A replay at work.
struct ReplayRun: ~Copyable {
  private static let recordsPerPoll = 1024

  private let settings: Replay
  private let source: any LogSource
  let sink: any LogSink
  private var converter: JSONLinesConverter?
  private var fields: RecordFields?
  private var batch = RecordBatch()
  private let start = ContinuousClock.now
  /// Seconds since the start, as last looked at.
  private var elapsed = 0.0
  /// When the dataset began (again), and the time of its first record.
  private var beginning: (elapsed: Double, time: Double)?
  /// When the latest record was due, in seconds since the start.
  private var due = 0.0
  private(set) var isStopped = false
  private(set) var outcome = Replay.Outcome()

  /// - Parameter openSink: called once all is known to fit: what is refused leaves nothing behind.
  /// - Throws: `configuration` when the records cannot become `format`, or have not what the
  ///   settings need; what `openSink` throws.
  init(
    _ settings: Replay, from source: any LogSource, as format: DataFormat,
    openSink: () throws(MillraceError) -> any LogSink
  ) throws(MillraceError) {
    self.settings = settings
    self.source = source
    if let first = source.partitions.first {
      if settings.speed != nil, source.partitions.count > 1 {
        throw .setting(
          "speed", "\(settings.speed ?? 0)",
          expected: "none for a log of several partitions: each has its own time")
      }
      let header = try source.header(partition: first) ?? []
      if format != source.format {
        guard format == .jsonLines, let delimiter = source.format.delimiter else {
          throw MillraceError(
            .configuration,
            "records of \(source.format.rawValue) cannot become \(format.rawValue); expected"
              + " \(source.format.rawValue), or CSV into JSON lines")
        }
        converter = JSONLinesConverter(header: header, delimiter: delimiter)
      }
      if settings.key != nil || settings.timestamp != nil {
        fields = try RecordFields(
          key: settings.key, timestamp: settings.timestamp, format: source.format, header: header)
      }
    }
    sink = try openSink()
  }

  /// Replays the source from where it stands to its end.
  mutating func replayToEnd(
    isStopped shouldStop: () -> Bool, progress: (Int) -> Void
  ) throws(MillraceError) {
    beginning = nil
    var open = source.partitions
    while !open.isEmpty && !isStopped {
      for partition in open where !isStopped {
        let goesOn = try source.poll(
          partition: partition, maxRecords: Self.recordsPerPoll, maxBytes: 1 << 20,
          linger: .milliseconds(50), into: &batch)
        if !goesOn { open.removeAll { $0 == partition } }
        try batch.copyBytes()
        try fields?.read(batch)
        for index in 0..<batch.count where !isStopped {
          try waitUntilDue(index, shouldStop)
          if !isStopped { try pass(index) }
        }
        isStopped = isStopped || shouldStop()
        progress(outcome.rows)
      }
    }
    outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
  }

  private mutating func pass(_ index: Int) throws(MillraceError) {
    let key = fields?.key(of: index) ?? []
    let partition =
      key.isEmpty
      ? outcome.rows % settings.partitions
      : Partitioner.partition(of: key, count: settings.partitions)
    let range = batch.starts[index]..<batch.ends[index]
    try batch.buffer.withUnsafeBufferPointer { (bytes) throws(MillraceError) in
      let record = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range]))
      guard var converter = exchange(&converter, with: nil) else {
        return try sink.append(record, partition: partition)
      }
      converter.convert(record)
      try converter.line.withUnsafeBufferPointer { (line) throws(MillraceError) in
        try sink.append(UnsafeRawBufferPointer(line), partition: partition)
      }
      self.converter = converter
    }
    outcome.rows += 1
  }

  // MARK: Pace

  private mutating func waitUntilDue(
    _ index: Int, _ shouldStop: () -> Bool
  ) throws(MillraceError) {
    if let rate = settings.rate {
      due = Double(outcome.rows) / rate
    } else if let speed = settings.speed {
      try takeTime(of: index, speed: speed)
    } else {
      return
    }
    while due > elapsed {
      elapsed = (ContinuousClock.now - start) / .seconds(1)
      if due <= elapsed { return }
      // What is on time is seen before the pause.
      try sink.send()
      if shouldStop() {
        isStopped = true
        return
      }
      usleep(UInt32(min(max(due - elapsed, 0.001), 0.05) * 1e6))
    }
  }

  private mutating func takeTime(of index: Int, speed: Double) throws(MillraceError) {
    let text = fields?.timestamp(of: index) ?? []
    if let time = RecordTime.seconds(text) {
      let beginning = beginning ?? (elapsed: due, time: time)
      self.beginning = beginning
      due = max(due, beginning.elapsed + (time - beginning.time) / speed)
    } else if beginning == nil {
      throw MillraceError(
        .input,
        "the record at position \(batch.positions[index]) has \"\(String(decoding: text, as: UTF8.self))\""
          + " for its time '\(settings.timestamp ?? "")'; expected a number or an ISO 8601 date")
    }
  }
}
