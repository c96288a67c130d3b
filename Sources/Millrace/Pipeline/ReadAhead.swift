internal import Dispatch
internal import Synchronization

/// Reads and decodes on a thread of its own, up to two micro-batches ahead of who learns.
///
/// The queue is bounded and its buffers go back and forth: nothing is allocated once it runs, and
/// a slow learner slows the reader down.
///
/// `@unchecked Sendable`: `reader` is used by the reading thread alone from `init` until it has
/// finished; everything shared lies behind the mutex.
final class ReadAhead: @unchecked Sendable {
  private let reader: RecordReader
  private let shared = Mutex(Shared())
  private let filled = DispatchSemaphore(value: 0)
  private let free: DispatchSemaphore
  private let finished = DispatchSemaphore(value: 0)

  private struct Shared {
    var batches: [DecodedBatch] = []
    var spare: [DecodedBatch] = []
    var end: Result<Void, MillraceError>?
    var isStopped = false
  }

  /// Starts to read.
  ///
  /// - Parameter buffers: micro-batches in flight; with 1, reading and learning take turns.
  init(_ reader: RecordReader, buffers: Int) {
    self.reader = reader
    // Counted up from 0: a semaphore must not be destroyed below the value it was made with.
    free = DispatchSemaphore(value: 0)
    for _ in 0..<buffers { free.signal() }
    DispatchQueue(label: "millrace.reader", qos: .userInitiated).async { self.read() }
  }

  private func read() {
    defer { finished.signal() }
    while true {
      free.wait()
      guard
        var batch = shared.withLock({ $0.isStopped ? nil : $0.spare.popLast() ?? DecodedBatch() })
      else { return }
      do throws(MillraceError) {
        while try reader.next(into: &batch) {
          if batch.records.count > 0 { break }
          if shared.withLock({ $0.isStopped }) { return }
        }
        if batch.records.count == 0 {
          shared.withLock { $0.end = .success(()) }
          filled.signal()
          return
        }
        shared.withLock { $0.batches.append(batch) }
        filled.signal()
      } catch {
        shared.withLock { $0.end = .failure(error) }
        filled.signal()
        return
      }
    }
  }

  /// What there is to do next.
  enum Next {
    /// A micro-batch with at least one record; give it back with `recycle`.
    case batch(DecodedBatch)
    /// Nothing came in time.
    case idle
    /// Every partition has ended.
    case end
  }

  /// Waits up to so many milliseconds for the next micro-batch.
  ///
  /// - Throws: what the reader threw, after everything it read before.
  func next(milliseconds: Int) throws(MillraceError) -> Next {
    guard filled.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else {
      return .idle
    }
    let (batch, end) = shared.withLock { shared in
      (shared.batches.isEmpty ? nil : shared.batches.removeFirst(), shared.end)
    }
    if let batch { return .batch(batch) }
    filled.signal()  // The end stays the end.
    try end?.get()
    return .end
  }

  /// Gives a micro-batch's memory back to the reader, which is its one owner before it is woken: what
  /// is shared would be copied when it is written.
  func recycle(_ batch: consuming DecodedBatch) {
    var batch = Optional(batch)
    shared.withLock { shared in
      if let batch = exchange(&batch, with: nil) { shared.spare.append(batch) }
    }
    free.signal()
  }

  /// Stops reading and waits until the thread has let go of the source.
  func stop() {
    shared.withLock { $0.isStopped = true }
    free.signal()
    finished.wait()
    finished.signal()
  }
}
