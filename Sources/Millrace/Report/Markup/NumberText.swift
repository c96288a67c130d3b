/// Numbers as text, the same on every machine: no locale, no printf.
package enum NumberText {
  /// What stands for a number that is missing or not finite.
  package static let missing = "–"

  /// A fixed number of decimals: `0.118`, `−3.0`.
  package static func fixed(_ value: Double?, decimals: Int) -> String {
    guard let value, value.isFinite else { return missing }
    let scale = powerOfTen(decimals)
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e15 else { return scientific(value, digits: 3) }
    let sign = value < 0 && scaled > 0 ? "−" : ""
    return sign + decimal(Int(scaled), decimals: decimals)
  }

  /// Some significant digits: `0.118`, `1,230`, `1.3e−12`.
  package static func significant(_ value: Double?, digits: Int = 3) -> String {
    guard let value, value.isFinite else { return missing }
    guard value != 0 else { return "0" }
    let exponent = decimalParts(value).exponent
    guard (-4..<9).contains(exponent) else { return scientific(value, digits: digits) }
    return fixed(value, decimals: max(0, digits - 1 - exponent))
  }

  /// A count with its thousands apart: `45,312`.
  package static func count(_ value: Int) -> String {
    (value < 0 ? "−" : "") + grouped(String(value.magnitude))
  }

  /// A share in percent: `62 %`, `0.3 %`.
  package static func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return missing }
    let percent = share * 100
    let decimals = abs(percent) >= 9.95 || percent == 0 ? 0 : abs(percent) >= 0.095 ? 1 : 2
    return fixed(percent, decimals: decimals) + "\u{A0}%"
  }

  /// A p-value: three digits, and `< 1e−300` where it underflows.
  package static func pValue(_ value: Double?) -> String {
    guard let value, value.isFinite else { return missing }
    return value < 1e-300 ? "< 1e−300" : significant(value)
  }

  /// A place in a drawing: one decimal at most, as short as can be, with an ASCII minus.
  package static func place(_ value: Double) -> String {
    let bounded = value.isFinite ? min(max(value, -1e6), 1e6) : 0
    let tenths = Int((bounded * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, tenth) = Int(tenths.magnitude).quotientAndRemainder(dividingBy: 10)
    return tenth == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(tenth)"
  }

  /// m and e with |value| = m·10ᵉ and 1 ≤ m < 10, for a finite value other than 0.
  package static func decimalParts(_ value: Double) -> (mantissa: Double, exponent: Int) {
    var exponent = 0
    var mantissa = abs(value)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    return (mantissa, exponent)
  }

  /// 10ⁿ for n ≥ 0; exact up to 22.
  package static func powerOfTen(_ exponent: Int) -> Double {
    var power = 1.0
    for _ in 0..<max(0, exponent) { power *= 10 }
    return power
  }

  private static func scientific(_ value: Double, digits: Int) -> String {
    var (mantissa, exponent) = decimalParts(value)
    if (mantissa * powerOfTen(digits - 1)).rounded() >= powerOfTen(digits) {
      (mantissa, exponent) = (mantissa / 10, exponent + 1)
    }
    let digits = fixed(value < 0 ? -mantissa : mantissa, decimals: digits - 1)
    return "\(digits)e\(exponent < 0 ? "−" : "")\(exponent.magnitude)"
  }

  private static func decimal(_ scaled: Int, decimals: Int) -> String {
    let digits = String(scaled)
    guard decimals > 0 else { return grouped(digits) }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return "\(grouped(String(padded.dropLast(decimals)))).\(padded.suffix(decimals))"
  }

  private static func grouped(_ digits: String) -> String {
    var output = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { output.append(",") }
      output.append(digit)
    }
    return output
  }
}
