import Millrace
import Testing

@Suite struct `Number text` {
  @Test(arguments: [
    (0.0, "0"), (0.11812, "0.118"), (1234.5, "1,235"), (-0.00035, "−0.000350"), (9.996, "10.00"),
    (1.3e-12, "1.30e−12"), (9.999e-9, "1.00e−8"), (6.02e23, "6.02e23"), (.nan, "–"),
    (.infinity, "–"), (.leastNonzeroMagnitude, "4.94e−324"), (-45_312, "−45,312"),
  ])
  func `three significant digits`(value: Double, text: String) {
    #expect(NumberText.significant(value) == text)
  }

  @Test func `fixed decimals, shares and counts`() {
    #expect(NumberText.fixed(0.0005, decimals: 3) == "0.001")
    #expect(NumberText.fixed(-0.0004, decimals: 3) == "0.000")
    #expect(NumberText.fixed(1_234_567.891, decimals: 1) == "1,234,567.9")
    #expect(NumberText.fixed(1e300, decimals: 2) == "1.00e300")
    #expect(NumberText.percent(0.624) == "62\u{A0}%" && NumberText.percent(0.0123) == "1.2\u{A0}%")
    #expect(NumberText.count(.min) == "−9,223,372,036,854,775,808")
    #expect(NumberText.place(-0.04) == "0" && NumberText.place(12.34) == "12.3")
    #expect(NumberText.place(.nan) == "0" && NumberText.place(-0.5) == "-0.5")
  }

  @Test(arguments: [0.123456789, -98_765.4321, 1.5e-7, 3e250, .leastNonzeroMagnitude, 0, .infinity])
  func `rounding keeps the digits asked for`(value: Double) {
    let rounded = value.rounded(toDigits: 4)
    #expect(rounded == value || abs(rounded - value) <= 5e-4 * abs(value))
    #expect(rounded.rounded(toDigits: 4) == rounded)
  }
}

@Suite struct `Linear scale` {
  @Test func `ticks are round and inside`() {
    let scale = LinearScale(0.13, 0.87, range: (0, 100))
    #expect(scale.ticks(4).map { scale.label($0, 4) } == ["0.2", "0.4", "0.6", "0.8"])
    let rows = LinearScale(0, 45_312, range: (0, 100))
    #expect(
      rows.ticks(5).map { rows.label($0, 5) } == ["0", "10,000", "20,000", "30,000", "40,000"])
  }

  @Test func `places are proportional`() {
    let scale = LinearScale(covering: [.nan, 1.2, 9.7, .infinity], range: (200, 0))
    #expect(scale.domain == 0...10)
    #expect(scale(2.5) == 150)
  }

  @Test(arguments: [
    (1.0, 1.0), (5, -5), (.nan, .infinity), (-1e308, 1e308), (0, .leastNonzeroMagnitude),
    (1e15, 1e15 + 1),
  ])
  func `a domain that cannot be divided still makes a scale`(lower: Double, upper: Double) {
    let scale = LinearScale(lower, upper, range: (0, 1))
    #expect(scale.domain.lowerBound < scale.domain.upperBound)
    #expect(scale(scale.domain.upperBound).isFinite)
    #expect(scale.ticks(5).count <= 12)
  }
}

@Suite struct `Markup` {
  @Test func `text and attributes are escaped`() {
    let node = Node("p", ["title": "a\"b'<c>&\u{0}"]) { "<i>\u{8}&amp;" }
    #expect(
      node.markup
        == "<p title=\"a&quot;b'&lt;c&gt;&amp;\u{FFFD}\">&lt;i&gt;\u{FFFD}&amp;amp;</p>")
  }

  @Test func `long texts keep both ends`() {
    #expect("abcdefghij".shortened(to: 10) == "abcdefghij")
    #expect("abcdefghijk".shortened(to: 9) == "abcde…ijk")
  }
}
