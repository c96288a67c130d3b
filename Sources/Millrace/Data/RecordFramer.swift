internal import CMillraceKernels

/// Finds where records start and end in bytes that arrive piece by piece.
///
/// JSON and LibSVM records are lines; CSV records are lines too, save that a quoted field may hold
/// line ends. Blank lines are not records. Any split of the bytes into pieces gives the same
/// records. Runs at memory speed where there are no quotes.
public struct RecordFramer: Sendable {
  /// A quoted field that is still open this many bytes after the start of its record is taken for
  /// a stray quote: the record ends with its first line.
  public static let quotedRecordLimit = 16 << 20

  private let delimiter: UInt8?
  private var state = millrace_frame_state()

  /// A framer at the start of a record.
  public init(format: DataFormat) { delimiter = format.delimiter }

  /// Appends the start and end of each complete record of `bytes[start...]`, `maxRecords` at most.
  ///
  /// The next call must start with the byte at the index returned, the bytes from there on being
  /// the same (there may be more of them); `reset()` before going elsewhere. When the result is
  /// `start`, a record is not complete: offer more bytes, or say `atEnd`.
  ///
  /// - Parameters:
  ///   - bytes: the bytes, with what was left over from the call before in front of the new ones.
  ///   - start: where to begin; the start of a record.
  ///   - atEnd: whether no byte will follow: the last record then needs no line end.
  ///   - maxRecords: how many records to find at most.
  ///   - starts: where each record starts in `bytes`.
  ///   - ends: where each record ends, without its line end.
  /// - Returns: the index of the first byte that belongs to no record found yet.
  public mutating func scan(
    _ bytes: UnsafeRawBufferPointer, from start: Int = 0, atEnd: Bool, maxRecords: Int = .max,
    starts: inout [Int], ends: inout [Int]
  ) -> Int {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return start }
    let chunk = 512
    var consumed = start
    var remaining = maxRecords
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * chunk) { found in
      guard let foundStarts = found.baseAddress else { return }
      let foundEnds = foundStarts + chunk
      while remaining > 0 {
        let capacity = min(chunk, remaining)
        let from = consumed
        let count =
          if let delimiter {
            millrace_frame_csv(
              base, from, bytes.count, atEnd ? 1 : 0, delimiter, Self.quotedRecordLimit, &state,
              foundStarts, foundEnds, capacity, &consumed)
          } else {
            millrace_frame_lines(
              base, from, bytes.count, atEnd ? 1 : 0, &state, foundStarts, foundEnds, capacity,
              &consumed)
          }
        starts.append(contentsOf: UnsafeBufferPointer(start: foundStarts, count: count))
        ends.append(contentsOf: UnsafeBufferPointer(start: foundEnds, count: count))
        remaining -= count
        if count < capacity { break }
      }
    }
    return consumed
  }

  /// Forgets the unfinished record: the next scan starts at a record's first byte elsewhere.
  public mutating func reset() { state = millrace_frame_state() }
}
