internal import CMillraceKernels

/// One field of a record as it stands there.
struct RecordField {
  /// What a text says.
  enum Kind {
    case missing, number, text
    /// An object or an array.
    case nested
  }

  /// The field's name; empty in CSV.
  var name: String
  /// What stands there, as a level or class would be read.
  var text: String
  var kind: Kind
}

/// Reads records field by field, whatever they are for: what inference looks at.
struct FieldReader: ~Copyable {
  private let kernel: OpaquePointer

  init(format: DataFormat) {
    kernel = millrace_decoder_create(format.syntax, format.delimiter ?? 0, 0, 0)
  }

  deinit { millrace_decoder_destroy(kernel) }

  /// The fields of a record; `nil` when it cannot be read.
  func fields(of record: UnsafeRawBufferPointer) -> [RecordField]? {
    var fields: [RecordField] = []
    var fault = millrace_fault()
    withUnsafeMutablePointer(to: &fields) { fields in
      millrace_visit_fields(
        kernel, record.baseAddress?.assumingMemoryBound(to: UInt8.self), record.count,
        { context, name, nameLength, text, length, kind in
          context?.assumingMemoryBound(to: [RecordField].self).pointee.append(
            RecordField(
              name: String(name, nameLength), text: String(text, length), kind: .init(kind)))
        }, fields, &fault)
    }
    return fault.kind == millrace_fault_none ? fields : nil
  }
}

extension DataFormat {
  /// How the kernel reads it.
  var syntax: millrace_syntax {
    switch self {
    case .csv, .tsv: millrace_syntax_separated
    case .jsonLines: millrace_syntax_json
    case .libsvm: millrace_syntax_libsvm
    }
  }

  /// The names that a header line gives to the fields; empty for formats without one.
  ///
  /// A byte order mark is left out; a field without a name is called by its place, `column3`.
  public func fieldNames(header: [UInt8]?) -> [String] {
    guard delimiter != nil, let header else { return [] }
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let line = header.starts(with: mark) ? header.dropFirst(mark.count) : header[...]
    let fields = line.withUnsafeBytes { FieldReader(format: self).fields(of: $0) } ?? []
    return fields.enumerated().map { index, field in
      field.text.isEmpty ? "column\(index + 1)" : field.text
    }
  }
}

extension String {
  fileprivate init(_ text: UnsafePointer<CChar>?, _ length: Int) {
    self.init(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
  }
}

extension RecordField.Kind {
  fileprivate init(_ kind: millrace_text_kind) {
    switch kind {
    case millrace_text_missing: self = .missing
    case millrace_text_number: self = .number
    case millrace_text_nested: self = .nested
    default: self = .text
    }
  }
}
