internal import CMillraceKernels

/// The latest values of a stream compared with a reference sample: the window keeps slot numbers
/// and a count per slot, nothing is sorted.
struct SlidingWindow: Sendable {
  let reference: ReferenceSample
  let capacity: Int
  private(set) var counter: SlotCounter
  /// The slots of the latest values; once the ring is full, the oldest gives way.
  private var ring: [UInt32] = []
  /// Where in the full ring the next slot goes.
  private var next = 0

  init(reference: ReferenceSample, capacity: Int) {
    self.reference = reference
    self.capacity = capacity
    counter = SlotCounter(reference)
  }

  /// Whether it holds as many values as it can.
  var isFull: Bool { ring.count == capacity }

  /// Values in the window that are not missing.
  var count: Int { ring.count - counter.missingCount }

  /// Takes in the values at `values[i * stride]`; `scratch` has room for `count` slots.
  mutating func append(
    _ values: UnsafePointer<Float>, count: Int, stride: Int,
    scratch: UnsafeMutablePointer<UInt32>
  ) {
    reference.slots(of: values, count: count, stride: stride, into: scratch)
    append(UnsafeBufferPointer(start: scratch, count: count))
  }

  private mutating func append(_ slots: UnsafeBufferPointer<UInt32>) {
    let filling = min(slots.count, capacity - ring.count)
    for slot in slots.prefix(filling) {
      ring.append(slot)
      counter.add(slot: Int(slot))
    }
    let sliding = slots.count - filling
    guard sliding > 0, let start = slots.baseAddress else { return }
    millrace_slide(&ring, capacity, next, start + filling, sliding, &counter.counts)
    next = (next + sliding) % capacity
  }

  /// D of the window and the reference; `nil` when either has no value.
  var statistic: Double? {
    guard count > 0, reference.count > 0 else { return nil }
    return Double(reference.distance(to: counter)) / (Double(reference.count) * Double(count))
  }

  /// The test of the values, as if none were tied (which is safe: p can only be too large).
  var test: KolmogorovSmirnovTest {
    KolmogorovSmirnovTest(
      n: reference.count, m: count, distance: reference.distance(to: counter))
  }

  /// The difference of the shares of missing values, which is D of "is it missing?".
  var missingDifference: Double {
    (missingShares.reference - missingShares.current).magnitude
  }

  /// The shares of missing values.
  var missingShares: (reference: Double, current: Double) {
    (
      Double(reference.missingCount) / Double(max(1, reference.missingCount + reference.count)),
      Double(counter.missingCount) / Double(max(1, ring.count))
    )
  }

  /// The p-value of `missingDifference`.
  var missingPValue: Double {
    TwoSampleDistribution.share(
      marked: (reference.missingCount, counter.missingCount),
      of: (reference.missingCount + reference.count, ring.count))
  }
}

// MARK: - Saving

extension SlidingWindow {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(reference.sorted, as: "\(prefix)reference")
    archive.set([reference.missingCount, next], as: "\(prefix)counts")
    archive.set(ring.withUnsafeBytes { Array($0) }, as: "\(prefix)ring")
  }

  init(
    decoding archive: TensorArchive, prefix: String, capacity: Int
  ) throws(MillraceError) {
    let counts = try archive.integers("\(prefix)counts", count: 2)
    let bytes = try archive.bytes("\(prefix)ring")
    let sample = ReferenceSample(
      sorted: try archive.floats("\(prefix)reference"), missingCount: Int(counts[0]))
    self.init(reference: sample, capacity: capacity)
    ring = bytes.withUnsafeBytes { bytes in
      stride(from: 0, through: bytes.count - 4, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)
      }
    }
    next = Int(counts[1])
    guard bytes.count % 4 == 0, ring.count <= capacity,
      next == 0 || isFull && 0..<capacity ~= next, counts[0] >= 0,
      ring.allSatisfy({ $0 <= sample.missingSlot })
    else {
      throw MillraceError(.store, "tensor '\(prefix)ring' does not fit a window of \(capacity)")
    }
    for slot in ring { counter.add(slot: Int(slot)) }
  }
}
