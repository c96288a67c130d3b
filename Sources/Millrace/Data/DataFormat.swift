/// How records are written as bytes.
public enum DataFormat: String, Codable, Sendable, CaseIterable {
  /// Comma-separated values (RFC 4180), named by a header line.
  case csv
  /// Tab-separated values, quoted as CSV is.
  case tsv
  /// One JSON object per line.
  case jsonLines = "jsonl"
  /// LibSVM's `label index:value …` lines.
  case libsvm

  /// The format that a file's name says, a final `.gz` left out; `nil` when it says none.
  public init?(path: String) {
    var name = path[...]
    if name.lowercased().hasSuffix(".gz") { name = name.dropLast(3) }
    guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return nil }
    self.init(name: String(name[dot...].dropFirst()))
  }

  /// The format with this name or file extension, in any case: `csv`, `tsv`, `jsonl`, `ndjson`,
  /// `json`, `svm`, `libsvm`, `svmlight`.
  public init?(name: String) {
    switch name.lowercased() {
    case "csv": self = .csv
    case "tsv", "tab": self = .tsv
    case "jsonl", "ndjson", "json": self = .jsonLines
    case "svm", "libsvm", "svmlight": self = .libsvm
    default: return nil
    }
  }

  /// The byte between two fields of a line, where the format has fields by position.
  public var delimiter: UInt8? {
    switch self {
    case .csv: UInt8(ascii: ",")
    case .tsv: UInt8(ascii: "\t")
    case .jsonLines, .libsvm: nil
    }
  }
}
