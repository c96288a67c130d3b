internal import CMillraceKernels

/// The Gaussians of a group of filters, read from and written to the lanes that the kernel works
/// on.
struct FilterLanes {
  /// Filters in the group.
  let lanes: Int
  /// Inputs of each.
  let inputs: Int
  /// Where the group starts in its buffer.
  var start = 0
  /// Means that a filter keeps in its buffer.
  var means = 1
  /// The columns of the covariance that lie side by side.
  var group = 1

  private func index(row: Int, lane: Int) -> Int { start + row * lanes + lane }

  private var directionRow: Int { millrace_filters_direction_row(group, inputs, means) }

  /// The rows that hold row `i` of the covariance, up to the diagonal or a little beyond.
  private func covarianceRows(_ i: Int) -> Range<Int> {
    millrace_filters_covariance_row(
      group, inputs, means, i)..<millrace_filters_covariance_row(group, inputs, means, i + 1)
  }

  /// The mean of one filter's weights.
  func mean(_ buffer: LaneBuffer, lane: Int) -> [Double] {
    (0..<inputs).map {
      Double(buffer.base[index(row: MILLRACE_FILTERS_MEAN + $0, lane: lane)])
    }
  }

  /// The covariance of one filter's weights, row-major, with the step that waits.
  func covariance(_ buffer: LaneBuffer, lane: Int) -> [Double] {
    func value(_ row: Int) -> Double { Double(buffer.base[index(row: row, lane: lane)]) }
    let (curvature, scale) = (value(MILLRACE_FILTERS_CURVATURE), value(MILLRACE_FILTERS_SCALE))
    var result = [Double](repeating: 0, count: inputs * inputs)
    for i in 0..<inputs {
      for (j, row) in zip(0...i, covarianceRows(i)) {
        var element = value(row) - curvature * value(directionRow + i) * value(directionRow + j)
        if i == j {
          element += value(
            i + 1 < inputs
              ? MILLRACE_FILTERS_WAITING_DRIFT : MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT)
        }
        result[i * inputs + j] = scale * element
        result[j * inputs + i] = scale * element
      }
    }
    return result
  }

  /// Replaces one filter's Gaussian; nothing waits any more. `mean` is ignored where it is kept
  /// elsewhere.
  func set(
    _ buffer: inout LaneBuffer, lane: Int, mean: [Double], covariance: [Double]
  ) {
    let base = buffer.mutableBase()
    func set(_ row: Int, _ value: Double) { base[index(row: row, lane: lane)] = Float(value) }
    set(MILLRACE_FILTERS_CURVATURE, 0)
    set(MILLRACE_FILTERS_SCALE, 1)
    set(MILLRACE_FILTERS_WAITING_DRIFT, 0)
    set(MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT, 0)
    for i in 0..<inputs {
      if means > 0 { set(MILLRACE_FILTERS_MEAN + i, mean[i]) }
      set(directionRow + i, 0)
      for (j, row) in zip(0..<inputs, covarianceRows(i)) {
        set(row, covariance[i * inputs + j])
      }
    }
  }
}

extension FilterLanes {
  /// The wide group's: four filters, whose covariances have four columns side by side.
  init(wideInputs: Int, means: Int = 1) {
    self.init(lanes: MILLRACE_BANK_WIDE_FILTERS, inputs: wideInputs, means: means, group: 4)
  }
}
