/// How a model predicts records it has not learnt, measured K times: each fold is held out once
/// while the others are learnt.
public struct CrossValidation: Encodable, Sendable {
  /// The metrics of each fold.
  public var folds: [MetricSummary] = []

  /// A metric over the folds.
  public struct Spread: Encodable, Sendable {
    /// The mean.
    public var mean: Double
    /// The standard deviation between folds (n − 1).
    public var standardDeviation: Double
  }

  /// Each metric over the folds, by its name in `MetricSummary`.
  public var metrics: [String: Spread] {
    let named = folds.map { $0.named(prefix: "") }
    var spreads: [String: Spread] = [:]
    for name in named.first?.keys.sorted() ?? [] {
      let values = named.compactMap { $0[name] }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      spreads[name] = Spread(
        mean: mean, standardDeviation: (squares / Double(max(1, values.count - 1))).squareRoot())
    }
    return spreads
  }

  /// The mean loss over the folds; `nil` without folds.
  public var loss: Double? {
    let losses = folds.compactMap(\.loss)
    return losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
  }

  /// `folds` and `metrics`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyCodingKey.self)
    try container.encode(folds, forKey: AnyCodingKey("folds"))
    try container.encode(metrics, forKey: AnyCodingKey("metrics"))
  }
}
