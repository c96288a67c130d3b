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
  func rateName(lanes: Int, lane: Int) -> String {
    let memory = base[MILLRACE_RATES_MEMORY * lanes + lane]
    return memory < 1
      ? "running mean, memory \(memory)"
      : "gradient descent, rate \(base[MILLRACE_RATES_RATE * lanes + lane])"
  }

  /// Each expert's weight over the mixtures that start at a row of 16 lanes, where the narrow
  /// experts take so many rows: lane by lane of these and the next.
  func mixtureWeights(row: Int, narrowRows: Int, expertCount: Int) -> [Double] {
    let mixtures = base + row * 16
    let top = mixtures + (millrace_mixtures_rows(narrowRows) - 1) * 16
    let size = millrace_experts_rows(narrowRows) * 16
    return (0..<expertCount).map { expert in
      (0..<4).reduce(0) { $0 + Double(top[$1] * mixtures[$1 * size + expert]) }
    }
  }

  /// The mean over the horizons, the first at a row, each of so many rows that begin with its
  /// mixtures.
  func meanMixtureWeights(
    row: Int = 0, rows: Int, narrowRows: Int, expertCount: Int
  ) -> [Double] {
    let all = (0..<MILLRACE_BANK_HORIZONS).map {
      mixtureWeights(row: row + $0 * rows, narrowRows: narrowRows, expertCount: expertCount)
    }
    return (0..<expertCount).map { expert in
      all.reduce(0) { $0 + $1[expert] } / Double(all.count)
    }
  }
}
