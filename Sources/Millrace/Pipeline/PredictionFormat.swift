/// How the predictions of a schema are written.
struct PredictionFormat {
  let task: Task
  /// The names of the classes.
  let classes: [String]
  /// Each class as JSON: a number where its name is one, otherwise a string.
  private let classValues: [[UInt8]]
  /// Each class as the key of a JSON object.
  private let classKeys: [[UInt8]]

  init(schema: Schema) {
    task = schema.task
    classes = schema.classes
    classKeys = classes.map { name in
      var json = JSONLine()
      json.string(name)
      return json.bytes
    }
    classValues = zip(classes, classKeys).map { isJSONNumber($0) ? Array($0.utf8) : $1 }
  }

  /// The most probable class; the second of two from ½ on.
  func predictedClass(_ numbers: ArraySlice<Double>) -> Int {
    guard task == .multiclass else { return (numbers.first ?? 0) > 0.5 ? 1 : 0 }
    let best = numbers.indices.max { numbers[$0] < numbers[$1] }
    return (best ?? numbers.startIndex) - numbers.startIndex
  }

  /// Appends a class as a JSON value.
  func append(class index: Int, to line: inout JSONLine) {
    if index < classValues.count { line.raw(classValues[index]) } else { line.raw("null") }
  }

  /// Appends `"prediction":…` and what goes with it: `"probability"` of the second of two classes,
  /// `"probabilities"` by class beyond two, `"lower"` and `"upper"` where there is an interval.
  func append(_ numbers: ArraySlice<Double>, to line: inout JSONLine) {
    line.raw("\"prediction\":")
    let first = numbers.startIndex
    switch task {
    case .regression:
      line.number(numbers[first])
      if numbers.count == 3 {
        line.raw(",\"lower\":")
        line.number(numbers[first + 1])
        line.raw(",\"upper\":")
        line.number(numbers[first + 2])
      }
    case .binary:
      append(class: predictedClass(numbers), to: &line)
      line.raw(",\"probability\":")
      line.number(numbers[first])
    case .multiclass:
      append(class: predictedClass(numbers), to: &line)
      line.raw(",\"probabilities\":{")
      for (index, (key, probability)) in zip(classKeys, numbers).enumerated() {
        if index > 0 { line.raw(",") }
        line.raw(key)
        line.raw(":")
        line.number(probability)
      }
      line.raw("}")
    }
  }
}

/// Whether a text is a number as JSON writes it (RFC 8259, section 6), so that it can stand there
/// without quotes.
private func isJSONNumber(_ text: String) -> Bool {
  var rest = text.utf8[...]
  func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  func digits() -> Int {
    let run = rest.prefix(while: isDigit).count
    rest = rest.dropFirst(run)
    return run
  }
  if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
  let leadingZero = rest.first == UInt8(ascii: "0")
  let whole = digits()
  guard whole == 1 || whole > 1 && !leadingZero else { return false }
  if rest.first == UInt8(ascii: ".") {
    rest = rest.dropFirst()
    guard digits() > 0 else { return false }
  }
  if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
      rest = rest.dropFirst()
    }
    guard digits() > 0 else { return false }
  }
  return rest.isEmpty
}
