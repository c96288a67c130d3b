import Millrace

/// The records of `text` as a log would give them, without room behind the last one.
func recordBatch(_ text: [UInt8], _ format: DataFormat) -> RecordBatch {
  var batch = RecordBatch()
  batch.buffer = text
  var framer = RecordFramer(format: format)
  text.withUnsafeBytes {
    _ = framer.scan($0, atEnd: true, starts: &batch.starts, ends: &batch.ends)
  }
  batch.positions = batch.starts.map(Int64.init)
  batch.nextPosition = Int64(text.count)
  return batch
}

/// What decoding gives.
struct Decoded {
  var batch: Batch
  var rejected: [RejectedRecord]
  var schema: Schema

  var rows: [[Float]] {
    (0..<batch.count).map {
      Array(batch.features[$0 * batch.columnCount..<($0 + 1) * batch.columnCount])
    }
  }
  var reasons: [String] { rejected.map(\.reason) }
}

/// Decodes all records of `text`.
func decoded(
  _ text: [UInt8], _ schema: Schema, _ format: DataFormat, header: [String] = [],
  labels: RecordDecoder.LabelUse = .required, wide: Bool = false
) throws -> Decoded {
  var decoder = try RecordDecoder(
    schema: schema, format: format, header: header, labels: labels, wideFeatures: wide)
  var batch = Batch(columnCount: 0)
  var rejected: [RejectedRecord] = []
  try decoder.decode(recordBatch(text, format), into: &batch, rejected: &rejected)
  return Decoded(batch: batch, rejected: rejected, schema: decoder.schema)
}

func decoded(
  _ text: String, _ schema: Schema, _ format: DataFormat, header: [String] = [],
  labels: RecordDecoder.LabelUse = .required, wide: Bool = false
) throws -> Decoded {
  try decoded(
    Array(text.utf8), schema, format, header: header, labels: labels, wide: wide)
}

/// Numeric feature columns with these names.
func numeric(_ names: String...) -> [Schema.Column] {
  names.map { Schema.Column(name: $0, kind: .numeric) }
}

/// Whether rows are equal, with NaN equal to itself.
func same(_ a: [[Float]], _ b: [[Float]]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { x, y in
      x.count == y.count && zip(x, y).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    }
}
