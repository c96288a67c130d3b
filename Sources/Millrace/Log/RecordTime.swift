/// The time that a record's timestamp field tells.
package enum RecordTime {
  /// Seconds since 1970 (UTC).
  ///
  /// - A number counts seconds; milli-, micro- or nanoseconds where it is too large for seconds
  ///   (from 10¹¹, 10¹⁴, 10¹⁷ on: every date after March 1973 is told apart).
  /// - `2024-05-01`, `2024-05-01 12:30`, `2024-05-01T12:30:15.25Z`, `…+02:00` (ISO 8601); without
  ///   a zone it is UTC.
  ///
  /// - Returns: `nil` for any other text.
  package static func seconds(_ text: some Collection<UInt8>) -> Double? {
    let text = String(decoding: text, as: UTF8.self)
    if let number = Double(text) {
      guard number.isFinite else { return nil }
      switch abs(number) {
      case 1e17...: return number / 1e9
      case 1e14...: return number / 1e6
      case 1e11...: return number / 1e3
      default: return number
      }
    }
    return calendarSeconds(text.utf8[...])
  }

  private static func calendarSeconds(_ text: Substring.UTF8View) -> Double? {
    var rest = text
    guard let year = number(&rest, digits: 4), skip("-", &rest),
      let month = number(&rest, digits: 2), (1...12).contains(month), skip("-", &rest),
      let day = number(&rest, digits: 2), (1...31).contains(day)
    else { return nil }
    var seconds = Double(daysSince1970(year, month, day)) * 86_400
    guard skip("T", &rest) || skip(" ", &rest) else { return rest.isEmpty ? seconds : nil }
    guard let time = timeOfDay(&rest) else { return nil }
    seconds += time
    if skip("Z", &rest) || rest.isEmpty { return rest.isEmpty ? seconds : nil }
    let isAhead = skip("+", &rest)
    guard isAhead || skip("-", &rest), let hours = number(&rest, digits: 2) else { return nil }
    _ = skip(":", &rest)
    let minutes = rest.isEmpty ? 0 : number(&rest, digits: 2)
    guard let minutes, rest.isEmpty else { return nil }
    return seconds - Double((isAhead ? 1 : -1) * (hours * 3600 + minutes * 60))
  }

  /// `12:30`, `12:30:15`, `12:30:15.25`.
  private static func timeOfDay(_ rest: inout Substring.UTF8View) -> Double? {
    guard let hour = number(&rest, digits: 2), hour < 25, skip(":", &rest),
      let minute = number(&rest, digits: 2), minute < 60
    else { return nil }
    var seconds = Double(hour * 3600 + minute * 60)
    guard skip(":", &rest) else { return seconds }
    guard let second = number(&rest, digits: 2), second < 61 else { return nil }
    seconds += Double(second)
    if skip(".", &rest) {
      let fraction = rest.prefix { (0x30...0x39).contains($0) }
      guard let value = Double("0." + String(Substring(fraction))) else { return nil }
      seconds += value
      rest = rest[fraction.endIndex...]
    }
    return seconds
  }

  /// Days from 1 January 1970 to a day of the Gregorian calendar (H. Hinnant, "chrono-Compatible
  /// Low-Level Date Algorithms", `days_from_civil`).
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func number(_ rest: inout Substring.UTF8View, digits: Int) -> Int? {
    let text = rest.prefix(digits)
    guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    rest = rest.dropFirst(digits)
    return Int(Substring(text))
  }

  private static func skip(_ character: Unicode.Scalar, _ rest: inout Substring.UTF8View) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }
}
