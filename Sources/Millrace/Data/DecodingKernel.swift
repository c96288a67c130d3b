internal import CMillraceKernels

/// The kernel's decoder with what it is told of the fields, and the schema that grows with it.
struct DecodingKernel: ~Copyable {
  let decoder: OpaquePointer
  /// Grows by the classes that appear where they are open.
  private(set) var schema: Schema
  /// The names of the fields by the kernel's index.
  private let fieldNames: [String]
  private let products: ProductColumns
  /// The numbers that a record is decoded to (`Schema.numberCount`).
  let numberCount: Int

  /// - Parameter fieldNames: the fields of a record in their order; where they have names, those
  ///   that are used.
  init(
    schema: Schema, format: DataFormat, fieldNames: [String], labels: RecordDecoder.LabelUse
  ) {
    self.schema = schema
    self.fieldNames = fieldNames
    products = ProductColumns(schema)
    numberCount = schema.numberCount
    decoder = millrace_decoder_create(
      format.syntax, format.delimiter ?? 0, numberCount, labels == .required ? 1 : 0)
    let roles = FieldRoles(schema)
    var seen: Set<String> = []
    for (index, name) in fieldNames.enumerated() {
      // The first field of a name counts.
      let role = seen.insert(name).inserted ? roles[name] : FieldRoles.unused
      millrace_decoder_add_field(decoder, name, role.kind, role.slot, role.width)
      for level in role.levels { millrace_decoder_add_level(decoder, index, level) }
    }
    if let key = schema.key, let field = fieldNames.firstIndex(of: key) {
      millrace_decoder_keep_key(decoder, field)
    }
    if let timestamp = schema.timestamp, let field = fieldNames.firstIndex(of: timestamp) {
      millrace_decoder_keep_timestamp(decoder, field)
    }
  }

  deinit { millrace_decoder_destroy(decoder) }

  /// Fills the columns of a batch that are products of what was decoded.
  func multiply(in batch: inout Batch) {
    guard products.count > 0 else { return }
    batch.features.withUnsafeMutableBufferPointer { features in
      guard let base = features.baseAddress else { return }
      products.fill(base, rowCount: batch.count)
    }
    guard !batch.wideFeatures.isEmpty else { return }
    batch.wideFeatures.withUnsafeMutableBufferPointer { features in
      guard let base = features.baseAddress else { return }
      products.fill(base, rowCount: batch.count)
    }
  }

  /// Makes sparse rows of what was decoded into numbers and words.
  func gather(_ numbers: [Float], count: Int, into rows: inout SparseRows) {
    let columns = schema.columns
    let numeric = columns.indices.filter { columns[$0].kind == .numeric }
    let places = Dictionary(
      columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = (schema.interactions ?? []).flatMap { pair in pair.compactMap { places[$0] } }
    let centers = numeric.map { columns[$0].center ?? 0 }
    let entries = withCStrings(numeric.map { columns[$0].name }) { names in
      millrace_decoder_gather(
        decoder, numbers, count, names, centers, numeric, pairs, pairs.count / 2,
        UInt32(truncatingIfNeeded: rows.width - 1))
    }
    let total = entries.starts[count]
    rows.resize(rows: count, entries: total)
    for row in 0...count { rows.starts[row] = entries.starts[row] }
    rows.indices.withUnsafeMutableBufferPointer { indices in
      _ = indices.update(fromContentsOf: UnsafeBufferPointer(start: entries.indices, count: total))
    }
    rows.values.withUnsafeMutableBufferPointer { values in
      _ = values.update(fromContentsOf: UnsafeBufferPointer(start: entries.values, count: total))
    }
  }

  /// Deals with a record that is no row: adds its class where that is all that is wrong with it,
  /// or rejects it.
  ///
  /// - Returns: the record to go on with.
  mutating func resolve(
    _ fault: millrace_fault, positions: [Int64], rejected: inout [RejectedRecord]
  ) -> Int {
    if fault.kind == millrace_fault_class, schema.hasOpenClasses,
      schema.classes.count < RecordDecoder.classLimit, let text = fault.text
    {
      let name = String(
        decoding: UnsafeBufferPointer(start: text, count: fault.length), as: UTF8.self)
      schema.classes.append(name)
      millrace_decoder_add_level(decoder, fault.field, name)
      return fault.record
    }
    let column: String? = fieldNames.indices.contains(fault.field) ? fieldNames[fault.field] : nil
    let reason = fault.reason(
      column: column ?? schema.label, fieldCount: fieldNames.count, classes: schema.classes)
    rejected.append(
      RejectedRecord(
        recordIndex: fault.record, position: positions[fault.record], reason: reason,
        column: column))
    return fault.record + 1
  }
}

/// Calls `body` with texts that end in 0, for the length of the call.
private func withCStrings<Result>(
  _ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> Result
) -> Result {
  var bytes: [CChar] = []
  var starts: [Int] = []
  for text in texts {
    starts.append(bytes.count)
    bytes += text.utf8CString
  }
  return bytes.withUnsafeBufferPointer { buffer in
    body(starts.map { start in buffer.baseAddress.map { $0 + start } })
  }
}

extension Schema {
  /// What is taken from the numbers among sparse features, by feature.
  var sparseCenters: [UInt32: Double] {
    guard let sparseWidth else { return [:] }
    let mask = UInt32(truncatingIfNeeded: sparseWidth - 1)
    return Dictionary(
      columns.compactMap { column in
        column.center.map { (millrace_number_index(column.name) & mask, Double($0)) }
      }, uniquingKeysWith: +)
  }
}
