internal import CMillraceKernels

/// The columns of a dense matrix that are products of two others (`Schema.interactions`). They
/// follow the columns that records are read into.
///
/// With categorical columns there is a product for each pair of their 0/1 columns. Where a factor
/// is missing (NaN), so is the product.
struct ProductColumns: Sendable {
  /// The columns that are read.
  let inputCount: Int
  /// For each product the two columns that it multiplies, one pair after another.
  let factors: [UInt32]

  /// How many products there are.
  var count: Int { factors.count / 2 }

  init(_ schema: Schema) {
    let columns = schema.sparseWidth == nil ? schema.columns : []
    inputCount = columns.reduce(0) { $0 + $1.width }
    guard let interactions = schema.interactions, inputCount > 0 else {
      factors = []
      return
    }
    var ranges: [String: Range<Int>] = [:]
    var end = 0
    for column in columns {
      ranges[column.name] = end..<end + column.width
      end += column.width
    }
    factors = interactions.flatMap { pair -> [UInt32] in
      let places = pair.compactMap { ranges[$0] }
      guard places.count == 2 else { return [] }
      return places[0].flatMap { left in
        places[1].flatMap { [UInt32(clamping: left), UInt32(clamping: $0)] }
      }
    }
  }

  /// What the products are called, by the names of the columns.
  func names(from names: [String]) -> [String] {
    stride(from: 0, to: factors.count, by: 2).map {
      "\(names[Int(factors[$0])]):\(names[Int(factors[$0 + 1])])"
    }
  }

  /// Fills the products of rows whose other columns were read.
  func fill(_ rows: UnsafeMutablePointer<Float>, rowCount: Int) {
    millrace_multiply_columns(rows, rowCount, inputCount, factors, count)
  }

  /// The same before numbers are rounded to `Float`.
  func fill(_ rows: UnsafeMutablePointer<Double>, rowCount: Int) {
    millrace_multiply_wide_columns(rows, rowCount, inputCount, factors, count)
  }
}

extension Schema {
  /// The most columns that products of dense columns may make.
  public static let productLimit = 4096

  /// Checks the pairs of columns whose products are features.
  ///
  /// - Throws: `configuration` with the pair and what is allowed.
  func checkInteractions() throws(MillraceError) {
    var seen: Set<Set<String>> = []
    var productCount = 0
    for pair in interactions ?? [] {
      func refuse(_ expected: String) -> MillraceError {
        .setting("interactions", pair.joined(separator: ":"), expected: expected)
      }
      let factors = pair.compactMap { name in columns.first { $0.name == name } }
      guard pair.count == 2, factors.count == 2 else {
        let names = columns.prefix(100).map { "'\($0.name)'" }.joined(separator: ", ")
        throw refuse("FIRST:SECOND, two of the feature columns \(names)")
      }
      guard seen.insert(Set(pair)).inserted else { throw refuse("each pair once") }
      if sparseWidth != nil { continue }
      guard pair[0] != pair[1] || factors[0].kind == .numeric else {
        throw refuse("two columns, as '\(pair[0])' has levels and not numbers to square")
      }
      productCount += factors[0].width * factors[1].width
      guard productCount <= Self.productLimit else {
        throw refuse(
          "at most \(Self.productLimit) products of columns, not \(productCount); with hashBits"
            + " features are sparse and may be more")
      }
    }
  }
}
