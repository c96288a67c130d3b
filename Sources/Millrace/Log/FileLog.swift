internal import Glibc

/// A log of plain files: newline-delimited records in one file, in a directory of partitions, or on
/// standard input.
///
/// A position is the number of bytes before it in its (decompressed) file. While following:
/// - an unfinished last line is left alone until its end comes;
/// - files `0.jsonl`, `1.jsonl`, … that appear in a directory are new partitions; the first ones
///   decide the format where none was asked for;
/// - when the path names another file (log rotation), the old one is read to its end, then the new
///   one from its start, and positions count from there. What happens while nobody follows can only
///   be seen by its traces: `seek` refuses a position beyond the end or in the middle of a line;
/// - a file that got shorter than the position is an error.
///
/// `.gz` files and streams end at their end. A stream cannot be sought; a compressed file is read
/// again from its start.
///
/// Large polls of a plain file are mapped, not copied. So that a file which is truncated meanwhile
/// ends the job with an error and not the process with SIGBUS, the first of them installs a handler
/// of that signal, which passes on faults elsewhere to the one there was.
public final class FileLog: LogSource {
  /// How the records are written.
  public private(set) var format: DataFormat
  /// Whether the first file of a directory still decides the format.
  private var isFormatOpen = false
  private let hasHeader: Bool
  private let recordLimit: Int
  private let watch: ChangeWatch?
  /// The directory whose files are partitions; `nil` for a single file.
  private let directory: String?
  private var readers: [Int: PartitionReader] = [:]
  private var lastScan = ContinuousClock.now
  private var knownPartitions: [Int] = []

  /// Opens a log at its beginning.
  ///
  /// - Parameters:
  ///   - address: what to read.
  ///   - hasHeader: whether the first line of CSV (of each partition) names the columns; otherwise
  ///     they are `x1`, `x2`, … for as many fields as the first record has.
  ///   - untilEnd: the log ends at its end; otherwise it is followed for ever.
  ///   - recordLimit: a longer record (in bytes) is an error.
  /// - Throws: `system` when a file cannot be opened; `configuration` when a directory's files have
  ///   several formats.
  public init(
    _ address: LogAddress, hasHeader: Bool = true, untilEnd: Bool, recordLimit: Int = 64 << 20
  ) throws(MillraceError) {
    self.hasHeader = hasHeader
    self.recordLimit = recordLimit
    watch = untilEnd ? nil : ChangeWatch()
    switch address {
    case .standard(let format):
      self.format = format
      directory = nil
      add(0, try StreamSource(FileDescriptor(duplicating: STDIN_FILENO, "standard input")))
    case .file(let path, let format):
      self.format = format
      directory = nil
      add(0, try open(path))
    case .directory(let path, let format):
      directory = path
      let files = try PartitionFile.list(in: path)
      self.format = try PartitionFile.commonFormat(of: files, in: path, asked: format)
      isFormatOpen = format == nil && files.isEmpty
      watch?.add(path)
      for file in files where file.format == self.format {
        add(file.partition, try open(file.path))
      }
    }
  }

  private func open(_ path: String) throws(MillraceError) -> any ByteSource {
    let file = try FileDescriptor(path, flags: O_RDONLY)
    let isRegular = try file.status().isRegular
    if isRegular && !path.hasSuffix(".gz") {
      watch?.add(path)
      return try PlainFile(file, watch: watch)
    }
    return StreamSource(file, canReopen: isRegular)
  }

  private func add(_ partition: Int, _ source: any ByteSource) {
    readers[partition] = PartitionReader(
      partition: partition, source: source, format: format, hasHeader: hasHeader,
      recordLimit: recordLimit)
    knownPartitions = readers.keys.sorted()
  }

  /// Whether a directory is watched for new partitions.
  public var isFollowed: Bool { directory != nil && watch != nil }

  /// The partitions in ascending order. While following, a directory is looked at again when 50 ms
  /// have gone by.
  public var partitions: [Int] {
    if let directory, watch != nil, .now - lastScan > .milliseconds(50) {
      lastScan = .now
      let files = (try? PartitionFile.list(in: directory)) ?? []
      if isFormatOpen, let first = files.first {
        format = first.format
        isFormatOpen = false
      }
      for file in files
      where file.format == format && readers[file.partition] == nil {
        // One that cannot be opened yet is tried again at the next look.
        if let source = try? open(file.path) { add(file.partition, source) }
      }
    }
    return knownPartitions
  }

  /// The bytes of all partitions together; `nil` when one is compressed or a stream.
  public var byteCount: Int64? {
    var total: Int64 = 0
    for reader in readers.values {
      guard let count = reader.source.byteCount else { return nil }
      total += count
    }
    return total
  }

  /// Continues from these positions: a partition that is not named starts at its beginning.
  ///
  /// - Throws: `input` when a position lies beyond the end or is not the start of a record, when
  ///   its partition is missing, or when a stream would have to go back.
  public func seek(to positions: [Int: Int64]) throws(MillraceError) {
    for partition in positions.keys.sorted() where readers[partition] == nil {
      throw missing(partition)
    }
    for (partition, reader) in readers { try reader.seek(to: positions[partition] ?? 0) }
  }

  /// The line that names a partition's columns, made up where the log has none; `nil` where the
  /// format names fields itself or the line is not written yet.
  public func header(partition: Int) throws(MillraceError) -> [UInt8]? {
    try reader(partition).readHeader()
  }

  /// Fills `batch` with the next complete records of `partition`; see `LogSource`.
  public func poll(
    partition: Int, maxRecords: Int, maxBytes: Int, linger: Duration, into batch: inout RecordBatch
  ) throws(MillraceError) -> Bool {
    try reader(partition).poll(
      maxRecords: maxRecords, maxBytes: maxBytes, linger: linger,
      yieldsToOthers: directory != nil, into: &batch)
  }

  private func reader(_ partition: Int) throws(MillraceError) -> PartitionReader {
    guard let reader = readers[partition] else { throw missing(partition) }
    return reader
  }

  private func missing(_ partition: Int) -> MillraceError {
    MillraceError(
      .input,
      "\(directory ?? "the log") has no partition \(partition); it has"
        + " \(knownPartitions.map(String.init).joined(separator: ", "))")
  }
}

/// A file of a log directory: `3.jsonl` is partition 3.
struct PartitionFile {
  let partition: Int
  let path: String
  let format: DataFormat

  /// The file of this name; `nil` when it is no partition's.
  init?(_ name: String, in directory: String) {
    let stem = name.prefix { $0 != "." }
    guard let partition = Int(stem), partition >= 0, String(partition) == stem,
      let format = DataFormat(path: name)
    else { return nil }
    self.partition = partition
    self.format = format
    path = "\(directory)/\(name)"
  }

  /// The partitions' files, by format and number; files with other names are not the log's.
  ///
  /// - Throws: `system` when the directory cannot be read; `configuration` when two files of one
  ///   format are the same partition.
  static func list(in directory: String) throws(MillraceError) -> [PartitionFile] {
    var files: [PartitionFile] = []
    for name in try Directory.entries(directory) {
      if let file = PartitionFile(name, in: directory) { files.append(file) }
    }
    files.sort {
      ($0.format.rawValue, $0.partition, $0.path) < ($1.format.rawValue, $1.partition, $1.path)
    }
    for (file, next) in zip(files, files.dropFirst())
    where file.partition == next.partition && file.format == next.format {
      throw MillraceError(
        .configuration, "\(file.path) and \(next.path) are the same partition; expected one file")
    }
    return files
  }

  /// What the files are written in: what was asked for, or the one format they have; JSON lines
  /// where there are none yet.
  static func commonFormat(
    of files: [PartitionFile], in directory: String, asked: DataFormat?
  ) throws(MillraceError) -> DataFormat {
    if let asked { return asked }
    if let other = files.first(where: { $0.format != files[0].format }) {
      throw MillraceError(
        .configuration,
        "\(directory) holds partitions of two formats, \(files[0].path) and \(other.path); expected"
          + " one, or --format to say which")
    }
    return files.first?.format ?? .jsonLines
  }
}
