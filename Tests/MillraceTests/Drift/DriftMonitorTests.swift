import Glibc
import Millrace
import Testing

/// Standard normal numbers by the seed.
private struct Normals {
  var state: UInt64

  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let u = (Double(state >> 11) + 0.5) * 0x1p-53
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let v = Double(state >> 11) * 0x1p-53
    return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
  }
}

/// A stream of normal columns with coin-flip labels, whose predictions and losses say nothing.
private struct Stream {
  let columns: Int
  var normals: Normals
  var row = 0
  /// Changes a value of a row and column; and the loss of a row.
  var change: (_ row: Int, _ column: Int, _ value: Double) -> Double = { $2 }
  var loss: (_ row: Int, _ value: Double) -> Double = { $1 }

  init(columns: Int, seed: UInt64) {
    self.columns = columns
    normals = Normals(state: seed)
  }

  /// Feeds the next `count` rows in micro-batches of `batch`.
  mutating func feed(_ monitor: inout DriftMonitor, count: Int, batch: Int = 256) -> [DriftCheck] {
    var checks: [DriftCheck] = []
    var left = count
    while left > 0 {
      let size = min(batch, left)
      var (features, labels): ([Float], [Double]) = ([], [])
      var (predictions, losses): ([Double], [Double]) = ([], [])
      for _ in 0..<size {
        for column in 0..<columns { features.append(Float(change(row, column, normals.next()))) }
        labels.append(normals.next() > 0 ? 1 : 0)
        predictions.append(0.5 + 0.1 * tanh(normals.next()))
        losses += [loss(row, 0.7 + 0.1 * normals.next()), 0, 0]
        row += 1
      }
      predictions.withUnsafeMutableBufferPointer { predictions in
        guard let base = predictions.baseAddress else { return }
        checks += monitor.observe(
          features, labels: labels,
          predictions: PredictionRows(base: base, count: size, width: 1), losses: losses)
      }
      left -= size
    }
    return checks
  }
}

private func makeMonitor(
  columns: Int, _ settings: DriftSettings = DriftSettings()
) -> DriftMonitor {
  DriftMonitor(settings: settings, task: .binary, featureNames: (0..<columns).map { "x\($0)" })
}

private func bytes(_ monitor: DriftMonitor) -> [UInt8] {
  var archive = TensorArchive()
  monitor.encode(into: &archive, prefix: "drift.")
  return archive.encoded()
}

@Suite struct `Drift monitor` {
  @Test func `a shift of half a deviation is caught within a window, once`() throws {
    var stream = Stream(columns: 6, seed: 3)
    stream.change = { row, column, value in row >= 20_000 && column == 4 ? value + 0.5 : value }
    var monitor = makeMonitor(columns: 6)
    let alarms = stream.feed(&monitor, count: 40_000).flatMap(\.alarms)
    #expect(alarms.map(\.feature) == ["x4"] && alarms.map(\.kind) == [.distribution])
    let alarm = try #require(alarms.first)
    #expect(20_000..<21_100 ~= alarm.atRow && alarm.pValue ?? 1 < 1e-6)
    #expect(monitor.firstAlarmRows[4] == alarm.atRow)
    // What it reports is what it saw when it alarmed.
    let drift = monitor.featureDrift()
    #expect(drift.map(\.drifted) == [false, false, false, false, true, false, false, false])
    #expect(drift[4].statistic == alarm.ks && drift[4].stabilityIndex == alarm.psi)
    let functions = try #require(drift[4].distributions)
    let gap = try #require(functions.gapIndex)
    #expect(functions.values.count <= 60)
    #expect(isClose((functions.reference[gap] - functions.current[gap]).magnitude, alarm.ks ?? 0))
  }

  @Test func `twenty stationary columns raise no alarm`() {
    var stream = Stream(columns: 20, seed: 5)
    var monitor = makeMonitor(columns: 20)
    let checks = stream.feed(&monitor, count: 200_000)
    #expect(checks.flatMap(\.alarms).isEmpty)
    #expect(checks.count == 200_000 / 256 && checks[10].statistics.count == 22)
    #expect(checks[10].statistics[..<20].allSatisfy { 0.001..<0.14 ~= $0 })
  }

  @Test func `values that go missing alarm as such`() {
    var stream = Stream(columns: 2, seed: 7)
    stream.change = { row, column, value in
      row >= 6_000 && column == 1 && row % 3 == 0 ? .nan : value
    }
    var monitor = makeMonitor(columns: 2)
    let alarms = stream.feed(&monitor, count: 9_000).flatMap(\.alarms)
    #expect(alarms.map(\.feature) == ["x1"] && alarms.map(\.kind) == [.missing])
  }

  @Test func `a rise of the error alarms, a fall does not`() {
    var stream = Stream(columns: 1, seed: 9)
    stream.loss = { row, value in
      row < 5_000 ? value : row < 20_000 ? value - 0.05 : value + 0.1
    }
    var monitor = makeMonitor(columns: 1)
    let alarms = stream.feed(&monitor, count: 22_000).flatMap(\.alarms)
    #expect(alarms.map(\.feature) == [DriftAlarm.error] && alarms.map(\.kind) == [.error])
    #expect(20_000..<20_300 ~= alarms.first?.atRow ?? 0)
  }

  @Test(arguments: [1, 37, 1_000])
  func `any micro-batches give the same checks and the same state`(batch: Int) {
    func run(_ batch: Int) -> ([DriftCheck], DriftMonitor) {
      var stream = Stream(columns: 70, seed: 11)
      stream.change = { row, _, value in row >= 5_000 ? value + 2 : value }
      stream.loss = { row, value in row == 3_000 ? .nan : row > 6_000 ? 2 * value : value }
      var settings = DriftSettings()
      (settings.reference, settings.window) = (200, 100)
      var monitor = makeMonitor(columns: 70, settings)
      return (stream.feed(&monitor, count: 8_000, batch: batch), monitor)
    }
    // 72 watched columns: every second row is watched.
    let (checks, monitor) = run(256)
    let (otherChecks, otherMonitor) = run(batch)
    #expect(checks.map(\.atRow) == otherChecks.map(\.atRow))
    #expect(checks.map(\.alarms) == otherChecks.map(\.alarms))
    #expect(checks.flatMap(\.alarms).count > 70)
    #expect(bytes(monitor) == bytes(otherMonitor))
  }

  @Test func `what is saved in mid-stream goes on as if it had not been`() throws {
    var settings = DriftSettings()
    (settings.reference, settings.window) = (300, 200)
    var stream = Stream(columns: 3, seed: 13)
    stream.change = { row, column, value in
      column == 0 && row >= 2_000 ? value + 2 : column == 1 && row % 5 == 0 ? .nan : value
    }
    stream.loss = { row, value in row >= 4_000 ? value + 1 : value }
    // While the reference is collected, while the window fills, and after an alarm.
    for rows in [100, 420, 2_300, 4_020] {
      var (whole, halves) = (makeMonitor(columns: 3, settings), makeMonitor(columns: 3, settings))
      var (first, second) = (stream, stream)
      let checks = first.feed(&whole, count: 6_000)
      var resumed = second.feed(&halves, count: rows)
      var restored = makeMonitor(columns: 3, settings)
      try restored.decode(from: try TensorArchive(decoding: bytes(halves)), prefix: "drift.")
      #expect(bytes(restored) == bytes(halves))
      resumed += second.feed(&restored, count: 6_000 - rows)
      #expect(bytes(restored) == bytes(whole) && resumed.map(\.alarms) == checks.map(\.alarms))
      #expect(checks.flatMap(\.alarms).map(\.feature) == ["x0", DriftAlarm.error])
    }
  }

  @Test func `a damaged archive is refused`() throws {
    var stream = Stream(columns: 1, seed: 15)
    var monitor = makeMonitor(columns: 1)
    _ = stream.feed(&monitor, count: 3_000)
    var archive = TensorArchive()
    monitor.encode(into: &archive, prefix: "")
    for (name, bytes) in [
      ("column0.window.ring", [UInt8](repeating: 255, count: 4_000)),
      ("column0.window.ring", [1, 2, 3]), ("column0.window.reference", []),
    ] {
      var damaged = archive
      damaged.set(bytes, as: name)
      #expect(throws: MillraceError.self) { try monitor.decode(from: damaged, prefix: "") }
    }
  }

  @Test func `settings outside what is allowed are refused by name`() {
    func error(_ change: (inout DriftSettings) -> Void) -> String? {
      var settings = DriftSettings()
      change(&settings)
      do throws(MillraceError) { try settings.validate() } catch { return error.message }
      return nil
    }
    #expect(error { _ in } == nil)
    #expect(error { $0.window = 3 } == "window is \"3\"; expected 20 to 1000000 rows")
    #expect(error { $0.alpha = 2 }?.hasPrefix("alpha is \"2.0\"") ?? false)
    #expect(error { $0.tolerance = -1 }?.hasPrefix("tolerance") ?? false)
  }
}
