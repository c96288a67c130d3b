internal import CMillraceKernels

/// A record that is no row, and why.
public struct RejectedRecord: Equatable, Sendable {
  /// Which record of the `RecordBatch` it is.
  public var recordIndex: Int
  /// Its position in the partition.
  public var position: Int64
  /// What is wrong, with the value found and what is expected.
  public var reason: String
  /// The field that does not fit; `nil` when it is the record as a whole.
  public var column: String?

  /// A rejected record.
  public init(recordIndex: Int, position: Int64, reason: String, column: String? = nil) {
    self.recordIndex = recordIndex
    self.position = position
    self.reason = reason
    self.column = column
  }
}

extension millrace_fault {
  /// The text that did not fit, on one line and cut to what a person wants to read.
  var evidence: String {
    guard let text else { return "" }
    let shown = UnsafeBufferPointer(start: text, count: min(length, 64))
    let quoted = String(decoding: shown, as: UTF8.self).debugDescription
    return length > shown.count ? "\(quoted)… (\(length) bytes)" : quoted
  }

  /// What is wrong, in words.
  ///
  /// - Parameters:
  ///   - column: the name of the field that does not fit.
  ///   - fieldCount: the fields of a record, by the header.
  ///   - classes: the classes there are.
  func reason(column: String, fieldCount: Int, classes: [String]) -> String {
    switch kind {
    case millrace_fault_field_count:
      "the record has \(count) fields; expected \(fieldCount)"
    case millrace_fault_number:
      "'\(column)' is \(evidence); expected a number"
    case millrace_fault_target:
      "'\(column)' is \(evidence); expected a finite number"
    case millrace_fault_class:
      "'\(column)' is \(evidence); expected one of \(list(classes))"
    case millrace_fault_no_label:
      "'\(column)' is missing; a record to learn from needs its label"
    case millrace_fault_weight:
      text == nil
        ? "'\(column)' is missing; expected a weight"
        : "'\(column)' is \(evidence); expected a finite number of at least 0"
    case millrace_fault_nested:
      "'\(column)' is an object or an array; expected one value"
    case millrace_fault_utf8:
      "the record is not valid UTF-8"
    case millrace_fault_quote:
      "the quote that opens '\(column)' is never closed"
    case millrace_fault_entry:
      "\(evidence) is no LibSVM entry; expected index:value"
    case millrace_fault_object:
      "the record is no JSON object"
    default:
      "the record is not valid JSON: \(evidence)"
    }
  }

  private func list(_ classes: [String]) -> String {
    let shown = classes.prefix(10).map(\.debugDescription).joined(separator: ", ")
    return classes.count > 10 ? "\(shown), … (\(classes.count) classes)" : shown
  }
}
