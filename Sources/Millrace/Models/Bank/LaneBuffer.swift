internal import Glibc

/// Floats that are worked on in lanes.
typealias LaneBuffer = AlignedBuffer<Float>

/// Numbers on a 64-byte boundary, so that no vector of lanes straddles two cache lines (an `Array`
/// promises 16 bytes). A value: copied when it is written while shared.
struct AlignedBuffer<Element: BitwiseCopyable & Sendable>: Sendable, Equatable {
  /// How many there are.
  let count: Int
  private var storage: Storage

  /// `count` zeros.
  init(count: Int) {
    self.count = count
    storage = Storage(count: count)
  }

  /// The numbers of an array.
  init(_ values: [Element]) {
    self.init(count: values.count)
    storage.base.update(from: values, count: count)
  }

  /// The same numbers, and zeros after them.
  func grown(to count: Int) -> Self {
    var larger = Self(count: max(count, self.count))
    larger.mutableBase().update(from: base, count: self.count)
    return larger
  }

  /// For reading, while the buffer lives.
  var base: UnsafeMutablePointer<Element> { storage.base }

  /// For writing, while the buffer lives and is not copied.
  mutating func mutableBase() -> UnsafeMutablePointer<Element> {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = Storage(count: count)
      copy.base.update(from: storage.base, count: count)
      storage = copy
    }
    return storage.base
  }

  /// The numbers as an array.
  var elements: [Element] { Array(UnsafeBufferPointer(start: storage.base, count: count)) }

  static func == (left: Self, right: Self) -> Bool {
    left.count == right.count
      && memcmp(left.storage.base, right.storage.base, left.count * MemoryLayout<Element>.stride)
        == 0
  }

  /// Sendable because it is written only while one value refers to it.
  private final class Storage: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    private let memory: UnsafeMutableRawPointer

    /// From `calloc`: the system's pages are 0, and take no memory until they are written.
    init(count: Int) {
      let alignment = 64
      guard let memory = calloc(count * MemoryLayout<Element>.stride + alignment, 1) else {
        preconditionFailure("no memory for \(count) numbers")
      }
      self.memory = memory
      base = memory.alignedUp(toMultipleOf: alignment).bindMemory(to: Element.self, capacity: count)
    }

    deinit { free(memory) }
  }
}

extension LaneBuffer {
  /// Whether so many of the first floats are all finite.
  func isFinite(upTo count: Int) -> Bool {
    UnsafeBufferPointer(start: storage.base, count: count).allSatisfy(\.isFinite)
  }
}
