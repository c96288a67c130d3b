/// A vector that owns its numbers.
public struct Vector<Scalar: BLASScalar>: Equatable, Sendable {
  /// The numbers in order.
  public var elements: [Scalar]

  /// A vector of the given numbers.
  public init(_ elements: [Scalar]) { self.elements = elements }

  /// `count` times the same number.
  public init(repeating value: Scalar = 0, count: Int) {
    elements = Array(repeating: value, count: count)
  }

  /// How many numbers there are.
  public var count: Int { elements.count }

  /// The number at `index`.
  public subscript(index: Int) -> Scalar {
    get { elements[index] }
    set { elements[index] = newValue }
  }

  /// Lends the numbers to `body`.
  public func withView<Result, Failure: Error>(
    _ body: (VectorView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try elements.withVectorView(body)
  }

  /// Lends the numbers to `body`, to write to.
  public mutating func withMutableView<Result, Failure: Error>(
    _ body: (MutableVectorView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try elements.withMutableVectorView(body)
  }
}

extension Vector: ExpressibleByArrayLiteral {
  /// `[1, 2, 3]`
  public init(arrayLiteral elements: Scalar...) { self.init(elements) }
}

extension Array where Element: BLASScalar {
  /// Lends the numbers to `body` as a vector.
  public func withVectorView<Result, Failure: Error>(
    _ body: (VectorView<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // A pointer argument is never null, not even for an empty array, as `baseAddress` may be.
    func lend(_ base: UnsafePointer<Element>) throws(Failure) -> Result {
      try body(VectorView(base, count: count))
    }
    return try lend(self)
  }

  /// Lends the numbers to `body` as a vector, to write to.
  public mutating func withMutableVectorView<Result, Failure: Error>(
    _ body: (MutableVectorView<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let count = count
    func lend(_ base: UnsafeMutablePointer<Element>) throws(Failure) -> Result {
      try body(MutableVectorView(base, count: count))
    }
    return try lend(&self)
  }
}
