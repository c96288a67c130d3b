internal import CMillraceKernels

/// Builds one JSON line in a reused buffer: the sinks' records, without a coder in the hot loop.
struct JSONLine {
  private(set) var bytes: [UInt8] = []

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Text that is JSON already.
  mutating func raw(_ text: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Bytes that are JSON already.
  mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

  mutating func number(_ value: Double) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 24) { buffer in
      guard let base = buffer.baseAddress else { return }
      let count = millrace_format_double(value, base)
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: base, count: count))
    }
  }

  mutating func number(_ value: Int64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var magnitude = value.magnitude
      var start = digits.count
      repeat {
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(magnitude % 10)
        magnitude /= 10
      } while magnitude > 0
      if value < 0 { bytes.append(UInt8(ascii: "-")) }
      bytes.append(contentsOf: digits[start...])
    }
  }

  mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
  }

  /// A string of any bytes: what is not UTF-8 is shown as U+FFFD.
  mutating func string(_ text: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    if text.contains(where: { $0 >= 0x80 }) {
      for byte in String(decoding: text, as: UTF8.self).utf8 { escaped(byte) }
    } else {
      for byte in text { escaped(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// `,"name":"text"`, or nothing where there is no text.
  mutating func field(_ name: StaticString, _ text: ArraySlice<UInt8>) {
    guard !text.isEmpty else { return }
    raw(",\"")
    raw(name)
    raw("\":")
    text.withUnsafeBytes { string($0) }
  }

  private mutating func escaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): raw("\\\"")
    case UInt8(ascii: "\\"): raw("\\\\")
    case UInt8(ascii: "\n"): raw("\\n")
    case UInt8(ascii: "\r"): raw("\\r")
    case UInt8(ascii: "\t"): raw("\\t")
    case 0..<0x20:
      raw("\\u00")
      for digit in [byte >> 4, byte & 15] {
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    default: bytes.append(byte)
    }
  }

  /// Appends the line as one record.
  func append(to sink: any LogSink, partition: Int) throws(MillraceError) {
    // The closure's error type is not inferred through withUnsafeBytes: carried out by hand.
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(MillraceError) in try sink.append(bytes, partition: partition) }
    }
    try result.get()
  }
}
