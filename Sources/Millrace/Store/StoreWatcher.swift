internal import Dispatch
internal import Synchronization

/// Keeps a process serving what a store's alias points to: picks up a new version by itself.
///
/// A new version is loaded, verified and warmed before the exchange; one that is damaged is
/// refused and reported, and the one being served stays.
public final class StoreWatcher: Sendable {
  /// What the watcher has done.
  public enum Event: Sendable {
    /// Another version is served now.
    case exchanged(from: ModelVersion?, to: ModelVersion)
    /// The store does not give a version that can be served; told once, retried.
    case refused(MillraceError)
  }

  private struct State {
    /// The version that was refused last, and why.
    var refused: ModelVersion?
    var refusal: MillraceError?
    var nextTry = ContinuousClock.now
  }

  /// The served model, for readers.
  public let handle: ModelHandle
  private let store: ModelStore
  private let reference: String
  private let report: @Sendable (Event) -> Void
  private let state = Mutex(State())
  /// Not `Sendable` by declaration; touched by `init` and `deinit` only.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// How long a version that was refused is left alone, unless another takes its place.
  private static let retryInterval = Duration.seconds(5)

  /// Loads a model and keeps watching until the watcher goes.
  ///
  /// - Parameters:
  ///   - reference: `NAME` or `NAME@ALIAS`, as `ModelStore.resolve` reads it.
  ///   - interval: how often to look, in seconds; a look costs some ten microseconds.
  ///   - report: told of every exchange and refusal, on the watcher's own thread.
  /// - Throws: `store` when there is no version that can be served at the start.
  public init(
    store: ModelStore, reference: String, interval: Double = 0.25,
    report: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws(MillraceError) {
    self.store = store
    self.reference = reference
    self.report = report
    handle = ModelHandle(try ServedModel(store.resolve(reference), from: store))
    timer = DispatchSource.makeTimerSource(
      queue: DispatchQueue(label: "millrace.store-watcher", qos: .utility))
    timer.setEventHandler { [weak self] in self?.look() }
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.activate()
  }

  deinit { timer.cancel() }

  /// Looks now: serves the version that the store names if it is another.
  public func look() {
    let event = state.withLock { look(&$0) }
    handle.reclaim()
    if let event { report(event) }
  }

  private func look(_ state: inout State) -> Event? {
    do throws(MillraceError) {
      let previous = handle.served.version
      let version = try store.resolve(reference)
      guard version != previous else {
        state = State()
        return nil
      }
      guard version != state.refused || ContinuousClock.now >= state.nextTry else { return nil }
      state.refused = version
      state.nextTry = .now + Self.retryInterval
      handle.exchange(try ServedModel(version, from: store))
      state = State()
      return .exchanged(from: previous, to: version)
    } catch {
      guard error != state.refusal else { return nil }
      state.refusal = error
      return .refused(error)
    }
  }
}
