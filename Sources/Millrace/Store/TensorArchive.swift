/// Named tensors and strings in one file: the safetensors format.
///
/// What models and checkpoints are written in, so that the public safetensors libraries read them
/// (https://github.com/huggingface/safetensors, "Format"). Tensors lie in the order that the
/// reference library writes: by element width descending, then by name, so that each is aligned to
/// its elements without holes, and the same content is the same bytes.
///
/// An archive holds arrays, not copies: `set` and the accessors cost O(1) for arrays of the four
/// stored types.
public struct TensorArchive: Sendable {
  /// Free strings, kept under `__metadata__`.
  public var metadata: [String: String] = [:]
  private var tensors: [String: Tensor] = [:]

  /// An empty archive.
  public init() {}

  /// The names of all tensors, sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// Adds or replaces a tensor of 32-bit floats (`F32`).
  ///
  /// - Parameters:
  ///   - values: the elements, row-major.
  ///   - shape: the extents, whose product is the number of elements; `nil` is one dimension.
  ///   - name: any string but `__metadata__`.
  public mutating func set(_ values: [Float], shape: [Int]? = nil, as name: String) {
    set(.floats(values), shape: shape, as: name)
  }

  /// Adds or replaces a tensor of 64-bit floats (`F64`).
  public mutating func set(_ values: [Double], shape: [Int]? = nil, as name: String) {
    set(.doubles(values), shape: shape, as: name)
  }

  /// Adds or replaces a tensor of 64-bit integers (`I64`).
  public mutating func set(_ values: [Int64], shape: [Int]? = nil, as name: String) {
    set(.integers(values), shape: shape, as: name)
  }

  /// Adds or replaces a tensor of 64-bit integers (`I64`).
  public mutating func set(_ values: [Int], shape: [Int]? = nil, as name: String) {
    set(.integers(values.map(Int64.init)), shape: shape, as: name)
  }

  /// Adds or replaces a tensor of bytes (`U8`).
  public mutating func set(_ values: [UInt8], shape: [Int]? = nil, as name: String) {
    set(.bytes(values), shape: shape, as: name)
  }

  /// Adds or replaces one 64-bit float.
  public mutating func set(_ value: Double, as name: String) { set([value], as: name) }

  /// Adds or replaces one 64-bit integer.
  public mutating func set(_ value: Int64, as name: String) { set([value], as: name) }

  /// Adds or replaces one 64-bit integer.
  public mutating func set(_ value: Int, as name: String) { set([value], as: name) }

  /// Adds or replaces a tensor of the first 32-bit floats of a buffer (`F32`).
  mutating func set(_ values: LaneBuffer, shape: [Int], as name: String) {
    set(.lanes(values, count: shape.reduce(1, *)), shape: shape, as: name)
  }

  private mutating func set(_ elements: Tensor.Elements, shape: [Int]?, as name: String) {
    let shape = shape ?? [elements.count]
    precondition(shape.reduce(1, *) == elements.count, "\(name): \(shape) is not its shape")
    precondition(name != TensorArchive.metadataKey, "\(name) is reserved by the format")
    tensors[name] = Tensor(elements: elements, shape: shape)
  }

  /// A tensor's extents.
  ///
  /// - Throws: `store` when there is no such tensor.
  public func shape(_ name: String) throws(MillraceError) -> [Int] { try tensor(name).shape }

  /// The number of rows of a tensor.
  ///
  /// - Throws: `store` when it is missing, a scalar, or has other rows than those allowed.
  func rows(_ name: String, in allowed: ClosedRange<Int>) throws(MillraceError) -> Int {
    let shape = try shape(name)
    guard let rows = shape.first, allowed.contains(rows) else {
      throw MillraceError(
        .store,
        "tensor '\(name)' has shape \(shape); expected \(allowed.lowerBound) to "
          + "\(allowed.upperBound) rows")
    }
    return rows
  }

  /// The elements of an `F32` tensor, row-major.
  ///
  /// - Throws: `store` when it is missing, of another type, or does not have `count` elements.
  public func floats(_ name: String, count: Int? = nil) throws(MillraceError) -> [Float] {
    let tensor = try tensor(name, count: count)
    return switch tensor.elements {
    case .floats(let values): values
    case .lanes(let values, let count):
      Array(UnsafeBufferPointer(start: values.base, count: count))
    default: throw tensor.mismatch(name, "F32")
    }
  }

  /// The elements of an `F64` tensor, row-major.
  ///
  /// - Throws: `store` when it is missing, of another type, or does not have `count` elements.
  public func doubles(_ name: String, count: Int? = nil) throws(MillraceError) -> [Double] {
    let tensor = try tensor(name, count: count)
    guard case .doubles(let values) = tensor.elements else { throw tensor.mismatch(name, "F64") }
    return values
  }

  /// The elements of an `I64` tensor, row-major.
  ///
  /// - Throws: `store` when it is missing, of another type, or does not have `count` elements.
  public func integers(_ name: String, count: Int? = nil) throws(MillraceError) -> [Int64] {
    let tensor = try tensor(name, count: count)
    guard case .integers(let values) = tensor.elements else { throw tensor.mismatch(name, "I64") }
    return values
  }

  /// The elements of a `U8` tensor, row-major.
  ///
  /// - Throws: `store` when it is missing, of another type, or does not have `count` elements.
  public func bytes(_ name: String, count: Int? = nil) throws(MillraceError) -> [UInt8] {
    let tensor = try tensor(name, count: count)
    guard case .bytes(let values) = tensor.elements else { throw tensor.mismatch(name, "U8") }
    return values
  }

  /// The one element of an `F64` tensor.
  ///
  /// - Throws: `store` when it is missing, of another type, or not one element.
  public func double(_ name: String) throws(MillraceError) -> Double {
    try doubles(name, count: 1)[0]
  }

  /// The one element of an `I64` tensor, which must lie in `range`.
  ///
  /// - Throws: `store` when it is missing, of another type, not one element, or out of range.
  public func integer(
    _ name: String, in range: ClosedRange<Int64> = .min ... .max
  ) throws(MillraceError) -> Int64 {
    let value = try integers(name, count: 1)[0]
    guard range.contains(value) else {
      throw MillraceError(
        .store,
        "tensor '\(name)' is \(value); expected \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// The one element of an `I64` tensor that counts records or steps, and so can go on counting.
  ///
  /// - Throws: `store` when it is missing, of another type, not one element, or no such count.
  func count(_ name: String) throws(MillraceError) -> Int {
    Int(try integer(name, in: 0...Self.greatestCount))
  }

  private func tensor(_ name: String, count: Int? = nil) throws(MillraceError) -> Tensor {
    guard let tensor = tensors[name] else {
      throw MillraceError(.store, "tensor '\(name)' is missing")
    }
    if let count, tensor.elements.count != count {
      throw MillraceError(
        .store, "tensor '\(name)' has \(tensor.elements.count) elements; expected \(count)")
    }
    return tensor
  }
}

extension TensorArchive {
  static let metadataKey = "__metadata__"
  /// No number of records is greater.
  static let greatestCount: Int64 = 1 << 53

  /// A typed, shaped array.
  struct Tensor: Sendable {
    enum Elements: Sendable {
      case floats([Float])
      /// So many of the first floats.
      case lanes(LaneBuffer, count: Int)
      case doubles([Double])
      case integers([Int64])
      case bytes([UInt8])
    }

    var elements: Elements
    var shape: [Int]

    func mismatch(_ name: String, _ expected: String) -> MillraceError {
      MillraceError(.store, "tensor '\(name)' is \(elements.typeName); expected \(expected)")
    }
  }
}

extension TensorArchive.Tensor.Elements {
  /// The format's name of the element type.
  var typeName: String {
    switch self {
    case .floats, .lanes: "F32"
    case .doubles: "F64"
    case .integers: "I64"
    case .bytes: "U8"
    }
  }

  var count: Int {
    switch self {
    case .floats(let values): values.count
    case .lanes(_, let count): count
    case .doubles(let values): values.count
    case .integers(let values): values.count
    case .bytes(let values): values.count
    }
  }

  /// Bytes per element.
  var width: Int {
    switch self {
    case .floats, .lanes: 4
    case .doubles, .integers: 8
    case .bytes: 1
    }
  }

  func withBytes(
    _ body: (UnsafeRawBufferPointer) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    func pass<Element>(_ values: [Element]) throws(MillraceError) {
      try values.withUnsafeBufferPointer { (values) throws(MillraceError) in
        try body(UnsafeRawBufferPointer(values))
      }
    }
    switch self {
    case .floats(let values): try pass(values)
    case .lanes(let values, let count):
      try body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: values.base, count: count)))
    case .doubles(let values): try pass(values)
    case .integers(let values): try pass(values)
    case .bytes(let values): try pass(values)
    }
  }

  /// The elements of the named type in `data`, whose length is a multiple of their width; `nil` for
  /// a type or a length that is not.
  init?(typeName: String, data: UnsafeRawBufferPointer) {
    func array<Element: BitwiseCopyable>(_ zero: Element) -> [Element]? {
      let width = MemoryLayout<Element>.size
      guard data.count.isMultiple(of: width) else { return nil }
      return [Element](unsafeUninitializedCapacity: data.count / width) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: data)
        count = data.count / width
      }
    }
    let elements: Self? =
      switch typeName {
      case "F32": array(Float.zero).map(Self.floats)
      case "F64": array(Double.zero).map(Self.doubles)
      case "I64": array(Int64.zero).map(Self.integers)
      case "U8": array(UInt8.zero).map(Self.bytes)
      default: nil
      }
    guard let elements else { return nil }
    self = elements
  }
}

// MARK: - The file format

extension TensorArchive {
  /// The archive as a safetensors file: the header's length in 8 bytes (little-endian), the header
  /// (JSON, padded with spaces to a multiple of 8), the elements (little-endian).
  public func encoded() -> [UInt8] {
    let parts = parts
    var bytes: [UInt8] = []
    bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count * $1.width })
    // Appending does not throw.
    try? withParts { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Calls `body` with the bytes of `encoded`, part by part, without a copy.
  func withParts(
    _ body: (UnsafeRawBufferPointer) throws(MillraceError) -> Void
  ) throws(MillraceError) {
    for part in parts { try part.withBytes(body) }
  }

  /// What the file consists of.
  private var parts: [Tensor.Elements] {
    let ordered = tensors.sorted { left, right in
      let (leftWidth, rightWidth) = (left.value.elements.width, right.value.elements.width)
      return leftWidth == rightWidth ? left.key < right.key : leftWidth > rightWidth
    }

    var entries: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      entries.append("\(quoted(TensorArchive.metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in ordered {
      let end = offset + tensor.elements.count * tensor.elements.width
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      entries.append(
        #"\#(quoted(name)):{"dtype":"\#(tensor.elements.typeName)","shape":[\#(shape)],"#
          + #""data_offsets":[\#(offset),\#(end)]}"#)
      offset = end
    }
    var header = Array("{\(entries.joined(separator: ","))}".utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))

    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
    return [.bytes(length + header)] + ordered.map(\.value.elements)
  }

  /// A JSON string literal.
  private func quoted(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Reads a safetensors file whose tensors are `F32`, `F64`, `I64` or `U8`.
  ///
  /// - Throws: `store` when the bytes are not such a file: cut short, a header that is not JSON of
  ///   the format, tensors that overlap, leave holes, or do not fill the file.
  public init(decoding bytes: [UInt8]) throws(MillraceError) {
    func damaged(_ reason: String) -> MillraceError {
      MillraceError(.store, "not a readable safetensors file: \(reason)")
    }
    guard bytes.count >= 8 else { throw damaged("it has only \(bytes.count) bytes") }
    let headerLength = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard headerLength <= UInt64(bytes.count - 8) else {
      throw damaged("its header has \(headerLength) bytes, the file \(bytes.count)")
    }
    let dataStart = 8 + Int(headerLength)
    let header: TensorArchiveHeader
    do {
      header = try TensorArchiveHeader(decoding: bytes[8..<dataStart])
    } catch {
      throw damaged("its header is malformed (\(error))")
    }

    let dataLength = bytes.count - dataStart
    var end = 0
    for (name, entry) in header.tensors.sorted(by: { $0.value.range < $1.value.range }) {
      guard entry.range.start == end, entry.range.end >= end, entry.range.end <= dataLength else {
        throw damaged(
          "tensor '\(name)' lies at \(entry.range.start) to \(entry.range.end); "
            + "expected it to start at \(end) and to end by \(dataLength)")
      }
      end = entry.range.end
      let range = dataStart + entry.range.start..<dataStart + entry.range.end
      let elements = bytes[range].withUnsafeBytes {
        Tensor.Elements(typeName: entry.typeName, data: $0)
      }
      guard let elements, entry.elementCount == elements.count else {
        throw damaged(
          "tensor '\(name)' of type \(entry.typeName) and shape \(entry.shape) has \(range.count)"
            + " bytes; expected F32, F64, I64 or U8 in the bytes that its shape needs")
      }
      tensors[name] = Tensor(elements: elements, shape: entry.shape)
    }
    guard end == dataLength else {
      throw damaged("its tensors end at byte \(end) of \(dataLength)")
    }
    metadata = header.metadata
  }
}
