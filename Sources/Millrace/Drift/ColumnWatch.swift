/// One watched column. It collects a reference sample, then compares the latest values with it;
/// after an alarm it collects a new reference from the rows that follow.
struct ColumnWatch: Sendable {
  /// Values of the reference that is being collected.
  private var collected: [Float] = []
  /// The comparison, once there is a reference.
  private(set) var window: SlidingWindow?
  /// The comparison as it was at the alarm with the largest D, for the report.
  private(set) var worst: SlidingWindow?

  /// Takes in the values at `values[i * stride]`; `scratch` has room for `count` slots.
  mutating func append(
    _ values: UnsafePointer<Float>, count: Int, stride: Int, settings: DriftSettings,
    scratch: UnsafeMutablePointer<UInt32>
  ) {
    var first = 0
    if window == nil {
      first = min(count, settings.reference - collected.count)
      for row in 0..<first { collected.append(values[row * stride]) }
      guard collected.count == settings.reference else { return }
      window = SlidingWindow(reference: ReferenceSample(collected), capacity: settings.window)
      collected = []
    }
    guard first < count else { return }
    window?.append(
      values + first * stride, count: count - first, stride: stride, scratch: scratch)
  }

  /// Begins anew after an alarm.
  mutating func restart() {
    if window?.statistic ?? 0 >= worst?.statistic ?? 0 { worst = window }
    window = nil
  }

  /// Whether the window is full, so that it can be compared.
  var isReady: Bool { window?.isFull ?? false }
}

// MARK: - Saving

extension ColumnWatch {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(collected, as: "\(prefix)collected")
    window?.encode(into: &archive, prefix: "\(prefix)window.")
    worst?.encode(into: &archive, prefix: "\(prefix)worst.")
  }

  init(
    decoding archive: TensorArchive, prefix: String, settings: DriftSettings
  ) throws(MillraceError) {
    collected = try archive.floats("\(prefix)collected")
    guard collected.count < settings.reference else {
      throw MillraceError(
        .store, "tensor '\(prefix)collected' is too large for a reference of \(settings.reference)")
    }
    func decoded(_ prefix: String) throws(MillraceError) -> SlidingWindow? {
      guard archive.contains("\(prefix)ring") else { return nil }
      return try SlidingWindow(decoding: archive, prefix: prefix, capacity: settings.window)
    }
    window = try decoded("\(prefix)window.")
    worst = try decoded("\(prefix)worst.")
  }
}
