/// The first and the newest of what may be many: what a long run keeps of its events.
public struct BoundedList<Element: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
  /// The most elements kept at either end.
  public let limit: Int
  /// How many were appended.
  public internal(set) var count = 0
  /// The first `limit` elements.
  public internal(set) var first: [Element] = []
  /// The newest `limit` elements of those after the first.
  public internal(set) var newest: [Element] = []

  /// An empty list that keeps `limit` elements at either end.
  public init(limit: Int) { self.limit = max(1, limit) }

  /// Appends an element; beyond twice the limit the oldest of the newest is forgotten.
  public mutating func append(_ element: Element) {
    count += 1
    guard first.count == limit else {
      first.append(element)
      return
    }
    if newest.count == limit { newest.removeFirst() }
    newest.append(element)
  }

  /// All that is kept, in order.
  public var kept: [Element] { first + newest }
  /// How many between the first and the newest are no longer kept.
  public var omitted: Int { count - first.count - newest.count }
}
