/// Watches the learner's error for a lasting rise: `PageHinkley` on errors in units of their own
/// standard deviation, so that one setting serves every loss. Nothing is forgotten (α = 1): with
/// forgetting, the sum of a long stationary stream wanders away from its minimum and alarms.
struct ErrorWatch: Sendable {
  /// Rows over which mean and deviation are learnt before anything is tested.
  private let warmup: Int
  private var count = 0
  private var mean = 0.0
  private var squaredDistances = 0.0
  private var pageHinkley: PageHinkley

  /// A single error counts for at most this many standard deviations.
  private static let limit = 8.0

  init(_ settings: DriftSettings) {
    warmup = settings.reference
    pageHinkley = PageHinkley(
      tolerance: settings.errorTolerance, threshold: settings.errorThreshold, forgetting: 1,
      direction: .up)
  }

  /// Takes in an error; one that is not finite changes nothing.
  ///
  /// - Returns: whether it alarms.
  mutating func update(_ error: Double) -> Bool {
    guard error.isFinite else { return false }
    if count < warmup {
      count += 1
      let distance = error - mean
      mean += distance / Double(count)
      squaredDistances += distance * (error - mean)
      return false
    }
    guard squaredDistances > 0 else { return false }
    let z = (error - mean) / (squaredDistances / Double(count)).squareRoot()
    guard pageHinkley.update(max(-Self.limit, min(Self.limit, z))) else { return false }
    (count, mean, squaredDistances) = (0, 0, 0)
    return true
  }
}

// MARK: - Saving

extension ErrorWatch {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(count, as: "\(prefix)count")
    archive.set([mean, squaredDistances], as: "\(prefix)moments")
    pageHinkley.encode(into: &archive, prefix: "\(prefix)pageHinkley.")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    count = Int(try archive.integer("\(prefix)count", in: 0...Int64(warmup)))
    let moments = try archive.doubles("\(prefix)moments", count: 2)
    (mean, squaredDistances) = (moments[0], moments[1])
    try pageHinkley.decode(from: archive, prefix: "\(prefix)pageHinkley.")
  }
}
