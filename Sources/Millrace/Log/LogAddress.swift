/// Where a log lies, as users write it.
///
/// `data.csv`, `data.tsv`, `data.jsonl` (`.ndjson`), `data.svm`, each also with `.gz`; a directory of
/// partitions `events/` (`0.jsonl`, `1.jsonl`, … or `.csv`); `-` for standard input and output.
public enum LogAddress: Equatable, Sendable, CustomStringConvertible {
  /// One file: partition 0 is all there is.
  case file(path: String, format: DataFormat)
  /// A directory whose files are the partitions. The path has no slash at its end.
  ///
  /// The format is what was asked for; without, what the files in it have.
  case directory(path: String, format: DataFormat?)
  /// Standard input for a source, standard output for a sink.
  case standard(format: DataFormat)

  /// Reads an address.
  ///
  /// - Parameters:
  ///   - text: what the user wrote.
  ///   - format: what `--format` says; wins over the file's extension.
  /// - Throws: `configuration` when no format is known or the kind of log is not built in.
  public init(_ text: String, format: DataFormat? = nil) throws(MillraceError) {
    if text.contains("://") {
      throw MillraceError(
        .configuration,
        text.hasPrefix("kafka://")
          ? "\(text): Kafka is not built in yet; expected a file, a directory or \"-\""
          : "\(text): unknown kind of log; expected a file, a directory or \"-\"")
    }
    if text == "-" {
      guard let format else {
        throw .setting(
          "format", nil, expected: "csv, tsv, jsonl or libsvm, as \"-\" has no file name to tell it"
        )
      }
      self = .standard(format: format)
      return
    }
    var path = text[...]
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !path.isEmpty else { throw .setting("address", text, expected: "the path of a log") }
    if text.hasSuffix("/") || Directory.exists(String(path)) {
      self = .directory(path: String(path), format: format)
      return
    }
    guard let format = format ?? DataFormat(path: text) else {
      throw MillraceError(
        .configuration,
        "\(text): the format cannot be told from the name; expected .csv, .tsv, .jsonl, .ndjson"
          + " or .svm (also with .gz), a directory ending in \"/\", or --format")
    }
    self = .file(path: text, format: format)
  }

  /// The path; `-` for standard input and output.
  public var description: String {
    switch self {
    case .file(let path, _): path
    case .directory(let path, _): path + "/"
    case .standard: "-"
    }
  }
}
