internal import Dispatch
internal import Synchronization

/// The main job on a stream whose truth is known: a log that is being written is followed, the
/// drift found, a challenger trained, the better model swapped in, a report left to look at.
public struct Demonstration {
  /// What there is to see, in the order in which it happens.
  public enum Sight: Sendable {
    /// The stream is made; it drifts at this row.
    case stream(rows: Int, driftRow: Int, path: String)
    /// The run is over.
    case finished(RunResult, reportPath: String)
  }

  /// Where everything goes.
  public let directory: String
  /// The records of the stream, whose truth changes half-way.
  package var rows = 40_000
  /// How fast they are written.
  package var ratePerSecond = 8_000.0

  /// A demonstration in a directory, which is made where there is none.
  public init(directory: String) { self.directory = directory }

  /// Runs it; some ten seconds. What an earlier one left in the directory is replaced.
  ///
  /// - Parameters:
  ///   - progress: told how far the run is.
  ///   - show: told what there is to see; what it throws ends the run.
  /// - Throws: `configuration` where the directory has a log, a checkpoint or a model of the same
  ///   name that no demonstration left there; what its pipeline throws.
  public func run(
    shouldStop: @escaping @Sendable () -> Bool = { false }, progress: (Pipeline.Progress) -> Void,
    show: (Sight) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    let data = "\(directory)/stream.csv"
    let driftRow = rows / 2
    try Directory.create(directory)
    try removeLeftovers()
    try SyntheticStream(
      .logistic, rows: rows, features: 8, driftRows: [driftRow], noise: 0.02, seed: 2
    ).write(to: data)
    try show(.stream(rows: rows, driftRow: driftRow, path: data))

    // Made before it is followed: the feeder may come later.
    try Directory.create("\(directory)/events")
    let events = try LogAddress("\(directory)/events/", format: .jsonLines)
    let feeder = Feeder(data: data, to: events, ratePerSecond: ratePerSecond)
    defer { feeder.stop() }

    var settings = PipelineSettings()
    settings.retrain = .onDrift
    var sinks = RunSinks()
    sinks.predictions = try FileSink(
      LogAddress("\(directory)/predictions.jsonl", format: .jsonLines))
    sinks.driftEvents = try FileSink(LogAddress("\(directory)/drift.jsonl", format: .jsonLines))
    let pipeline = try Pipeline(
      job: .init(command: "demo", source: "\(directory)/events/", modelName: "demo"),
      settings: settings, inference: .init(label: SyntheticStream.label),
      source: FileLog(events, untilEnd: false), sinks: sinks,
      store: ModelStore(path: "\(directory)/models"),
      checkpoints: CheckpointStore(directory: "\(directory)/checkpoint"))
    let seen = Atomic(0)
    let result = try pipeline.run(
      shouldStop: {
        shouldStop() || feeder.failure != nil || seen.load(ordering: .relaxed) >= rows
      },
      progress: {
        seen.store($0.rows, ordering: .relaxed)
        progress($0)
      })
    if let failure = feeder.failure { throw failure }
    let reportPath = "\(directory)/report.html"
    try pipeline.writeReport(to: reportPath, command: ["millrace", "demo"])
    try show(.finished(result, reportPath: reportPath))
  }

  /// Removes what an earlier demonstration made, and nothing else.
  private func removeLeftovers() throws(MillraceError) {
    // Written before anything else: without it the rest is somebody's own.
    let isOurs = FileStatus(path: "\(directory)/stream.truth.json") != nil
    for leftover in ["events", "models/demo", "checkpoint"].map({ "\(directory)/\($0)" })
    where Directory.exists(leftover) {
      guard isOurs else {
        throw .setting(
          "directory", directory,
          expected: "a folder without '\(leftover)', which no demonstration left there")
      }
      try Directory.removeTree(leftover)
    }
  }
}

/// Replays a dataset on a thread of its own, as another program would write the log.
private final class Feeder: Sendable {
  private struct State {
    var isStopped = false
    var failure: MillraceError?
  }

  private let state = Mutex(State())
  private let finished = DispatchSemaphore(value: 0)

  init(data: String, to log: LogAddress, ratePerSecond: Double) {
    DispatchQueue(label: "millrace.feeder").async {
      defer { self.finished.signal() }
      do throws(MillraceError) {
        var replay = Replay()
        replay.rate = ratePerSecond
        _ = try replay.run(from: LogAddress(data), to: log, isStopped: { self.isStopped })
      } catch {
        self.state.withLock { $0.failure = error }
      }
    }
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Why it ended before the end of the data.
  var failure: MillraceError? { state.withLock { $0.failure } }

  /// Ends the replay and waits for it.
  func stop() {
    state.withLock { $0.isStopped = true }
    finished.wait()
  }
}
