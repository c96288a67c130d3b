public import Synchronization

/// The model that is being served, exchanged while many threads read it.
///
/// Readers never wait and never see half a model: each keeps a reference of its own and takes the
/// new one only when the counter of exchanges has moved. An old model is freed by whoever
/// exchanges or reclaims, never by a reader.
public final class ModelHandle: Sendable {
  /// The number of exchanges so far.
  @usableFromInline let exchanges = Atomic<Int>(0)
  private let current: Mutex<ServedModel>
  /// Models that were exchanged and that readers may still hold.
  private let retired = Mutex<[ServedModel]>([])

  /// A handle that serves `model`.
  public init(_ model: ServedModel) { current = Mutex(model) }

  /// The model that is served now. For one look; what predicts again and again uses a `Reader`.
  public var served: ServedModel { current.withLock { $0 } }

  /// Serves `next` from now on: readers have it at their next `refresh`.
  public func exchange(_ next: ServedModel) {
    let old = current.withLock { current in
      exchanges.wrappingAdd(1, ordering: .releasing)
      return exchangeValue(&current, next)
    }
    retired.withLock { retired in
      // One that comes back again and again is kept once.
      if !retired.contains(where: { $0 === old }) { retired.append(old) }
    }
    reclaim()
  }

  /// Frees the exchanged models that no reader holds any more.
  ///
  /// - Returns: how many are still held.
  @discardableResult
  public func reclaim() -> Int {
    retired.withLock { retired in
      var index = 0
      while index < retired.count {
        // Nobody can take another reference: readers take theirs from `current` only.
        if isKnownUniquelyReferenced(&retired[index]) {
          retired.swapAt(index, retired.count - 1)
          retired.removeLast()
        } else {
          index += 1
        }
      }
      return retired.count
    }
  }

  /// A reader, for one thread or task.
  public func makeReader() -> Reader {
    let (served, seen) = current.withLock { ($0, exchanges.load(ordering: .relaxed)) }
    return Reader(handle: self, served: served, seen: seen)
  }

  /// The newest model with the exchange that brought it; `nil` while another thread is in here.
  @usableFromInline
  func takeCurrent() -> (served: ServedModel, exchange: Int)? {
    current.withLockIfAvailable { ($0, exchanges.load(ordering: .relaxed)) }
  }

  /// One thread's view of the served model.
  ///
  /// Call `refresh` once per request or micro-batch, then use `served`: one batch has one version.
  public struct Reader: Sendable {
    @usableFromInline let handle: ModelHandle
    /// The model as of the last `refresh`.
    public private(set) var served: ServedModel
    @usableFromInline var seen: Int

    init(handle: ModelHandle, served: ServedModel, seen: Int) {
      self.handle = handle
      self.served = served
      self.seen = seen
    }

    /// Takes the newest model if there was an exchange. Never waits: where another thread is just
    /// exchanging, the next call takes it. About a nanosecond when there was none.
    @inlinable
    public mutating func refresh() {
      if handle.exchanges.load(ordering: .acquiring) != seen { takeNewest() }
    }

    @usableFromInline
    mutating func takeNewest() {
      guard let newest = handle.takeCurrent() else { return }
      (served, seen) = newest
    }
  }
}

/// Puts `next` into `value` and returns what was there.
private func exchangeValue<Value>(_ value: inout Value, _ next: Value) -> Value {
  let old = value
  value = next
  return old
}
