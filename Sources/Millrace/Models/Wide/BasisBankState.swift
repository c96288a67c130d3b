// MARK: - Explaining

extension BasisBank {
  package func experts(horizon: LabelHorizon) -> [Expert] {
    let weight = self.weight(horizon)
    return plain.experts(horizon: horizon).map {
      Expert(name: $0.name, weight: $0.weight * (1 - weight))
    }
      + (second ?? fresh).experts(horizon: horizon).map {
        Expert(name: "over the basis: " + $0.name, weight: $0.weight * weight)
      }
  }

  /// The weighted mean of both banks' coefficients of the columns.
  package func standardizedCoefficients(horizon: LabelHorizon) -> [[Double]] {
    let weight = self.weight(horizon)
    let own = plain.standardizedCoefficients(horizon: horizon)
    let others = second?.standardizedCoefficients(horizon: horizon) ?? []
    return own.enumerated().map { output, coefficients in
      // The second bank may have slept when a class came.
      let other = output < others.count ? others[output] : []
      return coefficients.indices.map { column in
        let index = column + 1 < columns ? column : other.count - 1
        return (1 - weight) * coefficients[column]
          + weight * (other.indices.contains(index) ? other[index] : 0)
      }
    }
  }

  /// Both banks' coefficients of functions of the columns, times the banks' weights; of several
  /// classes the second one's deviation over them.
  package func basisTerms(horizon: LabelHorizon) -> [BasisTerm] {
    let weight = self.weight(horizon)
    var terms = plain.basisTerms(horizon: horizon).map {
      BasisTerm(function: $0.function, coefficient: (1 - weight) * $0.coefficient)
    }
    guard let second, weight > 0 else { return terms }
    let places = Dictionary(uniqueKeysWithValues: zip(terms.map(\.function), terms.indices))
    let outputs = second.standardizedCoefficients(horizon: horizon)
    for (index, function) in basis.functions(columns: columns).enumerated() {
      let own = weight * BasisTerm.coefficient(of: outputs.map { $0[columns - 1 + index] })
      let place = places[function] ?? terms.count
      let other = place < terms.count ? terms[place].coefficient : 0
      terms.replaceSubrange(
        place..<min(place + 1, terms.count),
        with: [BasisTerm(function: function, coefficient: own + other)])
    }
    return terms
  }
}

// MARK: - Saving

extension BasisBank {
  package func encode(into archive: inout TensorArchive, prefix: String) {
    plain.encode(into: &archive, prefix: prefix + "plain.")
    second?.encode(into: &archive, prefix: prefix + "second.")
    trial.encode(into: &archive, prefix: prefix + "trial.")
    archive.set([weight, frozenWeight], as: prefix + "weights")
    archive.set([rowCount, columns, second == nil ? 0 : 1], as: prefix + "counts")
  }

  package init(settings: LearnerSettings, decoding archive: TensorArchive, prefix: String)
    throws(MillraceError)
  {
    let counts = try archive.integers(prefix + "counts", count: 3)
    guard counts.allSatisfy((0...TensorArchive.greatestCount).contains), counts[2] <= 1,
      counts[1] <= NewtonBlocks.columnLimit,
      BankBasis(ofSecondBank: Int(counts[1])) != nil
    else {
      throw MillraceError(
        .store, "tensor '\(prefix)counts' is \(counts); expected rows, a width, and whether")
    }
    try self.init(settings: settings, columns: Int(counts[1]))
    // Those of the first bank are part of its state.
    try set(settings.bankConstants.filter { $0.key.hasPrefix(Self.constantPrefix) })
    rowCount = Int(counts[0])
    plain = try Plain(settings: settings, decoding: archive, prefix: prefix + "plain.")
    second =
      counts[2] > 0
      ? try Second(settings: settings, decoding: archive, prefix: prefix + "second.") : nil
    guard plain.columns == columns, second?.columns ?? fresh.columns == fresh.columns else {
      throw MillraceError(
        .store, "the banks of '\(prefix)' are not over \(columns) and \(fresh.columns) columns")
    }
    try trial.decode(from: archive, prefix: prefix + "trial.")
    let weights = try archive.shares(prefix + "weights", count: 2)
    (weight, frozenWeight) = (weights[0], weights[1])
  }
}

// MARK: - Merging

extension BasisBank {
  /// Merges the banks of each kind. Functions stand where each partition's scaler puts them, and
  /// their coefficients are taken as they are: where partitions differ much, the second bank is left
  /// out.
  package static func merging(
    _ parts: [(learner: BasisBank, scaler: StandardScaler)], scaler: StandardScaler
  ) throws(MillraceError) -> BasisBank {
    guard var merged = parts.first?.learner else {
      throw MillraceError(.numerical, "a merge needs at least one partition's bank")
    }
    if parts.count == 1, parts[0].scaler == scaler { return merged }
    merged.plain = try .merging(parts.map { ($0.learner.plain, $0.scaler) }, scaler: scaler)
    merged.rowCount = parts.reduce(0) { $0 + $1.learner.rowCount }
    merged.second = nil
    let constants = merged.trial.constants
    merged.trial = BasisTrial(columns: merged.columns, basis: merged.basis)
    merged.trial.constants = constants
    let awake = parts.filter { $0.learner.second != nil }
    guard !awake.isEmpty, parts.allSatisfy({ $0.scaler.isLike(scaler) }) else { return merged }
    let shares = rowShares(parts.map(\.learner.rowCount))
    func mean(_ horizon: LabelHorizon) -> Double {
      zip(parts, shares).reduce(0) { $0 + $1.0.learner.weight(horizon) * $1.1 }
    }
    (merged.weight, merged.frozenWeight) = (mean(.immediate), mean(.never))
    let functions = merged.fresh.columns - merged.columns
    merged.second = try .merging(
      awake.compactMap { part in
        part.learner.second.map { ($0, part.scaler.followed(by: functions)) }
      }, scaler: scaler.followed(by: functions))
    merged.trial.work(from: merged.rowCount)
    return merged
  }
}

extension StandardScaler {
  /// Whether columns are nearly where another scaler has them: within a quarter of their deviations.
  fileprivate func isLike(_ other: StandardScaler) -> Bool {
    (0..<columnCount).allSatisfy { column in
      let (own, whole) = (standardDeviation(column), other.standardDeviation(column))
      return abs(means[column] - other.means[column]) <= whole / 4
        && (0.8...1.25).contains(whole > 0 ? own / whole : 1)
    }
  }

  /// The same with columns after these that are not standardised.
  fileprivate func followed(by columns: Int) -> StandardScaler {
    var scaler = StandardScaler(columnCount: columnCount + columns, limit: limit)
    scaler.counts.replaceSubrange(0..<columnCount, with: counts)
    scaler.means.replaceSubrange(0..<columnCount, with: means)
    scaler.squaredDistances.replaceSubrange(0..<columnCount, with: squaredDistances)
    return scaler
  }
}
