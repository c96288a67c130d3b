extension MetricSummary {
  /// The numbers by name, as a manifest keeps them: `progressive.logLoss`.
  func named(prefix: String) -> [String: Double] {
    let all: [(String, Double?)] = [
      ("logLoss", logLoss), ("accuracy", accuracy), ("auc", auc), ("rmse", rmse), ("mae", mae),
      ("r2", r2), ("intervalCoverage", intervalCoverage), ("calibrationRatio", calibrationRatio),
    ]
    var named: [String: Double] = [:]
    for case (let name, let value?) in all where value.isFinite { named[prefix + name] = value }
    return named
  }
}

extension Pipeline {
  /// Writes one page that shows the run so far: self-contained, at most some 300 kB, and the same
  /// bytes for the same run.
  ///
  /// - Parameter command: the command line, so that the page says how to reproduce it.
  /// - Throws: `system` when the file cannot be written.
  public func writeReport(to path: String, command: [String] = []) throws(MillraceError) {
    guard let report = try report(command: command) else {
      throw MillraceError(.input, "there is nothing to report: no record was learnt")
    }
    try DurableFile.writeMakingDirectory(report.html(), to: path)
  }

  /// Everything that the report shows; `nil` before the first record.
  public func report(command: [String]) throws(MillraceError) -> RunReport? {
    guard let state, let model = try mergedModel() else { return nil }
    let learner = cumulativeMetrics()
    var report = RunReport(
      job: settings.drift == nil ? .training : .run, model: job.modelName,
      task: state.schema.task, label: state.schema.label,
      learner: settings.learner.learner.rawValue, history: state.history,
      reproduction: Reproduction(
        command: command,
        settings: String(decoding: try JSONCoding.encode(settings), as: UTF8.self),
        seed: settings.learner.seed, source: job.source,
        extents: orderedPartitions.map {
          .init(partition: $0.number, start: 0, end: $0.position)
        },
        modelDigest: try model.digest()))
    report.setMetrics(learner: learner.summary, served: servedMetrics()?.summary)
    report.quality = learner.quality(classes: model.schema.classes)
    let names = model.schema.featureNames
    let explanation = model.explanation(horizon: .immediate)
    (report.coefficients, report.basis) = (explanation.coefficients, explanation.basis)
    report.missing = zip(names, model.scaler.missingCounts).compactMap { name, count in
      count > 0 ? MissingCount(name: name, count: Int(count)) : nil
    }
    // The partition with the most rows stands for the others: each has a reference of its own.
    let largest = orderedPartitions.max { $0.rowCount < $1.rowCount }
    report.drift = largest?.monitor?.featureDrift() ?? []
    let effects = Dictionary(
      grouping: explanation.coefficients, by: \.name
    ).mapValues { $0[0].standardized }
    for index in report.drift.indices.prefix(names.count) {
      report.drift[index].weight = effects[names[index]]
    }
    return report
  }

  /// The served version's metrics over everything; `nil` where none was served.
  func servedMetrics() -> ProgressiveMetrics.Metrics? {
    var served = ProgressiveMetrics.Metrics?.none
    for partition in orderedPartitions { served.merge(partition.servedMetrics.cumulative) }
    return (served?.summary.rows ?? 0) > 0 ? served : nil
  }
}

extension Model {
  /// The SHA-256 of `model.safetensors`.
  fileprivate func digest() throws(MillraceError) -> String {
    var archive = TensorArchive()
    encode(into: &archive)
    return try SHA256.hexDigest(of: archive.encoded()[...])
  }
}

extension ProgressiveMetrics.Metrics {
  /// Mean outcomes by mean predictions; `nil` for several classes and where nothing was predicted.
  var calibration: [QualitySummary.Bin]? {
    let bins = binary?.reliability ?? regression?.bins(20) ?? []
    return bins.isEmpty ? nil : bins
  }

  /// What a report shows beside the numbers.
  func quality(classes: [String]) -> QualitySummary {
    var quality = QualitySummary()
    quality.classes = classes
    quality.bins = calibration ?? []
    if let binary {
      quality.confusion = binary.confusion
      quality.operatingPoints = binary.rocCurve()
      quality.areaUnderCurve = binary.auc
    }
    if let multiclass { quality.confusion = multiclass.confusion }
    if let regression {
      quality.intervalCoverage = regression.intervalCoverage
      quality.residualQuantiles = regression.residualQuantiles(
        [0.001, 0.01] + (1...19).map { Double($0) / 20 } + [0.99, 0.999])
    }
    return quality
  }
}
