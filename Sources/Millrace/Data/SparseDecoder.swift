internal import CMillraceKernels

/// Turns LibSVM records, as bytes, into the compressed rows of a `SparseBatch`.
///
/// A record is `label index:value …`; what stands behind `#`, and `qid:`, is left out. A missing
/// value (`NaN`) is no entry. Indices from the schema's width on are folded back below it (feature
/// hashing, Weinberger et al. 2009). Labels, classes and rejected records are as in `RecordDecoder`.
///
/// A decoder is used by one thread at a time.
/// `@unchecked Sendable`: the kernel's state has one owner, this value, which cannot be copied.
public struct SparseDecoder: ~Copyable, @unchecked Sendable {
  private var kernel: DecodingKernel
  private let width: Int

  /// How records are decoded; grows by the classes that appear where they are open.
  public var schema: Schema { kernel.schema }

  /// A decoder.
  ///
  /// - Parameters:
  ///   - schema: the width, and the classes known so far.
  ///   - labels: whether a record without label is a row.
  /// - Throws: `configuration` when the schema's features are not sparse.
  public init(schema: Schema, labels: RecordDecoder.LabelUse = .required) throws(MillraceError) {
    try schema.validate()
    guard let width = schema.sparseWidth else {
      throw MillraceError(
        .configuration, "the schema has \(schema.columns.count) columns; expected sparse features")
    }
    kernel = DecodingKernel(
      schema: schema, format: .libsvm, fieldNames: [schema.label], labels: labels)
    self.width = width
  }

  /// Fills `batch` with the records that are rows, and `rejected` with the others.
  ///
  /// Both are emptied first; their memory is reused. Some 2 GB/s.
  public mutating func decode(
    _ records: borrowing RecordBatch, into batch: inout SparseBatch,
    rejected: inout [RejectedRecord]
  ) {
    rejected.removeAll(keepingCapacity: true)
    batch.width = width
    let count = records.count
    batch.resize(
      rows: count,
      entries: millrace_count_entries(records.bytes, records.starts, records.ends, count))
    batch.count = 0
    var next = 0
    while next < count {
      var fault = millrace_fault()
      next = millrace_decode_sparse(
        kernel.decoder, records.bytes, records.bytes.count, records.starts, records.ends, count,
        next, UInt32(width - 1), &batch.count, &batch.rowStarts, &batch.indices, &batch.values,
        &batch.labels, &batch.weights, &batch.recordIndices, &fault)
      if fault.kind != millrace_fault_none {
        next = kernel.resolve(fault, positions: records.positions, rejected: &rejected)
      }
    }
    batch.resize(rows: batch.count, entries: 0)
  }
}
