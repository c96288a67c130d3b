internal import CMillraceKernels

/// What the lanes of the banks' kernels say in words.
extension LaneBuffer {
  /// What a filter of rows of `lanes` is made with. Label noise of 1 stands for a robust filter of
  /// numbers.
  func filterName(lanes: Int, lane: Int) -> String {
    func value(_ row: Int) -> Float { base[row * lanes + lane] }
    let (drift, constantDrift, noise) = (
      value(MILLRACE_FILTERS_DRIFT), value(MILLRACE_FILTERS_CONSTANT_DRIFT),
      value(MILLRACE_FILTERS_NOISE)
    )
    return "filter, drift \(drift)"
      + (noise == 1 ? ", robust" : noise > 0 ? ", label noise \(noise)" : "")
      + (constantDrift == drift ? "" : ", constant's drift \(constantDrift)")
  }

  /// What a cheap expert is made with.
  func rateName(_ lane: Int) -> String {
    let memory = base[MILLRACE_RATES_MEMORY * 16 + lane]
    return memory < 1
      ? "running mean, memory \(memory)"
      : "gradient descent, rate \(base[MILLRACE_RATES_RATE * 16 + lane])"
  }

  /// Each expert's weight over the mixtures that start at a row of 16 lanes: lane by lane of its
  /// three rows.
  func mixtureWeights(row: Int, expertCount: Int) -> [Double] {
    let mixtures = base + row * 16
    let top = mixtures + MILLRACE_MIXTURES_TOP * 16
    return (0..<expertCount).map { expert in
      (0..<4).reduce(0) { $0 + Double(top[$1] * mixtures[$1 * 48 + expert]) }
    }
  }

  /// The mean over the horizons, the first at a row, each of so many rows that begin with its
  /// mixtures.
  func meanMixtureWeights(row: Int = 0, rows: Int, expertCount: Int) -> [Double] {
    let all = (0..<MILLRACE_BANK_HORIZONS).map {
      mixtureWeights(row: row + $0 * rows, expertCount: expertCount)
    }
    return (0..<expertCount).map { expert in
      all.reduce(0) { $0 + $1[expert] } / Double(all.count)
    }
  }
}
