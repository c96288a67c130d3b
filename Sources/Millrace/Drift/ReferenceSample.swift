internal import CMillraceKernels

/// A fixed sample, sorted once, against which a stream is compared without sorting it.
///
/// All that the Kolmogorov-Smirnov statistic needs of a new value is its place among the k distinct
/// reference values: equal to one of them, or in one of the gaps around them. These 2k + 1 *slots*
/// are numbered in ascending order; a slot is `lower_bound + upper_bound`, so odd ones are equal to
/// a value. One more slot is for missing values.
public struct ReferenceSample: Sendable {
  /// The sample in ascending order, without missing values.
  public let sorted: [Float]
  /// Values that were missing.
  public let missingCount: Int
  /// The distinct values in ascending order.
  public let distinct: [Float]
  /// The last slot of each bin of a histogram (see `init`); the last bin ends with slot 2k.
  public let binEnds: [Int]
  /// How many of the sample lie below each distinct value; then the size of the sample.
  let cumulative: [Double]
  /// The distinct values, then NaN, up to a power of two.
  private let searchable: [Float]

  /// Sorts a sample; O(n log n).
  ///
  /// - Parameters:
  ///   - values: the sample; NaN is missing.
  ///   - binCount: bins of the histogram, each with as equal a share of the sample as its values
  ///     allow: a value that takes a bin's share or more has a bin of its own. The outer bins are
  ///     open, so that no outlier stretches them.
  public init(_ values: some Sequence<Float>, binCount: Int = 10) {
    var present: [Float] = []
    var missing = 0
    for value in values {
      if value.isNaN { missing += 1 } else { present.append(value) }
    }
    self.init(sorted: present.sorted(), missingCount: missing, binCount: binCount)
  }

  init(sorted: [Float], missingCount: Int, binCount: Int = 10) {
    var distinct: [Float] = []
    var cumulative: [Double] = []
    for (index, value) in sorted.enumerated() where value != distinct.last {
      distinct.append(value)
      cumulative.append(Double(index))
    }
    cumulative.append(Double(sorted.count))
    var length = 1
    while length <= distinct.count { length *= 2 }
    searchable = distinct + repeatElement(.nan, count: length - distinct.count)
    binEnds = Self.binEnds(cumulative: cumulative, binCount: binCount)
    self.sorted = sorted
    self.missingCount = missingCount
    self.distinct = distinct
    self.cumulative = cumulative
  }

  private static func binEnds(cumulative: [Double], binCount: Int) -> [Int] {
    let valueCount = cumulative.count - 1
    let share = cumulative[valueCount] / Double(max(1, binCount))
    var ends: [Int] = []
    var start = 0.0
    for index in 0..<valueCount {
      let isHeavy = cumulative[index + 1] - cumulative[index] >= max(2, share)
      if isHeavy { ends.append(2 * index) }
      let isFull = cumulative[index + 1] - start >= share && index + 1 < valueCount
      if isHeavy || isFull {
        ends.append(2 * index + 1)
        start = cumulative[index + 1]
      }
    }
    return ends + [2 * valueCount]
  }

  /// The size of the sample without missing values.
  public var count: Int { sorted.count }

  /// The slot of missing values, the highest of all.
  public var missingSlot: Int { 2 * distinct.count + 1 }

  /// The slot of a value; O(log k).
  public func slot(of value: Float) -> Int {
    var slot: UInt32 = 0
    withUnsafePointer(to: value) { slots(of: $0, count: 1, stride: 1, into: &slot) }
    return Int(slot)
  }

  /// The slots of the values at `values[i * stride]`, found together: some nanoseconds each.
  func slots(
    of values: UnsafePointer<Float>, count: Int, stride: Int,
    into slots: UnsafeMutablePointer<UInt32>
  ) {
    millrace_slots(
      values, count, stride, searchable, searchable.count, UInt32(missingSlot), slots)
  }
}

/// How often a stream, or the latest part of it, fell into each slot of a reference sample.
///
/// Counts of parts of a stream add up, and what leaves a window is taken away again.
public struct SlotCounter: Sendable, Equatable {
  /// Per slot, missing values last.
  public internal(set) var counts: [UInt32]

  /// Counts of nothing.
  public init(_ reference: ReferenceSample) {
    counts = Array(repeating: 0, count: reference.missingSlot + 1)
  }

  /// Counts a value of the stream.
  public mutating func add(slot: Int) { counts[slot] += 1 }

  /// Takes back a value that was counted.
  public mutating func remove(slot: Int) { counts[slot] -= 1 }

  /// Adds what was counted elsewhere against the same reference.
  public mutating func merge(_ other: SlotCounter) {
    for slot in counts.indices { counts[slot] += other.counts[slot] }
  }

  /// Values that were missing.
  public var missingCount: Int { Int(counts[counts.count - 1]) }

  /// Values that were not missing.
  public var count: Int { Int(counts.dropLast().reduce(0, &+)) }
}

extension ReferenceSample {
  /// The Kolmogorov-Smirnov statistic of the sample and what was counted, times the product of their
  /// sizes: exact, ties and infinities included. O(k).
  public func distance(to counter: SlotCounter) -> Int {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * distinct.count + 1) { scratch in
      guard let scratch = scratch.baseAddress else { return 0 }
      return Int(
        millrace_slot_distance(
          counter.counts, cumulative, distinct.count, Double(count), Double(counter.count),
          scratch))
    }
  }

  /// Both histograms over the sample's bins, with a bin for missing values last.
  public func histograms(_ counter: SlotCounter) -> (reference: [Int], current: [Int]) {
    var (reference, current): ([Int], [Int]) = ([], [])
    var start = 0
    for end in binEnds {
      // Of the sample itself, the values in slots up to `end` are those below value (end + 1)/2.
      reference.append(Int(cumulative[(end + 1) / 2] - cumulative[start / 2]))
      current.append(Int(counter.counts[start...end].reduce(0, &+)))
      start = end + 1
    }
    return (reference + [missingCount], current + [counter.missingCount])
  }

  /// The population stability index of the sample and what was counted.
  public func stabilityIndex(
    _ counter: SlotCounter, emptyBins: PopulationStabilityIndex.EmptyBins = .addHalf
  ) -> PopulationStabilityIndex {
    let (reference, current) = histograms(counter)
    return PopulationStabilityIndex(reference: reference, current: current, emptyBins: emptyBins)
  }
}
