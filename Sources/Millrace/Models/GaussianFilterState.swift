// MARK: Saving

extension GaussianFilter {
  /// Writes the Gaussian and the target's scale.
  public func encode(into archive: inout TensorArchive, prefix: String) {
    archive.metadata[prefix + "task"] = task.rawValue
    archive.set(mean, as: prefix + "mean")
    archive.set(covariance, shape: [mean.count, mean.count], as: prefix + "covariance")
    if task == .regression { archive.set(target.numbers, as: prefix + "target") }
  }

  /// Reads what `encode` wrote.
  public init(
    settings: LearnerSettings, decoding archive: TensorArchive, prefix: String
  ) throws(MillraceError) {
    let name = archive.metadata[prefix + "task"] ?? "missing"
    guard let task = Task(rawValue: name) else {
      throw MillraceError(.store, "\(prefix)task is \(name); expected binary or regression")
    }
    let mean = try archive.doubles(prefix + "mean")
    try self.init(settings: settings, task: task, columns: mean.count)
    self.mean = mean
    covariance = try archive.doubles(prefix + "covariance", count: covariance.count)
    if task == .regression {
      target.numbers = try archive.doubles(prefix + "target", count: target.numbers.count)
    }
  }
}

extension FilterTarget {
  /// Every number, in a fixed order.
  var numbers: [Double] {
    get {
      [
        origin, count, mean, squaredDistances, noiseSquares, noiseSamples, lowerFactor, upperFactor,
      ]
    }
    set {
      (origin, count, mean, squaredDistances) = (newValue[0], newValue[1], newValue[2], newValue[3])
      (noiseSquares, noiseSamples) = (newValue[4], newValue[5])
      (lowerFactor, upperFactor) = (newValue[6], newValue[7])
    }
  }
}

// MARK: Merging

extension GaussianFilter {
  /// Multiplies the partitions' Gaussians, each read in the merged scaler's columns first.
  public static func merging(
    _ parts: [(learner: GaussianFilter, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> GaussianFilter {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's filter")
    }
    if parts.count == 1, parts[0].scaler == scaler { return merged }
    merged.target = FilterTarget(merging: parts.map(\.learner.target))
    var product = GaussianProduct(dimension: merged.mean.count)
    for (learner, partScaler) in parts {
      let change = ColumnChange(from: partScaler, to: scaler)
      var mean = learner.mean
      mean[mean.count - 1] += learner.target.origin - merged.target.origin
      let known = learner.target.noise > 0
      try product.multiply(
        means: [change.weights(mean)], covariance: change.covariance(learner.covariance),
        precisionFactor: known ? merged.target.noise / learner.target.noise : 1)
    }
    let (means, covariance) = try product.result()
    (merged.mean, merged.covariance) = (means[0], covariance)
    return merged
  }
}

extension FilterTarget {
  /// What all parts together know. The first part that saw a target gives the origin.
  init(merging parts: [FilterTarget]) {
    let seen = parts.filter { $0.count > 0 }
    guard let first = seen.first else { return }
    self = first
    for part in seen.dropFirst() {
      let total = count + part.count
      let delta = part.origin + part.mean - origin - mean
      squaredDistances += part.squaredDistances + delta * delta * count * part.count / total
      mean += delta * part.count / total
      lowerFactor += (part.lowerFactor - lowerFactor) * part.count / total
      upperFactor += (part.upperFactor - upperFactor) * part.count / total
      count = total
      noiseSquares += part.noiseSquares
      noiseSamples += part.noiseSamples
    }
  }
}
