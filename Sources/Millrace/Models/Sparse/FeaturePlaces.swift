internal import CMillraceKernels

/// Gives each feature a place in the order in which features are first learnt, so that what is
/// kept of them lies side by side: those that come often come early, and share the caches.
struct FeaturePlaces: Sendable {
  /// The place of the constant.
  static let constant: UInt32 = 0
  /// The place of every feature that was not seen.
  static let unseen: UInt32 = 1
  /// The first place of a feature.
  static let first = 2
  /// Places that can be read behind the last one.
  static let padding = MILLRACE_SPARSE_PADDING

  /// The place of each column; 0 where it was not seen.
  private var places: [UInt32]
  /// The columns in the order of their places, from `first` on.
  private(set) var columns: [UInt32] = []

  /// No feature of `width` columns, a power of two.
  init(width: Int) { places = Array(repeating: 0, count: width) }

  /// The columns there may be.
  var width: Int { places.count }
  /// Places that are taken.
  var count: Int { Self.first + columns.count }

  /// What is kept of each place, to be fetched on the way: `size` bytes, one behind the other.
  struct Kept {
    var base: UnsafeRawPointer?
    var size: Int

    static var nothing: Kept { Kept(base: nil, size: 0) }

    fileprivate func table(_ places: UnsafeMutableBufferPointer<UInt32>) -> millrace_sparse_table {
      millrace_sparse_table(
        places: places.baseAddress, mask: UInt32(truncatingIfNeeded: places.count - 1), kept: base,
        size: size)
    }
  }

  /// The places of columns; a column that was not seen has that of all such.
  ///
  /// - Parameter result: room for `padding` more, which are those of the constant.
  func find(
    _ columns: UnsafePointer<UInt32>, count: Int, kept: Kept,
    into result: UnsafeMutablePointer<UInt32>
  ) {
    places.withUnsafeBufferPointer { places in
      var table = kept.table(UnsafeMutableBufferPointer(mutating: places))
      millrace_sparse_find(&table, columns, count, Self.unseen, result)
    }
  }

  /// The places of columns; a column that was not seen gets the next one.
  ///
  /// - Parameter result: room for `padding` more, which are those of the constant.
  mutating func place(
    _ columns: UnsafePointer<UInt32>, count: Int, kept: Kept,
    into result: UnsafeMutablePointer<UInt32>
  ) {
    let next = UInt32(self.count)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { added in
      let number = places.withUnsafeMutableBufferPointer { places in
        var table = kept.table(places)
        return millrace_sparse_place(&table, columns, count, next, result, added.baseAddress)
      }
      self.columns.append(contentsOf: added[..<number])
    }
  }

  /// The place of a column; `nil` where it was not seen.
  subscript(column: UInt32) -> Int? {
    let place = Int(places[Int(column)])
    return place == 0 ? nil : place
  }

  /// Makes a buffer hold `new` floats for each place, where it held `old`; those that come are 0.
  func resize(_ buffer: inout LaneBuffer, from old: Int, to new: Int) {
    guard count * new > buffer.count || new > old else { return }
    let filled = old > 0 ? min(count, buffer.count / old) : 0
    // Much more at a time, though never more than all: what is not used yet costs no memory.
    let room = min(max(4 * filled, 64), Self.first + width)
    var larger = LaneBuffer(count: max(count, room) * new)
    let base = larger.mutableBase()
    for place in 0..<filled {
      (base + place * new).update(from: buffer.base + place * old, count: old)
    }
    buffer = larger
  }

  /// Writes the zeros of the places from `first` on. A page that is read before it is written is the
  /// system's page of zeros; to replace that, all processors have to be told.
  func clear(_ buffer: inout LaneBuffer, from first: Int, size: Int) {
    (buffer.mutableBase() + first * size).update(repeating: 0, count: (count - first) * size)
  }

  /// Gives columns places in their order.
  mutating func place(_ columns: [UInt32]) {
    var result = [UInt32](repeating: 0, count: columns.count + Self.padding)
    place(columns, count: columns.count, kept: .nothing, into: &result)
  }
}

extension FeaturePlaces {
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(Int64(width), as: prefix + "width")
    archive.set(columns.map(Int64.init), as: prefix + "columns")
  }

  init(decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    let width = Int(try archive.integer(prefix + "width", in: 1...1 << 32))
    guard width.nonzeroBitCount == 1 else {
      throw MillraceError(
        .store, "tensor '\(prefix)width' is \(width); expected a power of two")
    }
    self.init(width: width)
    let columns = try archive.integers(prefix + "columns")
    guard columns.allSatisfy({ $0 >= 0 && $0 < width }) else {
      throw MillraceError(
        .store, "tensor '\(prefix)columns' has a column beyond the \(width) there are")
    }
    place(columns.map(UInt32.init))
    guard self.columns.count == columns.count else {
      throw MillraceError(.store, "tensor '\(prefix)columns' has a column twice")
    }
  }
}
