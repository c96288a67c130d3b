extension Pipeline {
  /// The merge of what all partitions have learnt; `nil` before the first record.
  func mergedModel() throws(MillraceError) -> Model? {
    let parts = orderedPartitions
    return parts.isEmpty ? nil : try Model.merging(parts.map(\.model))
  }

  /// Publishes the merge of what all partitions have learnt.
  func publish(reason: String, measurement given: PromotionGate.Measurement? = nil)
    throws(MillraceError)
  {
    guard var state, var publisher, let model = try mergedModel() else { return }
    let measurement = given ?? self.measurement()
    let previous = publisher.servedVersion
    let summary = cumulativeMetrics().summary
    let (version, objection) = try publisher.publish(
      model, measurement: measurement,
      metrics: summary.named(prefix: "progressive."),
      positions: partitions.mapValues(\.position), reason: reason,
      expectedVersion: state.nextVersion)
    self.publisher = publisher
    state.nextVersion = version + 1
    state.publishedRows = state.rowCount
    state.publishedPass = state.pass
    if let objection {
      state.rejected.append(
        RejectedVersion(version: version, reason: objection), keepingNewest: RunState.listLimit)
      state.history.note(
        RunEvent(.rejected, atRow: state.rowCount, version: version, detail: objection))
    } else {
      state.published.append(version, keepingNewest: RunState.listLimit)
      state.servedVersion = version
      if previous != nil { state.swaps += 1 }
      state.history.note(RunEvent(.swap, atRow: state.rowCount, version: version, detail: reason))
    }
    state.history.note(
      VersionRecord(
        version: version, atRow: state.rowCount, learntRows: 0..<state.rowCount, parent: previous,
        reason: reason,
        gate: .init(
          challengerLoss: measurement.candidate, championLoss: measurement.incumbent,
          rows: measurement.rows),
        rejection: objection))
    self.state = state
  }

  /// Writes a line of metrics over the latest window and over everything.
  func writeMetrics() throws(MillraceError) {
    guard sinks.metrics != nil, let state else { return }
    let (learner, served) = windowedMetrics()
    try sinks.writeMetrics(
      .init(
        atRow: state.rowCount, window: learner?.summary ?? MetricSummary(),
        cumulative: cumulativeMetrics().summary,
        served: (served?.summary).flatMap { $0.rows > 0 ? $0 : nil }))
  }

  /// The learner's and the served version's loss over the latest records of all partitions.
  private func measurement() -> PromotionGate.Measurement {
    let (learner, served) = windowedMetrics()
    return PromotionGate.Measurement(
      candidate: learner?.summary.loss, incumbent: served?.summary.loss,
      rows: learner?.summary.rows ?? 0,
      invalidPredictions: learner?.summary.invalidPredictions ?? 0)
  }

  /// The learner's and the served version's metrics over the latest records of all partitions.
  private func windowedMetrics() -> (
    learner: ProgressiveMetrics.Metrics?, served: ProgressiveMetrics.Metrics?
  ) {
    var (learner, served) = (ProgressiveMetrics.Metrics?.none, ProgressiveMetrics.Metrics?.none)
    for partition in orderedPartitions {
      learner.merge(partition.metrics.windowed)
      served.merge(partition.servedMetrics.windowed)
    }
    return (learner, served)
  }

  /// The partitions in ascending order.
  var orderedPartitions: [Partition] { partitions.keys.sorted().compactMap { partitions[$0] } }

  /// The learner's metrics over everything, all partitions together.
  func cumulativeMetrics() -> ProgressiveMetrics.Metrics {
    var all = ProgressiveMetrics.Metrics?.none
    for partition in orderedPartitions { all.merge(partition.metrics.cumulative) }
    return all ?? ProgressiveMetrics(task: state?.schema.task ?? .regression).cumulative
  }
}

extension ProgressiveMetrics.Metrics? {
  /// Takes in another partition's metrics.
  mutating func merge(_ other: ProgressiveMetrics.Metrics) {
    if self == nil { self = other } else { self?.merge(other) }
  }
}
