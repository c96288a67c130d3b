package import Millrace

/// What the text after an option may be, and the value it stands for.
///
/// The one description from which checking, the error's "expected …", help, and shell completion
/// follow.
package struct ValueKind<Value: Sendable>: Sendable {
  /// What is allowed, as it stands after "expected".
  package var expected: String
  /// The value that texts stand for; `nil` when they are not allowed. All but lists get one text.
  package var parse: @Sendable ([String]) -> Value?
  /// How a default is shown in the help; `nil` shows none.
  package var describe: @Sendable (Value) -> String?
  /// How the shell completes it.
  package var completion = ValueCompletion.none
  /// What the option takes on the command line.
  package var arity = ValueArity.one
  /// What the command does with the file it names; `nil` when it names none, or a folder of the
  /// command's own.
  package var use: FileUses.Use?
}

/// How a shell completes a value.
package enum ValueCompletion: Equatable, Sendable {
  /// Not at all.
  case none
  /// From a fixed list.
  case choices([String])
  /// With the names of files and directories.
  case files
}

/// How many texts make a value.
package enum ValueArity: Sendable {
  /// None: `--name` is true, `--no-name` false.
  case flag
  /// One; the last one given counts.
  case one
  /// As many as are given, each possibly several, between commas.
  case list
  /// As many as are given.
  case repeated
}

extension ValueKind {
  /// A value of one text.
  init(
    one expected: String, describe: @escaping @Sendable (Value) -> String? = { "\($0)" },
    parse: @escaping @Sendable (String) -> Value?
  ) {
    self.expected = expected
    self.describe = describe
    self.parse = { texts in texts.last.flatMap(parse) }
  }
}

extension ValueKind where Value == Bool {
  /// True or false.
  package static var flag: Self {
    var kind = Self(one: "true or false", describe: { $0 ? "on" : nil }) { Bool($0) }
    kind.arity = .flag
    return kind
  }
}

extension ValueKind where Value == String {
  /// Any text that is not empty.
  package static var text: Self {
    Self(one: "a text that is not empty") { $0.isEmpty ? nil : $0 }
  }

  /// The path of a file or directory, or an address.
  package static var path: Self {
    var kind = text
    kind.expected = "a path"
    kind.completion = .files
    return kind
  }

  /// The path or address of what is read.
  package static var input: Self { path(.read) }

  /// The path or address of what is written.
  package static var output: Self { path(.written) }

  /// The path of a model store.
  package static var store: Self { path(.store) }

  private static func path(_ use: FileUses.Use) -> Self {
    var kind = path
    kind.use = use
    return kind
  }
}

extension ValueKind where Value == [String] {
  /// Texts between commas; given again, they add up.
  package static var list: Self {
    var kind = repeated("texts between commas, none of them empty") { !$0.isEmpty }
    kind.arity = .list
    return kind
  }

  /// Texts that are each given on their own: `--kafka a=1 --kafka b=2`.
  package static func repeated(
    _ expected: String, where isAllowed: @escaping @Sendable (String) -> Bool
  ) -> Self {
    Self(
      expected: expected, parse: { $0.allSatisfy(isAllowed) ? $0 : nil },
      describe: { $0.isEmpty ? nil : $0.joined(separator: ",") }, arity: .repeated)
  }
}

extension ValueKind where Value == [Int] {
  /// Whole numbers between commas.
  package static func integers(in range: ClosedRange<Int>) -> Self {
    let kind = ValueKind<Int>.integer(in: range)
    return Self(
      expected: "\(kind.expected), several between commas",
      parse: { texts in
        let values = texts.compactMap { kind.parse([$0]) }
        return values.count == texts.count ? values : nil
      },
      describe: { $0.isEmpty ? nil : $0.map(String.init).joined(separator: ",") }, arity: .list)
  }
}

extension ValueKind where Value == [Double] {
  /// Numbers between commas.
  package static func numbers(in range: ClosedRange<Double>) -> Self {
    let kind = ValueKind<Double>.number(in: range)
    return Self(
      expected: "\(kind.expected), several between commas",
      parse: { texts in
        let values = texts.compactMap { kind.parse([$0]) }
        return values.count == texts.count ? values : nil
      },
      describe: { $0.isEmpty ? nil : $0.map { "\($0)" }.joined(separator: ",") }, arity: .list)
  }
}

extension ValueKind where Value: FixedWidthInteger {
  /// A whole number: `10000` or `10_000`.
  package static func integer(in range: ClosedRange<Value> = .min ... .max) -> Self {
    Self(one: "a whole number\(rangeText(range, low: Value.min, high: Value.max))") { text in
      let digits = text.filter { $0 != "_" }
      guard text.first != "_", text.last != "_", let value = Value(digits) else { return nil }
      return range.contains(value) ? value : nil
    }
  }
}

extension ValueKind where Value == Double {
  /// A finite number.
  package static func number(
    in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
  ) -> Self {
    let largest = Double.greatestFiniteMagnitude
    return Self(one: "a number\(rangeText(range, low: -largest, high: largest))") { text in
      Double(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A finite number above 0.
  package static var positiveNumber: Self {
    var kind = number(in: Double.leastNonzeroMagnitude ... .greatestFiniteMagnitude)
    kind.expected = "a number above 0"
    return kind
  }
}

/// ` from 0 to 1`, ` of at least 1`, ` of at most 9`, or nothing.
private func rangeText<Value: Comparable>(
  _ range: ClosedRange<Value>, low: Value, high: Value
) -> String {
  switch (range.lowerBound > low, range.upperBound < high) {
  case (true, true): " from \(range.lowerBound) to \(range.upperBound)"
  case (true, false): " of at least \(range.lowerBound)"
  case (false, true): " of at most \(range.upperBound)"
  case (false, false): ""
  }
}

extension ValueKind where Value == Duration {
  /// A duration with its unit: `500ms`, `5s`, `2m`, `1h`.
  package static var duration: Self {
    Self(one: "a duration such as 500ms, 5s, 2m or 1h", describe: text) { text in
      units.lazy.compactMap { unit in
        guard text.hasSuffix(unit.suffix), let number = Double(text.dropLast(unit.suffix.count)),
          number >= 0, number * unit.seconds < 1e9
        else { return nil }
        return .seconds(number * unit.seconds)
      }.first
    }
  }

  /// A duration; a number without a unit is milliseconds.
  package static var milliseconds: Self {
    let kind = duration
    return Self(one: "milliseconds, or \(kind.expected)", describe: kind.describe) { text in
      kind.parse([text]) ?? kind.parse([text + "ms"])
    }
  }

  /// `ms` before `s` and `m`, which it ends and starts with.
  private static var units: [(suffix: String, seconds: Double)] {
    [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
  }

  @Sendable private static func text(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    let unit = units.last { seconds >= $0.seconds } ?? units[0]
    let number = seconds / unit.seconds
    return (number == number.rounded() ? "\(Int(number))" : "\(number)") + unit.suffix
  }
}

/// How often something happens.
package enum Interval: Equatable, Sendable {
  /// After every so many records.
  case records(Int)
  /// After every so much time.
  case time(Duration)
}

extension ValueKind where Value == Interval {
  /// A number of records, or a duration.
  package static var interval: Self {
    let records = ValueKind<Int>.integer(in: 1...Int.max)
    let time = ValueKind<Duration>.duration
    return Self(
      one: "a number of records of at least 1, or \(time.expected)",
      describe: { interval in
        switch interval {
        case .records(let count): records.describe(count)
        case .time(let duration): time.describe(duration)
        }
      },
      parse: { text in
        if let count = records.parse([text]) { return .records(count) }
        return time.parse([text]).flatMap { $0 > .zero ? .time($0) : nil }
      })
  }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the cases.
  package static var choice: Self {
    let names = Value.allCases.map(\.rawValue)
    var kind = Self(one: "one of \(names.joined(separator: ", "))", describe: \.rawValue) {
      Value(rawValue: $0)
    }
    kind.completion = .choices(names)
    return kind
  }
}
