/// The key and the time of records, as text.
struct RecordFields: ~Copyable {
  private var decoder: RecordDecoder
  private var rows = Batch(columnCount: 0)
  private var rejected: [RejectedRecord] = []
  /// The row of each record; -1 for one that does not decode.
  private var rowOfRecord: [Int] = []

  /// - Throws: `configuration` when CSV's header has no such field, and for LibSVM.
  init(
    key: String?, timestamp: String?, format: DataFormat, header: [UInt8]
  ) throws(MillraceError) {
    let names = format.delimiter == nil ? nil : format.fieldNames(header: header)
    for (use, field) in [("key", key), ("timestamp", timestamp)] {
      guard let field else { continue }
      if format == .libsvm {
        throw .setting(use, field, expected: "none: LibSVM records have no names")
      }
      if let names, !names.contains(field) {
        throw .setting(
          use, field,
          expected: "one of the fields \(fieldList(names))\(suggestion(field, among: names))")
      }
    }
    let schema = Schema(task: .regression, columns: [], label: "", key: key, timestamp: timestamp)
    decoder = try RecordDecoder(
      schema: schema, format: format, header: names ?? [], labels: .optional)
  }

  /// Takes in the records of a batch.
  mutating func read(_ batch: borrowing RecordBatch) throws(MillraceError) {
    try decoder.decode(batch, into: &rows, rejected: &rejected)
    rowOfRecord = Array(repeating: -1, count: batch.count)
    for (row, record) in rows.recordIndices.enumerated() { rowOfRecord[record] = row }
  }

  /// A record's key; empty where it has none.
  func key(of record: Int) -> ArraySlice<UInt8> {
    rowOfRecord[record] < 0 ? [] : rows.key(row: rowOfRecord[record])
  }

  /// A record's time; empty where it has none.
  func timestamp(of record: Int) -> ArraySlice<UInt8> {
    rowOfRecord[record] < 0 ? [] : rows.timestamp(row: rowOfRecord[record])
  }
}
