internal import CMillraceKernels

/// Turns records, as bytes, into the rows of a `Batch` by a schema.
///
/// - Fields match columns by name; fields the schema does not know are ignored. A column that a
///   record lacks is a missing value.
/// - Missing values are an empty field, `?`, and `NA`, `NaN`, `null` or `none` in any case; JSON's
///   `null`. They become NaN. Spaces around a value do not count.
/// - Numbers are read as Python's `float` reads them (the nearest double, rounded to `Float`),
///   `inf` and `true`/`false` (1 and 0) included.
/// - `2.0` is the class or level `2`.
/// - LibSVM records are `label index:value …`; what stands behind `#`, and `qid:`, is left out. An
///   index that a record lacks is 0. Where the schema's features are sparse, rows are compressed,
///   and indices from its width on are folded back below it (Weinberger et al. 2009, "Feature
///   hashing"); a missing value is no entry.
/// - A record that does not fit is rejected with its reason, and the rest goes on.
///
/// Where the schema's classes are open, a class that appears is added to them: the decoder's schema
/// is a function of the records it saw, in their order.
///
/// A decoder is used by one thread at a time.
/// `@unchecked Sendable`: the kernel's state has one owner, this value, which cannot be copied.
public struct RecordDecoder: ~Copyable, @unchecked Sendable {
  /// Whether a record without label is a row.
  public enum LabelUse: Sendable {
    /// A record without a usable label is rejected: there is nothing to learn from it.
    case required
    /// A label that is missing, unknown or not a number is NaN: the record is to be predicted.
    case optional
  }

  /// The most classes that may appear.
  public static let classLimit = 1000

  /// Feature columns that the header does not name: missing in every record.
  public let absentColumns: [String]
  private var kernel: DecodingKernel
  private let wideFeatures: Bool

  /// How records are decoded; grows by the classes that appear where they are open.
  public var schema: Schema { kernel.schema }

  /// A decoder.
  ///
  /// - Parameters:
  ///   - schema: the columns, and the classes known so far.
  ///   - format: how records are written.
  ///   - header: the names of the fields in their order, for CSV and TSV.
  ///   - labels: whether a record without label is a row.
  ///   - wideFeatures: whether features are kept as doubles too (`Batch.wideFeatures`).
  /// - Throws: `input` when the header lacks the label (where it is required) or every feature.
  public init(
    schema: Schema, format: DataFormat, header: [String] = [], labels: LabelUse = .required,
    wideFeatures: Bool = false
  ) throws(MillraceError) {
    try schema.validate()
    let names = format.delimiter == nil ? FieldRoles(schema).names : header
    let present = Set(names)
    let absent = schema.columns.map(\.name).filter { !present.contains($0) }
    try Self.check(schema, format, header: names, absent: absent, labels: labels)

    absentColumns = absent
    kernel = DecodingKernel(schema: schema, format: format, fieldNames: names, labels: labels)
    self.wideFeatures = wideFeatures
  }

  /// Fills `batch` with the records that are rows, and `rejected` with the others.
  ///
  /// Both are emptied first; their memory is reused. Some 1.4 GB/s of numbers in CSV or JSON.
  ///
  /// - Throws: `input` when the records are those of a file that was truncated by the time they were
  ///   decoded: what was decoded is to be thrown away.
  public mutating func decode(
    _ records: borrowing RecordBatch, into batch: inout Batch, rejected: inout [RejectedRecord]
  ) throws(MillraceError) {
    try records.withBytes { decode($0, of: records, into: &batch, rejected: &rejected) }
  }

  private mutating func decode(
    _ bytes: UnsafeRawBufferPointer, of records: borrowing RecordBatch, into batch: inout Batch,
    rejected: inout [RejectedRecord]
  ) {
    let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    rejected.removeAll(keepingCapacity: true)
    let count = records.count
    let isIndexed = schema.sparseWidth != nil && schema.columns.isEmpty
    batch.columnCount = kernel.numberCount
    batch.resize(rows: count, wide: wideFeatures, keepsTexts: keepsTexts)
    batch.count = 0
    batch.sparse.width = schema.sparseWidth ?? 0
    if isIndexed {
      let entries = millrace_count_entries(base, records.starts, records.ends, count)
      batch.sparse.resize(rows: count, entries: entries)
    }
    var next = 0
    while next < count {
      var fault = millrace_fault()
      next = decode(base, bytes.count, of: records, from: next, into: &batch, &fault)
      if fault.kind != millrace_fault_none {
        next = kernel.resolve(fault, positions: records.positions, rejected: &rejected)
      }
    }
    batch.resize(rows: batch.count, wide: wideFeatures, keepsTexts: keepsTexts)
    markAbsent(in: &batch)
    kernel.multiply(in: &batch)
    if batch.sparse.width > 0, !isIndexed {
      kernel.gather(batch.features, count: batch.count, into: &batch.sparse)
      batch.columnCount = 0
    }
    batch.texts.removeAll(keepingCapacity: true)
    if keepsTexts, let end = batch.textEnds.last {
      let texts = UnsafeRawBufferPointer(start: millrace_decoder_kept(kernel.decoder), count: end)
      batch.texts.append(contentsOf: texts)
    }
  }

  /// Decodes records from `next` on up to the first that is no row.
  private func decode(
    _ bytes: UnsafePointer<UInt8>?, _ length: Int, of records: borrowing RecordBatch,
    from next: Int, into batch: inout Batch, _ fault: inout millrace_fault
  ) -> Int {
    if let width = schema.sparseWidth, schema.columns.isEmpty {
      let capacity = batch.sparse.indices.count
      return millrace_decode_sparse(
        kernel.decoder, bytes, length, records.starts, records.ends, records.count, next,
        UInt32(truncatingIfNeeded: width - 1), capacity, &batch.count, &batch.sparse.starts,
        &batch.sparse.indices, &batch.sparse.values, &batch.labels, &batch.weights,
        &batch.recordIndices, &fault)
    }
    return millrace_decode(
      kernel.decoder, bytes, length, records.starts, records.ends, records.count, next,
      wideFeatures ? 1 : 0, &batch.count, &batch.features, &batch.wideFeatures, &batch.labels,
      &batch.weights, &batch.recordIndices, &batch.textEnds, &fault)
  }

  /// Columns that the header does not name are missing in every row.
  private func markAbsent(in batch: inout Batch) {
    guard !absentColumns.isEmpty else { return }
    let absent = Set(absentColumns)
    var slot = 0
    for column in schema.columns where schema.sparseWidth == nil || column.kind == .numeric {
      if absent.contains(column.name) {
        for row in 0..<batch.count {
          for index in row * batch.columnCount + slot..<row * batch.columnCount + slot
            + column.width
          {
            batch.features[index] = .nan
            if wideFeatures { batch.wideFeatures[index] = .nan }
          }
        }
      }
      slot += column.width
    }
  }

  private var keepsTexts: Bool { schema.key != nil || schema.timestamp != nil }

  private static func check(
    _ schema: Schema, _ format: DataFormat, header: [String], absent: [String], labels: LabelUse
  ) throws(MillraceError) {
    let has = header.isEmpty ? "there are no fields" : "the fields are \(fieldList(header))"
    if labels == .required && !header.contains(schema.label) {
      throw MillraceError(.input, "there is no label field '\(schema.label)'; \(has)")
    }
    if let weight = schema.weight, !header.contains(weight) {
      throw MillraceError(.input, "there is no weight field '\(weight)'; \(has)")
    }
    if schema.sparseWidth != nil, schema.columns.isEmpty != (format == .libsvm) {
      throw MillraceError(
        .configuration,
        "the schema has sparse features of \(schema.columns.isEmpty ? "LibSVM" : "named") records;"
          + " \(format.rawValue) records have others")
    }
    if absent.count == schema.columns.count && !absent.isEmpty {
      throw MillraceError(.input, "none of the model's columns is there; \(has)")
    }
  }
}
