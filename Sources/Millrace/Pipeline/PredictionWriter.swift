/// Writes answers one line each, as CSV with a header or as JSON lines.
public struct PredictionWriter {
  private let format: PredictionFormat
  private let isJSON: Bool
  private let sink: any LogSink
  private var line = JSONLine()

  /// A writer; CSV gets its header at once.
  ///
  /// - Parameter isJSON: JSON lines instead of CSV.
  public init(
    schema: Schema, outputWidth: Int, isJSON: Bool, to sink: any LogSink
  ) throws(MillraceError) {
    format = PredictionFormat(schema: schema)
    self.isJSON = isJSON
    self.sink = sink
    columns = ["prediction"]
    switch schema.task {
    case .binary: columns.append("probability")
    case .multiclass: columns += schema.classes.map { "probability_\($0)" }
    case .regression: columns += outputWidth == 3 ? ["lower", "upper"] : []
    }
    if !isJSON {
      for (index, column) in columns.enumerated() {
        if index > 0 { line.raw(",") }
        line.csvField(column)
      }
      try line.append(to: sink, partition: 0)
    }
  }

  /// `prediction`, and what comes with it.
  private var columns: [String]

  /// Writes the next answer. One without a value is a line of empty fields, or of nulls.
  public mutating func write(_ answer: Scoring.Answer) throws(MillraceError) {
    line.removeAll()
    if isJSON { line.raw("{") }
    for (index, column) in columns.enumerated() {
      if index > 0 { line.raw(",") }
      if isJSON {
        line.string(column)
        line.raw(":")
      }
      if case .prediction(let numbers) = answer {
        write(column: index, of: numbers)
      } else if isJSON {
        line.raw("null")
      }
    }
    if isJSON { line.raw("}") }
    try line.append(to: sink, partition: 0)
  }

  private mutating func write(column index: Int, of numbers: ArraySlice<Double>) {
    let first = numbers.startIndex
    if format.task == .regression { return line.number(numbers[first + index]) }
    if index > 0 { return line.number(numbers[first + index - 1]) }
    let predicted = format.predictedClass(numbers)
    if isJSON {
      format.append(class: predicted, to: &line)
    } else if predicted < format.classes.count {
      line.csvField(format.classes[predicted])
    }
  }
}

extension JSONLine {
  /// A field of a CSV line: quoted where RFC 4180 demands it.
  mutating func csvField(_ text: String) {
    let special = text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    guard special else { return raw(Array(text.utf8)) }
    raw("\"")
    for byte in text.utf8 {
      if byte == 0x22 { raw("\"") }
      raw([byte])
    }
    raw("\"")
  }
}
