/// What is learnt: a number, one of two classes, or one of several.
public enum Task: String, Codable, Sendable, CaseIterable {
  /// The label is a number.
  case regression
  /// The label is one of two classes; a prediction is the probability of the second.
  case binary
  /// The label is one of several classes; a prediction is a probability for each.
  case multiclass
}
