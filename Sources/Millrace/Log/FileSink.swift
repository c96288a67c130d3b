internal import Glibc

/// Appends records to a file, to the files of a directory (`0.jsonl`, `1.jsonl`, …), or to standard
/// output.
///
/// A single file takes the records of all partitions in the order they come, and its length is
/// partition 0's. Records are passed on in pieces of whole records; when one cannot be written (the
/// disk is full), the file is cut back to the records before it. An existing file is appended to;
/// a last line that was left unfinished is ended first. A file has one sink at a time, in all
/// processes. Standard output cannot be cut back: `truncate` leaves it alone.
public final class FileSink: LogSink {
  /// How the records are written.
  public let format: DataFormat
  private let header: [UInt8]?
  /// The setting that says where it writes, for messages.
  private let key: String
  /// Where the partitions' files are; `nil` for a single file.
  private let directory: String?
  private var outputs: [Int: PartitionOutput] = [:]
  /// The output of the latest record: most are followed by one of the same partition.
  private var latest: (partition: Int, output: PartitionOutput)?

  /// Opens a sink at its end; directories are made where there are none.
  ///
  /// - Parameters:
  ///   - address: where to write.
  ///   - header: the line that names the columns, written at the start of each file; for CSV
  ///     only.
  ///   - key: the setting that the address was given by, for messages.
  /// - Throws: `system` when a file cannot be made or opened, or has a sink already;
  ///   `configuration` for a `.gz` file, a directory whose files have several formats, or a file
  ///   with another header.
  public init(
    _ address: LogAddress, header: [UInt8]? = nil, key: String = "sink"
  ) throws(MillraceError) {
    self.key = key
    format = try Self.format(of: address)
    self.header = format.delimiter == nil ? nil : header
    if case .directory(let path, _) = address { directory = path } else { directory = nil }
    switch address {
    case .standard:
      let file = try FileDescriptor(duplicating: STDOUT_FILENO, "standard output")
      outputs[0] = try PartitionOutput(file, header: self.header, isStream: true)
    case .file(let path, _):
      outputs[0] = try open(path)
    case .directory(let path, _):
      try Directory.create(path)
      for file in try PartitionFile.list(in: path) where file.format == format {
        outputs[file.partition] = try open(file.path)
      }
    }
  }

  /// How the records at an address will be written; nothing is opened or made.
  static func format(of address: LogAddress) throws(MillraceError) -> DataFormat {
    switch address {
    case .standard(let format), .file(_, let format): return format
    case .directory(let path, let format):
      let files = Directory.exists(path) ? try PartitionFile.list(in: path) : []
      return try PartitionFile.commonFormat(of: files, in: path, asked: format)
    }
  }

  private func open(_ path: String) throws(MillraceError) -> PartitionOutput {
    if path.lowercased().hasSuffix(".gz") {
      throw .setting(key, path, expected: "a file that is not compressed")
    }
    try Directory.create(Directory.parent(of: path))
    return try PartitionOutput.open(path, header: header)
  }

  /// Appends one record and its line end. Written when some 256 kB have come together.
  ///
  /// - Throws: `system` when it cannot be written.
  public func append(_ record: UnsafeRawBufferPointer, partition: Int) throws(MillraceError) {
    if latest?.partition != partition { latest = (partition, try output(partition)) }
    try latest?.output.append(record)
  }

  /// Writes what was appended.
  public func send() throws(MillraceError) {
    for output in outputs.values { try output.send() }
  }

  /// Writes what was appended, makes it durable, and returns the length of each file in bytes.
  public func flush() throws(MillraceError) -> [Int: Int64] {
    for output in outputs.values { try output.flush() }
    return outputs.mapValues { $0.length }
  }

  /// Cuts each file back to a length that `flush` returned; one that is not named, to nothing.
  ///
  /// - Throws: `input` when a file is shorter than that; `system` when it cannot be cut.
  public func truncate(to lengths: [Int: Int64]) throws(MillraceError) {
    for partition in lengths.keys.sorted() { _ = try output(partition) }
    for (partition, output) in outputs { try output.truncate(to: lengths[partition] ?? 0) }
  }

  private func output(_ partition: Int) throws(MillraceError) -> PartitionOutput {
    let partition = directory == nil ? 0 : partition
    if let output = outputs[partition] { return output }
    let output = try open("\(directory ?? "")/\(partition).\(format.rawValue)")
    outputs[partition] = output
    return output
  }
}

/// The end of one file.
private final class PartitionOutput {
  private static let bufferSize = 1 << 18

  private let file: FileDescriptor
  private let header: [UInt8]?
  private let isRegular: Bool
  /// Whether something was written since the last flush.
  private var isDirty = false
  private var buffer: [UInt8] = []
  /// Bytes in the file, with those that are not written yet.
  private(set) var length: Int64 = 0

  static func open(_ path: String, header: [UInt8]?) throws(MillraceError) -> PartitionOutput {
    let isNew = FileStatus(path: path) == nil
    let file = try FileDescriptor(path, flags: O_RDWR | O_CREAT | O_APPEND)
    if isNew { try Directory.synchronize(Directory.parent(of: path)) }
    return try PartitionOutput(file, header: header)
  }

  init(
    _ file: consuming FileDescriptor, header: [UInt8]?, isStream: Bool = false
  ) throws(MillraceError) {
    let status = try file.status()
    isRegular = status.isRegular && !isStream
    if isRegular {
      guard file.lock() else {
        throw MillraceError(
          .system,
          "'\(file.path)' is being written by another job; one at a time may write to a file")
      }
      length = try file.status().size
    }
    self.file = file
    self.header = header
    if length == 0 {
      start()
    } else {
      try checkHeader()
      try endUnfinishedLine()
    }
  }

  private func start() {
    guard let header else { return }
    buffer.append(contentsOf: header)
    buffer.append(UInt8(ascii: "\n"))
    length += Int64(header.count + 1)
  }

  private func checkHeader() throws(MillraceError) {
    guard let header else { return }
    let found = try read(header.count + 1, at: 0)
    guard found.starts(with: header), let end = found.last, end == 0x0A || end == 0x0D else {
      let line = String(decoding: found.prefix { $0 != 0x0A }, as: UTF8.self)
      throw MillraceError(
        .configuration,
        "'\(file.path)' starts with \"\(line)\"; expected the header"
          + " \"\(String(decoding: header, as: UTF8.self))\" or no such file")
    }
  }

  private func endUnfinishedLine() throws(MillraceError) {
    guard try read(1, at: length - 1) != [UInt8(ascii: "\n")] else { return }
    buffer.append(UInt8(ascii: "\n"))
    length += 1
  }

  private func read(_ count: Int, at offset: Int64) throws(MillraceError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(MillraceError) in
      try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
    return Array(bytes.prefix(found))
  }

  func append(_ record: UnsafeRawBufferPointer) throws(MillraceError) {
    buffer.append(contentsOf: record)
    buffer.append(UInt8(ascii: "\n"))
    length += Int64(record.count + 1)
    if buffer.count >= Self.bufferSize { try send() }
  }

  func send() throws(MillraceError) {
    guard !buffer.isEmpty else { return }
    isDirty = true
    do throws(MillraceError) {
      try file.write(buffer)
    } catch {
      // Half a record must not stay behind. Should this fail too, the reason is the same.
      length -= Int64(buffer.count)
      if isRegular { ftruncate(file.number, off_t(length)) }
      buffer.removeAll(keepingCapacity: true)
      throw error
    }
    buffer.removeAll(keepingCapacity: true)
  }

  func flush() throws(MillraceError) {
    try send()
    if isDirty && isRegular { try file.synchronize() }
    isDirty = false
  }

  func truncate(to target: Int64) throws(MillraceError) {
    guard isRegular else { return }
    buffer.removeAll(keepingCapacity: true)
    let size = try file.status().size
    guard size >= target else {
      throw MillraceError(
        .input,
        "'\(file.path)' is \(size) bytes long, but \(target) bytes of it were durable: it was"
          + " truncated or replaced")
    }
    guard retryingInterrupted({ ftruncate(file.number, off_t(target)) }) == 0 else {
      throw .system("cannot truncate", file.path)
    }
    length = target
    isDirty = true
    if length == 0 { start() }
  }
}
