internal import Glibc

extension Double {
  /// The nearest number of so many significant digits: what people want to read.
  package func rounded(toDigits digits: Int) -> Double {
    guard isFinite else { return self }
    // Through text: a power of ten times the number would round twice.
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      let length = withVaList([Int32(clamping: max(0, digits - 1)), self]) {
        vsnprintf(text.baseAddress, text.count, "%.*e", $0)
      }
      guard let start = text.baseAddress, (1..<Int32(text.count)).contains(length) else {
        return self
      }
      return strtod(start, nil)
    }
  }
}
