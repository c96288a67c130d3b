internal import FoundationEssentials

/// What is known of a stored version beside its weights: `manifest.json`.
public struct Manifest: Codable, Equatable, Sendable {
  /// What a version was learnt from.
  public struct Lineage: Codable, Equatable, Sendable {
    /// The address of the log or the data.
    public var source: String
    /// The position up to which each partition was learnt.
    public var positions: [Int: Int64]
    /// The version it goes on from or was compared with.
    public var parent: Int?
    /// Why it was made: `batch`, `continuous`, `drift`, and the like.
    public var reason: String

    /// A lineage.
    public init(
      source: String, positions: [Int: Int64] = [:], parent: Int? = nil, reason: String
    ) {
      self.source = source
      self.positions = positions
      self.parent = parent
      self.reason = reason
    }
  }

  /// The format of the version's files; a reader refuses one it does not know.
  public private(set) var format = Manifest.currentFormat
  /// The version of Millrace that wrote it.
  public private(set) var writer = version
  /// How records are read.
  public var schema: Schema
  /// What the learner was told.
  public var settings: LearnerSettings
  /// Measures by name, such as `progressive.logLoss`.
  public var metrics: [String: Double]
  /// What it was learnt from.
  public var lineage: Lineage
  /// Records learnt.
  public var rows: Int
  /// The time of publication: ISO 8601 in UTC.
  public var createdAt: String
  /// The SHA-256 of `model.safetensors`, hexadecimal; `publish` fills it in.
  public internal(set) var sha256 = ""

  static let currentFormat = 5

  /// A manifest of a version that is to be published now.
  public init(
    schema: Schema, settings: LearnerSettings, metrics: [String: Double], lineage: Lineage,
    rows: Int
  ) {
    self.schema = schema
    self.settings = settings
    self.metrics = metrics
    self.lineage = lineage
    self.rows = rows
    createdAt = Date().ISO8601Format()
  }

  /// Infinities and NaN have no number in JSON.
  private static let nonFinite = (positive: "Infinity", negative: "-Infinity", nan: "NaN")

  /// JSON with sorted keys, for people too.
  func encoded() throws(MillraceError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: Manifest.nonFinite.positive, negativeInfinity: Manifest.nonFinite.negative,
      nan: Manifest.nonFinite.nan)
    do {
      return try Array(encoder.encode(self)) + [UInt8(ascii: "\n")]
    } catch {
      throw MillraceError(.store, "cannot write the manifest: \(error)")
    }
  }

  init(decoding bytes: [UInt8]) throws(MillraceError) {
    /// Read first: the rest of another format may look different.
    struct Head: Decodable { var format: Int }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: Manifest.nonFinite.positive, negativeInfinity: Manifest.nonFinite.negative,
      nan: Manifest.nonFinite.nan)
    do {
      let data = Data(bytes)
      let format = try decoder.decode(Head.self, from: data).format
      guard format == Manifest.currentFormat else {
        throw MillraceError(
          .store,
          "it is in format \(format); millrace \(version) reads format \(Manifest.currentFormat)")
      }
      self = try decoder.decode(Manifest.self, from: data)
    } catch let error as MillraceError {
      throw error
    } catch let error as DecodingError {
      throw MillraceError(.store, "it is not a manifest: \(error.reason)")
    } catch {
      throw MillraceError(.store, "it is not a manifest: \(error)")
    }
  }
}

extension DecodingError {
  /// `lineage.reason: No value …`: where in the document, and what is wrong there.
  package var reason: String {
    let context: Context
    switch self {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return "\(self)"
    }
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    return (path.isEmpty ? "" : "\(path): ") + context.debugDescription
  }
}
