/// What a sample shows of one field.
struct ColumnSummary {
  /// The field's name.
  let name: String
  /// Records in which it says something.
  private(set) var valueCount = 0
  /// Of these, the numbers.
  private(set) var numberCount = 0
  /// Of these, objects and arrays.
  private(set) var nestedCount = 0
  /// How often each text occurs.
  private(set) var occurrences: [String: Int] = [:]
  /// The first text that is no number.
  private(set) var firstText: String?
  /// The sum of the numbers, and how many are not 0.
  private var (sum, nonzeroCount) = (0.0, 0)

  init(name: String) { self.name = name }

  mutating func add(_ field: RecordField) {
    switch field.kind {
    case .missing: return
    case .nested:
      nestedCount += 1
    case .number:
      numberCount += 1
      occurrences[field.text, default: 0] += 1
      if let number = Double(field.text), number != 0, number.isFinite {
        sum += number
        nonzeroCount += 1
      }
    case .text:
      firstText = firstText ?? field.text
      occurrences[field.text, default: 0] += 1
    }
    valueCount += 1
  }

  /// Whether it is read as a number: what is none, at most one value in ten, is rejected.
  var isNumeric: Bool { numberCount * 10 >= valueCount * 9 }

  /// The mean of the numbers where most are not 0: there nothing is gained by keeping zeros.
  var center: Float? {
    nonzeroCount * 2 > numberCount ? Float(sum / Double(numberCount)) : nil
  }

  /// Whether nearly every record has another text: a name, a time, free text.
  var isNearlyUnique: Bool { valueCount >= 20 && occurrences.count * 2 > valueCount }

  /// An estimate of how many values are texts that the sample lacks: as many as came once
  /// (Good 1953).
  var unseenShare: Double {
    Double(occurrences.values.count { $0 == 1 }) / Double(max(valueCount, 1))
  }

  /// Whether its texts are sentences rather than names: three words and more on average.
  var hasManyWords: Bool {
    let spaces = occurrences.keys.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: " ") } }
    return spaces >= 2 * occurrences.count
  }

  /// The texts in order: numbers by value, then the others.
  var levels: [String] {
    occurrences.keys.sorted { a, b in
      switch (Double(a), Double(b)) {
      case (let x?, let y?): (x, a) < (y, b)
      case (.some, nil): true
      case (nil, .some): false
      case (nil, nil): a < b
      }
    }
  }

  /// Whether all values are whole numbers, or true and false.
  var isWhole: Bool {
    firstText == nil && nestedCount == 0
      && occurrences.keys.allSatisfy { text in
        guard let value = Double(text) else { return text.first?.isLetter == true }
        return value == value.rounded() && value.isFinite
      }
  }
}

/// The summaries of all fields of a sample, in the order in which they appear.
struct FieldSummaries {
  private let format: DataFormat
  /// What the label of LibSVM records is called: it has no name there.
  private let indexedLabel: String
  private(set) var columns: [ColumnSummary] = []
  /// Records that were read, and those that cannot be.
  private(set) var recordCount = 0
  private(set) var unreadableCount = 0
  /// The indices of LibSVM records; `nil` for other formats.
  private(set) var indices: ClosedRange<Int>?
  /// Names that a header gives to two fields.
  private(set) var repeatedNames: Set<String> = []
  private var places: [String: Int] = [:]

  init(
    of samples: [SchemaInference.Sample], format: DataFormat, indexedLabel: String? = nil
  ) throws(MillraceError) {
    self.format = format
    self.indexedLabel = indexedLabel ?? SchemaInference.indexedLabel
    for sample in samples { try add(sample) }
  }

  /// The summary of a field.
  subscript(name: String) -> ColumnSummary? { places[name].map { columns[$0] } }

  private mutating func add(_ sample: SchemaInference.Sample) throws(MillraceError) {
    let header = format.fieldNames(header: sample.header)
    var seen: Set<String> = []
    let headerPlaces = header.map { name in
      let isFirst = seen.insert(name).inserted
      if !isFirst { repeatedNames.insert(name) }
      return isFirst ? place(of: name) : nil
    }
    let reader = FieldReader(format: format)
    for batch in sample.records {
      try batch.withBytes { bytes in
        for (start, end) in zip(batch.starts, batch.ends) {
          add(
            reader.fields(of: UnsafeRawBufferPointer(rebasing: bytes[start..<end])), headerPlaces)
        }
      }
    }
  }

  private mutating func add(_ fields: [RecordField]?, _ headerPlaces: [Int?]) {
    let isByPosition = format.delimiter != nil
    guard let fields, !isByPosition || fields.count == headerPlaces.count else {
      unreadableCount += 1
      return
    }
    recordCount += 1
    if format == .libsvm { return addIndexed(fields) }
    for (index, field) in fields.enumerated() {
      if let place = isByPosition ? headerPlaces[index] : place(of: field.name) {
        columns[place].add(field)
      }
    }
  }

  /// Takes in a LibSVM record: its label, and how far its indices go.
  private mutating func addIndexed(_ fields: [RecordField]) {
    for (position, field) in fields.enumerated() {
      if position == 0 {
        columns[place(of: indexedLabel)].add(field)
      } else if let index = Int(field.name) {
        indices = min(indices?.lowerBound ?? 1, index)...max(indices?.upperBound ?? 1, index)
      }
    }
  }

  private mutating func place(of name: String) -> Int {
    if let place = places[name] { return place }
    places[name] = columns.count
    columns.append(ColumnSummary(name: name))
    return columns.count - 1
  }
}
