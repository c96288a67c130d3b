/// Maps a range of values to a range of places, and knows where round values lie.
package struct LinearScale {
  /// The values.
  package let domain: ClosedRange<Double>
  /// Where the domain's ends lie; the second may be the smaller one.
  package let range: (start: Double, end: Double)

  /// A scale; an empty or unusable domain is widened until it is one.
  package init(_ lower: Double, _ upper: Double, range: (Double, Double)) {
    // Half of the largest finite numbers and beyond would make the span infinite.
    let limit = 1e300
    let low = lower.isFinite ? min(max(lower, -limit), limit) : 0
    let high = upper.isFinite ? min(max(upper, -limit), limit) : 1
    let width = max(max(abs(low), abs(high)) * 1e-9, 1e-280)
    domain = high - low > width ? low...high : (low - max(width, 0.5))...(low + max(width, 0.5))
    self.range = range
  }

  /// A scale over all finite values, widened to round ones.
  package init(covering values: some Sequence<Double>, range: (Double, Double)) {
    var lower = Double.infinity
    var upper = -Double.infinity
    for value in values where value.isFinite {
      lower = min(lower, value)
      upper = max(upper, value)
    }
    let exact = LinearScale(lower, upper, range: range)
    let step = exact.step(5)
    self.init(
      (exact.domain.lowerBound / step).rounded(.down) * step,
      (exact.domain.upperBound / step).rounded(.up) * step, range: range)
  }

  /// Where a value lies.
  package func callAsFunction(_ value: Double) -> Double {
    let share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    return range.start + share * (range.end - range.start)
  }

  /// Round values, some `count` of them: multiples of 1, 2 or 5 times a power of ten (Heckbert 1990).
  package func ticks(_ count: Int) -> [Double] {
    let step = step(count)
    let first = (domain.lowerBound / step - 1e-9).rounded(.up)
    let last = (domain.upperBound / step + 1e-9).rounded(.down)
    guard last >= first, last - first <= 100 else { return [] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// A tick's value as text, with as many decimals as the step between ticks needs; from 100,000
  /// on in thousands or millions: `200k`, `1.5M`.
  package func label(_ tick: Double, _ count: Int) -> String {
    let step = step(count)
    let largest = max(abs(domain.lowerBound), abs(domain.upperBound))
    let (unit, suffix) = largest < 1e5 ? (1, "") : largest < 1e6 ? (1e3, "k") : (1e6, "M")
    let exponent = NumberText.decimalParts(step / unit * (1 + 1e-9)).exponent
    guard (-4..<6).contains(exponent) else { return NumberText.significant(tick, digits: 2) }
    return tick == 0 ? "0" : NumberText.fixed(tick / unit, decimals: max(0, -exponent)) + suffix
  }

  private func step(_ count: Int) -> Double {
    let raw = (domain.upperBound - domain.lowerBound) / Double(max(1, count))
    let (mantissa, exponent) = NumberText.decimalParts(raw)
    let power =
      exponent >= 0 ? NumberText.powerOfTen(exponent) : 1 / NumberText.powerOfTen(-exponent)
    return (mantissa < 1.5 ? 1 : mantissa < 3 ? 2 : mantissa < 7 ? 5 : 10) * power
  }
}
