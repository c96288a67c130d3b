/// The fields of a CSV record.
enum SeparatedFields {
  /// All fields of a record.
  static func all(of record: [UInt8], delimiter: UInt8) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    var field: [UInt8] = []
    record.withUnsafeBytes { record in
      var next: Int? = 0
      while let start = next {
        next = read(record, from: start, delimiter: delimiter, into: &field)
        fields.append(field)
      }
    }
    return fields
  }

  /// A header for records that have none: `x1`, `x2`, … for as many fields as `record` has.
  static func numbered(as record: [UInt8], delimiter: UInt8) -> [UInt8] {
    let names = (1...all(of: record, delimiter: delimiter).count).map { Array("x\($0)".utf8) }
    return Array(names.joined(separator: [delimiter]))
  }

  /// Reads one field without its quotes; doubled quotes are one, as in `RecordDecoder`.
  ///
  /// - Returns: where the next field starts; `nil` after the last.
  static func read(
    _ record: UnsafeRawBufferPointer, from start: Int, delimiter: UInt8, into field: inout [UInt8]
  ) -> Int? {
    let quote = UInt8(ascii: "\"")
    field.removeAll(keepingCapacity: true)
    var index = start
    if index < record.count, record[index] == quote {
      index += 1
      while index < record.count {
        if record[index] == quote {
          index += 1
          guard index < record.count, record[index] == quote else { break }
        }
        field.append(record[index])
        index += 1
      }
    }
    let rest = index
    while index < record.count && record[index] != delimiter { index += 1 }
    field.append(contentsOf: record[rest..<index])
    return index < record.count ? index + 1 : nil
  }
}
