/// In which order the records of several partitions are taken: in turns of `turnRecords` records,
/// the partition that is furthest behind first.
///
/// What is learnt never depends on this order (state belongs to a partition); where outputs of
/// several partitions share a file, and which records a version has seen, does. So the order is a
/// function of the logs as long as each partition has its records in time: a partition whose turn
/// it is holds the others up for at most `patience` (Kafka Streams' `max.task.idle.ms`); then all
/// that is ready is taken.
struct TurnOrder {
  static let turnRecords = 256

  /// Records taken so far, per partition.
  private(set) var taken: [Int: Int]
  private let patience: Duration
  private var blockedSince: ContinuousClock.Instant?

  init(taken: [Int: Int] = [:], patience: Duration) {
    self.taken = taken
    self.patience = patience
  }

  /// What to poll next.
  struct Turn {
    var partition: Int
    var maxRecords: Int
    /// Whether to wait for records: otherwise an empty partition is passed over.
    var waits: Bool
  }

  /// The turns to try, in order, until one has records.
  mutating func next(among partitions: [Int], maxRecords: Int) -> [Turn] {
    guard let first = partitions.first else { return [] }
    if partitions.count == 1 {
      return [Turn(partition: first, maxRecords: maxRecords, waits: true)]
    }
    let ordered = partitions.sorted {
      (taken[$0, default: 0] / Self.turnRecords, $0) < (
        taken[$1, default: 0] / Self.turnRecords, $1
      )
    }
    let isOverdue = blockedSince.map { $0.duration(to: .now) > patience } ?? false
    var turns = ordered.prefix(isOverdue ? ordered.count : 1).map { partition in
      let rest = Self.turnRecords - taken[partition, default: 0] % Self.turnRecords
      return Turn(partition: partition, maxRecords: min(rest, maxRecords), waits: false)
    }
    if let last = turns.indices.last { turns[last].waits = true }
    return turns
  }

  /// Says what came of a turn.
  mutating func note(_ count: Int, partition: Int, isFirst: Bool) {
    let before = taken[partition, default: 0]
    taken[partition] = before + count
    if count == 0 {
      blockedSince = blockedSince ?? .now
    } else if isFirst, (before + count) % Self.turnRecords == 0 {
      blockedSince = nil
    }
  }

  /// Says that no partition had records: nobody is being held up.
  mutating func nobodyIsReady() { blockedSince = nil }
}
