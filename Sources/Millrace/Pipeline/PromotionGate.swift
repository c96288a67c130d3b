/// What a version must pass before it is served: finite weights and predictions, steps that do not
/// diverge, the schema of what is served, and a progressive loss on the latest records that is no
/// worse.
public enum PromotionGate {
  /// The losses of two models on the same latest records, predicted by both before either learnt
  /// from them.
  public struct Measurement: Sendable, Equatable {
    /// The loss of the model that asks to be served.
    public var candidate: Double?
    /// The loss of the model that is being served; `nil` where there is none.
    public var incumbent: Double?
    /// The records measured.
    public var rows: Int
    /// The candidate's predictions for them that are not finite.
    public var invalidPredictions = 0

    package init(
      candidate: Double? = nil, incumbent: Double? = nil, rows: Int, invalidPredictions: Int = 0
    ) {
      self.candidate = candidate
      self.incumbent = incumbent
      self.rows = rows
      self.invalidPredictions = invalidPredictions
    }
  }

  /// Why a model may not be served; `nil` when it may.
  ///
  /// - Parameters:
  ///   - served: the model being served, whose columns must be the same.
  ///   - tolerance: how much worse, relatively, the candidate may be (two models that learnt the
  ///     same differ by noise); negative where it must be better.
  package static func objection(
    to candidate: Model, served: Model? = nil, measurement: Measurement, tolerance: Double = 0
  ) -> String? {
    if !candidate.isFinite { return "it has weights that are not finite" }
    if measurement.invalidPredictions > 0 {
      return
        "\(measurement.invalidPredictions) of its latest \(measurement.rows) predictions are not"
        + " finite"
    }
    if candidate.learner.divergence.goesOn {
      return "its learner diverges: the learning rate is too large"
    }
    if let served, !served.schema.hasColumns(of: candidate.schema) {
      return "its columns are not those of the version being served"
    }
    if let loss = measurement.candidate {
      if !loss.isFinite { return "its loss is not finite" }
      if let other = measurement.incumbent, loss > other * (1 + tolerance) {
        return
          "its loss over the latest \(measurement.rows) records is \(loss.rounded(toDigits: 5)); the"
          + " incumbent's is \(other.rounded(toDigits: 5))"
      }
    }
    return nil
  }
}
