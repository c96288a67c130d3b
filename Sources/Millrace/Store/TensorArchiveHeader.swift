internal import FoundationEssentials

/// The JSON header of a safetensors file, as found: nothing in it is trusted yet.
struct TensorArchiveHeader: Decodable {
  /// Where a tensor's bytes lie in the data that follow the header.
  struct ByteRange: Comparable {
    var start: Int
    var end: Int

    static func < (left: ByteRange, right: ByteRange) -> Bool {
      (left.start, left.end) < (right.start, right.end)
    }
  }

  struct Entry: Decodable {
    var typeName: String
    var shape: [Int]
    var range: ByteRange

    /// The product of the extents; `nil` when one is negative or the product overflows.
    var elementCount: Int? {
      shape.reduce(1 as Int?) { count, extent in
        guard let count, extent >= 0 else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        return overflow ? nil : product
      }
    }

    private enum CodingKeys: String, CodingKey {
      case typeName = "dtype"
      case shape
      case range = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      typeName = try container.decode(String.self, forKey: .typeName)
      shape = try container.decode([Int].self, forKey: .shape)
      let offsets = try container.decode([Int].self, forKey: .range)
      guard offsets.count == 2 else {
        throw DecodingError.dataCorruptedError(
          forKey: .range, in: container, debugDescription: "expected a start and an end")
      }
      range = ByteRange(start: offsets[0], end: offsets[1])
    }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private(set) var metadata: [String: String] = [:]
  private(set) var tensors: [String: Entry] = [:]

  init(decoding bytes: ArraySlice<UInt8>) throws {
    self = try JSONDecoder().decode(TensorArchiveHeader.self, from: Data(bytes))
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for name in container.allKeys {
      if name.stringValue == TensorArchive.metadataKey {
        metadata = try container.decode([String: String].self, forKey: name)
      } else {
        tensors[name.stringValue] = try container.decode(Entry.self, forKey: name)
      }
    }
  }
}
