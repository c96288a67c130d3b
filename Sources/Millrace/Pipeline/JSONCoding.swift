internal import FoundationEssentials

/// JSON as Millrace writes it: sorted keys, so that the same content is the same bytes. What JSON
/// has no number for (NaN, infinities) is `null` for others, and a string in what is read again.
package enum JSONCoding {
  private static let nonFinite = (positive: "Infinity", negative: "-Infinity", nan: "NaN")

  /// One line of JSON that `decode` reads.
  ///
  /// - Throws: `input` when a value cannot be written.
  package static func encode(_ value: some Encodable) throws(MillraceError) -> [UInt8] {
    try encode(value, nonFinite)
  }

  /// One line of JSON for others: results and sinks.
  ///
  /// - Throws: `input` when a value cannot be written.
  package static func encodeForOthers(_ value: some Encodable) throws(MillraceError) -> [UInt8] {
    // The encoder can put a string in the place of such a number, but not null: one that no text
    // holds, as U+FFFF is no character.
    let mark = "\u{FFFF}"
    let line = try encode(value, (mark, mark, mark))
    let quoted = Array("\"\(mark)\"".utf8)
    return line.contains(quoted[1]) ? line.replacing(quoted, with: Array("null".utf8)) : line
  }

  private static func encode(
    _ value: some Encodable, _ nonFinite: (positive: String, negative: String, nan: String)
  ) throws(MillraceError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: nonFinite.positive, negativeInfinity: nonFinite.negative,
      nan: nonFinite.nan)
    do {
      return Array(try encoder.encode(value))
    } catch {
      throw MillraceError(.input, "\(type(of: value)) cannot be written as JSON: \(error)")
    }
  }

  /// A value from JSON.
  ///
  /// - Parameter subject: what is read, for the error.
  /// - Throws: `input` when it is not the JSON of such a value.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from json: some Sequence<UInt8>, subject: String
  ) throws(MillraceError) -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: nonFinite.positive, negativeInfinity: nonFinite.negative,
      nan: nonFinite.nan)
    do {
      return try decoder.decode(type, from: Data(json))
    } catch let error as DecodingError {
      throw MillraceError(.input, "\(subject) cannot be read: \(error.reason)")
    } catch {
      throw MillraceError(.input, "\(subject) cannot be read: \(error)")
    }
  }
}
