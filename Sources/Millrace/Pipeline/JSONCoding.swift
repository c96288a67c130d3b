internal import FoundationEssentials

/// JSON as Millrace writes it: sorted keys, so that the same content is the same bytes; what JSON
/// has no number for (NaN, infinities) as strings.
package enum JSONCoding {
  private static let nonFinite = (positive: "Infinity", negative: "-Infinity", nan: "NaN")

  /// One line of JSON.
  ///
  /// - Throws: `input` when a value cannot be written.
  package static func encode(_ value: some Encodable) throws(MillraceError) -> [UInt8] {
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
