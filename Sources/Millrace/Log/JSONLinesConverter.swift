/// Turns CSV records into JSON objects of one line.
///
/// A field that is a number by JSON's grammar stays as it is written, to the last digit; an empty
/// one is `null`; any other is a string. A record that has not one field for each name becomes a
/// JSON string of the whole record: whoever reads it finds it just as bad, and can see it.
struct JSONLinesConverter {
  /// The latest record as JSON.
  private(set) var line: [UInt8] = []
  private let delimiter: UInt8
  /// What goes before each field: `{"a": `, `, "b": `.
  private let prefixes: [[UInt8]]
  private var field: [UInt8] = []

  /// - Parameter header: the names, as a CSV record.
  init(header: [UInt8], delimiter: UInt8) {
    self.delimiter = delimiter
    prefixes = SeparatedFields.all(of: header, delimiter: delimiter).enumerated().map {
      index, name in
      var prefix = Array((index == 0 ? "{" : ", ").utf8)
      prefix.appendJSONString(name)
      return prefix + Array(": ".utf8)
    }
  }

  /// Converts a record into `line`.
  mutating func convert(_ record: UnsafeRawBufferPointer) {
    line.removeAll(keepingCapacity: true)
    var next: Int? = 0
    var count = 0
    while let start = next, count < prefixes.count {
      next = SeparatedFields.read(record, from: start, delimiter: delimiter, into: &field)
      line.append(contentsOf: prefixes[count])
      appendValue()
      count += 1
    }
    if next == nil && count == prefixes.count {
      line.append(UInt8(ascii: "}"))
    } else {
      line.removeAll(keepingCapacity: true)
      line.appendJSONString(record)
    }
  }

  private mutating func appendValue() {
    let blanks: [UInt8] = [0x20, 0x09]
    if field.isJSONNumber {
      line.append(contentsOf: field)
    } else if field.allSatisfy(blanks.contains) {
      line.append(contentsOf: "null".utf8)
    } else {
      line.appendJSONString(field)
    }
  }
}

extension [UInt8] {
  /// Whether the bytes are a number by JSON's grammar (RFC 8259, section 6).
  var isJSONNumber: Bool {
    var rest = self[...]
    func dropDigits() -> Bool {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest[digits.endIndex...]
      return !digits.isEmpty
    }
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    if rest.first == UInt8(ascii: "0") {
      rest.removeFirst()
    } else if !dropDigits() {
      return false
    }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard dropDigits() else { return false }
    }
    if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
      guard dropDigits() else { return false }
    }
    return rest.isEmpty
  }

  /// Appends text as a JSON string; bytes that are no UTF-8 stay as they are.
  mutating func appendJSONString(_ text: some Sequence<UInt8>) {
    append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x0A: append(contentsOf: "\\n".utf8)
      case 0x0D: append(contentsOf: "\\r".utf8)
      case 0x09: append(contentsOf: "\\t".utf8)
      case ..<0x20:
        append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
