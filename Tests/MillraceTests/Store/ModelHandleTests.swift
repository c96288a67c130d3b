import Dispatch
import Foundation
import Millrace
import Synchronization
import Testing

/// A model of version `number` that shows in three places which one it is.
private func numbered(_ number: Int) throws -> ServedModel {
  let columns = (0...number % 7).map { Schema.Column(name: "x\($0)", kind: .numeric) }
  var settings = LearnerSettings()
  settings.learner = .filter
  return try ServedModel(
    Model(
      schema: Schema(task: .regression, columns: columns, label: "v\(number)"),
      settings: settings),
    version: ModelVersion(name: "m", version: number))
}

/// The number of a model whose three places agree; `nil` for one that is torn.
private func number(of served: ServedModel) -> Int? {
  guard let number = served.version?.version, served.model.schema.label == "v\(number)",
    served.model.columnCount == number % 7 + 1
  else { return nil }
  return number
}

@Suite struct `Model handle` {
  @Test func `readers on all cores see whole models, each newer than the last`() throws {
    let swaps = 5_000
    let models = try (0...swaps).map(numbered)
    let handle = ModelHandle(models[0])
    let observations = Mutex<[Observation]>([])
    let running = DispatchGroup()
    let readers = ProcessInfo.processInfo.activeProcessorCount + 1
    for _ in 0..<readers {
      running.enter()
      Thread.detachNewThread {
        let observation = Observation(of: handle, until: swaps)
        observations.withLock { $0.append(observation) }
        running.leave()
      }
    }
    for (index, model) in models.dropFirst().enumerated() {
      handle.exchange(model)
      // On a busy machine every yield may cost a time slice.
      if index % 16 == 0 { sched_yield() }
    }
    running.wait()

    let all = observations.withLock(\.self)
    #expect(all.allSatisfy { $0.torn == 0 && $0.backwards == 0 && $0.last == swaps })
    #expect(all.reduce(into: Set()) { $0.formUnion($1.seen) }.count > 10)
    #expect(handle.reclaim() == 0)
  }

  /// What one reader saw until it had the last model, or for five minutes in vain.
  private struct Observation {
    var torn = 0
    var backwards = 0
    var last = -1
    var seen: Set<Int> = []

    init(of handle: ModelHandle, until end: Int) {
      var reader = handle.makeReader()
      let row = [Float](repeating: 1, count: 7)
      var answer = [0.0, 0, 0]
      let deadline = ContinuousClock.now + .seconds(300)
      while last < end, ContinuousClock.now < deadline {
        reader.refresh()
        let model = reader.served.model
        answer.withUnsafeMutableBufferPointer { answer in
          guard let base = answer.baseAddress else { return }
          model.predict(row, into: PredictionRows(base: base, count: 1, width: model.outputWidth))
        }
        guard let number = number(of: reader.served), answer.allSatisfy(\.isFinite) else {
          torn += 1
          continue
        }
        if number < last { backwards += 1 }
        last = number
        seen.insert(number)
      }
    }
  }

  @Test func `an old model is freed by the publisher once no reader holds it`() throws {
    weak var first: ServedModel?
    let handle: ModelHandle
    do {
      let model = try numbered(1)
      first = model
      handle = ModelHandle(model)
    }
    var reader = handle.makeReader()
    handle.exchange(try numbered(2))
    #expect(number(of: reader.served) == 1)  // its own until it asks
    #expect(handle.reclaim() == 1 && first != nil)
    reader.refresh()
    #expect(number(of: reader.served) == 2)
    #expect(first != nil)  // the reader did not free it
    #expect(handle.reclaim() == 0 && first == nil)
    reader.refresh()
    #expect(number(of: reader.served) == 2 && handle.served === reader.served)
  }

  @Test func `models that take turns are kept once each`() throws {
    let models = [try numbered(1), try numbered(2)]
    let handle = ModelHandle(models[0])
    for turn in 1...100 { handle.exchange(models[turn % 2]) }
    withExtendedLifetime(models) { #expect(handle.reclaim() == 2) }
  }
}

@Suite struct `Store watcher` {
  private func publish(_ store: ModelStore, promoting: Bool = true) throws -> ModelVersion {
    let version = try store.publish(
      numbered(3).model, metrics: [:], lineage: .init(source: "test", reason: "batch"), as: "elec")
    if promoting { try store.promote(version) }
    return version
  }

  /// Waits up to five seconds for the watcher's own thread.
  private func waits(for condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      if condition() { return true }
      usleep(2_000)
    }
    return condition()
  }

  private final class Events: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock(\.self) }

    func add(_ event: StoreWatcher.Event) {
      let line =
        switch event {
        case .exchanged(let from, let to): "\(from?.version ?? 0) to \(to.version)"
        case .refused(let error): error.message
        }
      lines.withLock { $0.append(line) }
    }
  }

  @Test func `a new champion is served by itself, and a rollback`() throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: directory)
      _ = try publish(store)
      let events = Events()
      let watcher = try StoreWatcher(
        store: ModelStore(path: directory), reference: "elec", interval: 0.02, report: events.add)
      var reader = watcher.handle.makeReader()
      func serves(_ version: Int) -> Bool {
        reader.refresh()
        return reader.served.version?.version == version
      }
      #expect(serves(1))
      _ = try publish(store, promoting: false)
      _ = try publish(store)
      #expect(waits { serves(3) })
      _ = try store.rollback("elec")
      #expect(waits { serves(1) })
      #expect(waits { events.all == ["1 to 3", "3 to 1"] })
    }
  }

  @Test func `a damaged version is refused and the old one stays`() throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: directory)
      _ = try publish(store)
      let events = Events()
      // The test itself says when to look.
      let watcher = try StoreWatcher(
        store: store, reference: "elec@champion", interval: 3_600, report: events.add)
      let second = try publish(store)
      let file = "\(store.path(of: second))/model.safetensors"
      let bytes = try DurableFile.read(file)
      try DurableFile.write(bytes.dropLast() + [bytes[bytes.count - 1] ^ 1], to: file)
      for _ in 0..<3 { watcher.look() }
      #expect(watcher.handle.served.version?.version == 1)
      #expect(events.all.count == 1)
      #expect(events.all[0].hasPrefix("version elec@2 in '\(directory)' is damaged or partial"))

      try DurableFile.write(Array("nonsense".utf8), to: "\(directory)/elec/champion")
      watcher.look()
      #expect(watcher.handle.served.version?.version == 1)
      #expect(events.all.count == 2 && events.all[1].contains("champion' is damaged"))

      try DurableFile.write(Array("1\n".utf8), to: "\(directory)/elec/champion")
      _ = try publish(store)
      watcher.look()
      #expect(watcher.handle.served.version?.version == 3)
      #expect(events.all.last == "1 to 3")
    }
  }

  @Test func `there must be something to serve at the start`() throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: directory)
      #expect(
        errorMessage(.store) { try StoreWatcher(store: store, reference: "elec") }
          == "there is no model 'elec' in '\(directory)'; the store is empty")
    }
  }

  @Test func `a model with numbers that are not finite is not served`() throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: directory)
      let good = try publish(store)
      var archive = try store.load(good).archive
      let name = try #require(archive.names.first { $0.hasPrefix("scaler.means") })
      archive.set([Double](repeating: .nan, count: 4), as: name)
      let bad = try store.publish(
        archive, manifest: store.manifest(of: good), as: "elec")
      #expect(
        errorMessage(.store) { try ServedModel(bad, from: store) }
          == "version elec@2 holds numbers that are not finite")
    }
  }
}
