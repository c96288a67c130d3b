/// The Page-Hinkley test: alarms when the mean of a stream has risen or fallen (Page 1954).
///
/// S⁺ ← αS⁺ + x − x̄ − δ, where the mean x̄ includes x; an alarm when S⁺ exceeds its minimum by λ; and
/// its mirror for a fall. Agrees with River's `drift.PageHinkley`. Starts anew after an alarm.
public struct PageHinkley: Sendable, Equatable {
  /// Which changes of the mean alarm.
  public enum Direction: String, Codable, Sendable {
    /// Both.
    case both
    /// A rise.
    case up
    /// A fall.
    case down
  }

  /// Values before the first alarm (30).
  public let minimumCount: Int
  /// The change per value that is tolerated, δ (0.005).
  public let tolerance: Double
  /// The accumulated change that alarms, λ (50).
  public let threshold: Double
  /// How slowly the accumulated change is forgotten, α (0.9999).
  public let forgetting: Double
  /// Which changes alarm.
  public let direction: Direction

  /// Values since the start or the last alarm.
  public private(set) var count = 0
  /// Values that were not finite; they change nothing else.
  public private(set) var quarantined = 0
  private var mean = 0.0
  private var (rise, lowestRise) = (0.0, 0.0)
  private var (fall, highestFall) = (0.0, 0.0)

  /// A test that has seen nothing.
  public init(
    minimumCount: Int = 30, tolerance: Double = 0.005, threshold: Double = 50,
    forgetting: Double = 0.9999, direction: Direction = .both
  ) {
    self.minimumCount = minimumCount
    self.tolerance = tolerance
    self.threshold = threshold
    self.forgetting = forgetting
    self.direction = direction
  }

  /// Takes in a value.
  ///
  /// - Returns: whether it alarms.
  public mutating func update(_ x: Double) -> Bool {
    guard x.isFinite else {
      quarantined += 1
      return false
    }
    count += 1
    mean += (x - mean) / Double(count)
    rise = forgetting * rise + (x - mean - tolerance)
    fall = forgetting * fall + (x - mean + tolerance)
    if count == 1 { (lowestRise, highestFall) = (rise, fall) }
    lowestRise = min(lowestRise, rise)
    highestFall = max(highestFall, fall)
    let hasRisen = direction != .down && rise - lowestRise > threshold
    let hasFallen = direction != .up && highestFall - fall > threshold
    guard count >= minimumCount, hasRisen || hasFallen else { return false }
    reset()
    return true
  }

  /// Forgets everything but the count of quarantined values.
  public mutating func reset() {
    count = 0
    mean = 0
    (rise, lowestRise) = (0, 0)
    (fall, highestFall) = (0, 0)
  }
}

extension PageHinkley {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set([count, quarantined], as: "\(prefix)counts")
    archive.set([mean, rise, lowestRise, fall, highestFall], as: "\(prefix)sums")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    let counts = try archive.integers("\(prefix)counts", count: 2)
    let sums = try archive.doubles("\(prefix)sums", count: 5)
    (count, quarantined) = (Int(counts[0]), Int(counts[1]))
    mean = sums[0]
    (rise, lowestRise) = (sums[1], sums[2])
    (fall, highestFall) = (sums[3], sums[4])
  }
}
