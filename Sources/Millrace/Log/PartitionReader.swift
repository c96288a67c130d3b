/// Records of one partition: bytes from a `ByteSource`, cut by a `RecordFramer`, with positions.
///
/// A position is the offset of a byte from the start of the file. Bytes that were read but belong
/// to no record returned yet are carried over to the next poll.
final class PartitionReader {
  /// What follows the bytes that were read.
  private enum End { case open, replaced, ended }

  let source: any ByteSource
  private let partition: Int
  private let recordLimit: Int
  /// Between the fields of a line; `nil` where fields are not named by their place.
  private let delimiter: UInt8?
  private let hasHeader: Bool
  private var framer: RecordFramer

  private var header: [UInt8]?
  /// Whether the current file's beginning (byte-order mark, header) is still to be read.
  private var isAtBeginning = true
  private var end = End.open
  private var carry: [UInt8] = []
  private var carryStart = 0
  /// Of the first byte of `carry[carryStart...]`.
  private var position: Int64 = 0
  /// Of the file's first record.
  private var firstPosition: Int64 = 0
  private var averageRecordSize = 256.0

  init(
    partition: Int, source: any ByteSource, format: DataFormat, hasHeader: Bool, recordLimit: Int
  ) {
    self.partition = partition
    self.source = source
    delimiter = format.delimiter
    self.hasHeader = hasHeader
    self.recordLimit = recordLimit
    framer = RecordFramer(format: format)
  }

  private var carried: Int { carry.count - carryStart }

  // MARK: Positions

  func seek(to target: Int64) throws(MillraceError) {
    if !isAtBeginning, target == position || position == firstPosition && target < position {
      return
    }
    try source.seek(to: 0)
    restart(at: 0)
    guard target > 0 else { return }
    guard try readBeginning(deadline: .now), target >= position else {
      throw MillraceError(
        .input, "\(source.path) has no record at position \(target): it was truncated or replaced")
    }
    if target == position { return }
    try source.seek(to: target - 1)
    restart(at: target)
    isAtBeginning = false
    try checkBoundary()
  }

  /// Reads the byte before `position` and those from there on: a position is a record's start only
  /// after a line end, or where the log ended without one.
  private func checkBoundary() throws(MillraceError) {
    _ = try readIntoCarry()
    guard carried > 0,
      carry[0] == UInt8(ascii: "\n") || carried == 1
        || carry[1] == UInt8(ascii: "\n") || carry[1] == UInt8(ascii: "\r")
    else {
      throw MillraceError(
        .input,
        "\(source.path): position \(position) is not the start of a record: the file was replaced")
    }
    carryStart = 1
  }

  private func restart(at position: Int64) {
    self.position = position
    isAtBeginning = true
    end = .open
    carry.removeAll(keepingCapacity: true)
    carryStart = 0
    framer.reset()
  }

  // MARK: The beginning of a file

  func readHeader() throws(MillraceError) -> [UInt8]? {
    guard delimiter != nil, try readBeginning(deadline: .now) else { return nil }
    return header
  }

  /// Skips a byte-order mark and reads the header; `false` when it is not there yet.
  private func readBeginning(deadline: ContinuousClock.Instant) throws(MillraceError) -> Bool {
    guard isAtBeginning else { return true }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    while true {
      if position == 0, carried >= 3, carry[carryStart..<carryStart + 3].elementsEqual(mark) {
        carryStart += 3
        position = 3
      }
      let isMarkPossible = position == 0 && carried < 3 && mark.starts(with: carry[carryStart...])
      if !isMarkPossible || end != .open {
        let isRead = try delimiter.map { (byte) throws(MillraceError) in
          try takeHeader(delimiter: byte)
        }
        if isRead ?? true {
          isAtBeginning = false
          firstPosition = position
          return true
        }
      }
      guard end == .open else { return false }
      if carried >= recordLimit { throw tooLong(at: position) }
      if try !readIntoCarry(), end == .open {
        let remaining = deadline - .now
        guard remaining > .zero else { return false }
        _ = source.wait(upTo: remaining)
      }
    }
  }

  /// Takes the header, or names the columns after their places by the first record, which stays;
  /// `false` when it is not there yet.
  private func takeHeader(delimiter: UInt8) throws(MillraceError) -> Bool {
    var starts: [Int] = []
    var ends: [Int] = []
    let consumed = carry.withUnsafeBytes { bytes in
      framer.scan(
        bytes, from: carryStart, atEnd: end != .open, maxRecords: 1, starts: &starts, ends: &ends)
    }
    if let start = starts.first, let end = ends.first {
      let line = Array(carry[start..<end])
      let found = hasHeader ? line : SeparatedFields.numbered(as: line, delimiter: delimiter)
      if let header, header != found { throw headerChanged(from: header, to: found) }
      header = found
      if !hasHeader {
        framer.reset()
        return true
      }
    }
    position += Int64(consumed - carryStart)
    carryStart = consumed
    return !starts.isEmpty
  }

  private func readIntoCarry() throws(MillraceError) -> Bool {
    let chunk = 1 << 16
    let count = carry.count
    carry.append(contentsOf: repeatElement(0, count: chunk))
    let result = try carry.withUnsafeMutableBufferPointer { (buffer) throws(MillraceError) in
      try source.read(into: rebase(buffer, count, count + chunk))
    }
    let added = take(result)
    carry.removeLast(chunk - added)
    return added > 0
  }

  private func take(_ result: ByteRead) -> Int {
    switch result {
    case .bytes(let count): return count
    case .nothingYet: break
    case .replaced: end = .replaced
    case .ended: end = .ended
    }
    return 0
  }

  // MARK: Records

  /// See `LogSource.poll`; `yieldsToOthers` ends the wait when any watched file has changed.
  func poll(
    maxRecords: Int, maxBytes: Int, linger: Duration, yieldsToOthers: Bool,
    into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    batch.removeAll()
    batch.partition = partition
    let deadline = ContinuousClock.now + linger
    if try readBeginning(deadline: deadline) {
      try fill(
        &batch, maxRecords: max(1, maxRecords), maxBytes: max(1, maxBytes), deadline: deadline,
        yieldsToOthers: yieldsToOthers)
    }
    if end == .replaced, carried == 0 {
      try source.openReplacement()
      restart(at: 0)
    }
    batch.nextPosition = position
    return batch.count > 0 || end != .ended || carried > 0
  }

  private func fill(
    _ batch: inout RecordBatch, maxRecords: Int, maxBytes: Int, deadline: ContinuousClock.Instant,
    yieldsToOthers: Bool
  ) throws(MillraceError) {
    // Little more is read than will be returned, so that little is carried over.
    var target = min(maxBytes, max(4096, Int(min(1e15, averageRecordSize * Double(maxRecords)))))
    if try fillMapped(&batch, count: target, maxRecords: maxRecords) { return }
    if target < carried { framer.reset() }
    var filled = 0
    var added = 0
    var consumed = 0
    var isWoken = false
    while true {
      batch.makeRoom(target)
      if filled < carried {
        let count = min(carried, target) - filled
        batch.copy(carry[carryStart + filled..<carryStart + filled + count], to: filled)
        filled += count
      } else if end == .open {
        let result = try batch.buffer.withUnsafeMutableBufferPointer {
          (buffer) throws(MillraceError) in
          try source.read(into: rebase(buffer, filled, target))
        }
        if case .nothingYet = result {
          let remaining = deadline - .now
          if remaining <= .zero || isWoken && yieldsToOthers { break }
          isWoken = source.wait(upTo: remaining)
          continue
        }
        let count = take(result)
        filled += count
        added += count
      }
      let isLast = end != .open && filled >= carried
      consumed = batch.scan(
        &framer, from: consumed, to: filled, atEnd: isLast, maxRecords: maxRecords)
      if consumed > 0 || isLast { break }
      if filled == target {
        guard target < recordLimit else { throw tooLong(at: position) }
        target = min(2 * target, recordLimit)
      }
    }
    advance(&batch, by: consumed)
    if added == 0 {
      carryStart += consumed
    } else {
      carryOver(batch.buffer[consumed..<filled])
    }
  }

  /// As `fill`, straight out of the file where enough of it is there; `false` where it is not, or
  /// no record ends in it.
  private func fillMapped(
    _ batch: inout RecordBatch, count: Int, maxRecords: Int
  ) throws(MillraceError) -> Bool {
    guard end == .open, let window = try source.map(from: position, count: count) else {
      return false
    }
    framer.reset()
    let bytes = UnsafeRawBufferPointer(rebasing: window.bytes.dropLast(RecordBatch.padding))
    let consumed = framer.scan(
      bytes, atEnd: false, maxRecords: maxRecords, starts: &batch.starts, ends: &batch.ends)
    carryOver(bytes[consumed...])
    try window.check()
    guard consumed > 0 else { return false }
    batch.window = window
    advance(&batch, by: consumed)
    return true
  }

  /// Goes on behind the records found in `consumed` bytes.
  private func advance(_ batch: inout RecordBatch, by consumed: Int) {
    for start in batch.starts { batch.positions.append(position + Int64(start)) }
    position += Int64(consumed)
    if batch.count > 0 { averageRecordSize = Double(consumed) / Double(batch.count) }
  }

  private func carryOver(_ bytes: some Collection<UInt8>) {
    carry.removeAll(keepingCapacity: true)
    carry.append(contentsOf: bytes)
    carryStart = 0
  }

  private func headerChanged(from old: [UInt8], to new: [UInt8]) -> MillraceError {
    MillraceError(
      .input,
      "\(source.path) was replaced by a file with the header"
        + " \"\(String(decoding: new, as: UTF8.self))\"; expected"
        + " \"\(String(decoding: old, as: UTF8.self))\" as before")
  }

  private func tooLong(at position: Int64) -> MillraceError {
    MillraceError(
      .input,
      "\(source.path): the record at position \(position) is longer than \(recordLimit) bytes")
  }
}

private func rebase(
  _ buffer: UnsafeMutableBufferPointer<UInt8>, _ start: Int, _ end: Int
) -> UnsafeMutableRawBufferPointer {
  UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[start..<end]))
}

extension RecordBatch {
  /// Makes `buffer` at least so long, with the padding.
  fileprivate mutating func makeRoom(_ count: Int) {
    let missing = count + Self.padding - buffer.count
    if missing > 0 { buffer.append(contentsOf: repeatElement(0, count: missing)) }
  }

  fileprivate mutating func copy(_ source: ArraySlice<UInt8>, to index: Int) {
    buffer.withUnsafeMutableBytes { destination in
      UnsafeMutableRawBufferPointer(rebasing: destination[index...]).copyBytes(from: source)
    }
  }

  fileprivate mutating func scan(
    _ framer: inout RecordFramer, from start: Int, to end: Int, atEnd: Bool, maxRecords: Int
  ) -> Int {
    buffer.withUnsafeBytes { bytes in
      framer.scan(
        UnsafeRawBufferPointer(rebasing: bytes[..<end]), from: start, atEnd: atEnd,
        maxRecords: maxRecords, starts: &starts, ends: &ends)
    }
  }
}
