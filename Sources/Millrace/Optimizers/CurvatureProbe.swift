internal import CMillraceKernels

/// Measures how strongly a loss is curved, so that a step size need not be guessed.
///
/// Gradient descent with blocks of b records is stable for steps up to about 2/(λ + t/b), λ the
/// largest eigenvalue of the mean curvature C = Σ dᵢzᵢzᵢᵀ/n and t its trace (Jain et al. 2018,
/// "Parallelizing stochastic gradient descent for least squares regression"). λ is found by power
/// iteration, one turn a block: v ← Cv/‖Cv‖. Two products of a block and a vector, on the first
/// blocks and then on every sixteenth.
struct CurvatureProbe: Sendable {
  /// The direction v, of length 1.
  private var direction: [Float]
  /// Σ dᵢzᵢ(zᵢᵀv) of the block's records so far.
  private var image: [Float]
  /// Σ dᵢ of the block's records so far.
  private var sum: Float = 0
  /// λ, smoothed over blocks; it rises at once and falls slowly.
  private(set) var largest = 0.0
  /// The mean of dᵢ, smoothed likewise.
  private(set) var mean = 0.0

  /// The share by which a smaller value of a block moves an estimate.
  private static let fall = 0.1

  init(columnCount: Int) {
    direction = Array(
      repeating: 1 / Float(columnCount).squareRoot(), count: columnCount)
    image = Array(repeating: 0, count: columnCount)
  }

  /// Whether the probe looks at a block, counted from 0.
  static func looks(atBlock index: Int) -> Bool { index < 64 || index.isMultiple(of: 16) }

  mutating func observe(_ rows: Rows, curvatures: UnsafePointer<Float>) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(rows.count, 1)) { products in
      guard let products = products.baseAddress else { return }
      millrace_row_scores(
        rows.base, rows.count, rows.columns - 1, rows.stride, direction, products)
      for i in 0..<rows.count {
        products[i] *= curvatures[i]
        sum += curvatures[i]
      }
      millrace_add_rows(rows.base, rows.count, rows.columns, rows.stride, products, &image)
    }
  }

  /// Takes the block's measurements into the estimates.
  mutating func finishBlock(recordCount: Int) {
    let length = image.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    func smoothed(_ estimate: Double, _ value: Double) -> Double {
      value > estimate ? value : estimate + Self.fall * (value - estimate)
    }
    guard length.isFinite, sum.isFinite else { return }
    largest = smoothed(largest, length / Double(recordCount))
    mean = smoothed(mean, Double(sum) / Double(recordCount))
    for j in image.indices {
      if length > 0 { direction[j] = Float(Double(image[j]) / length) }
      image[j] = 0
    }
    sum = 0
  }

  /// Half the longest stable step for a block of `recordCount` records.
  func stableStep(recordCount: Int) -> Double {
    let bound = largest + mean * Double(direction.count) / Double(recordCount)
    return bound > 0 ? 1 / bound : 0
  }

  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(direction, as: prefix + "probe.direction")
    archive.set(image, as: prefix + "probe.image")
    archive.set([Double(sum), largest, mean], as: prefix + "probe.curvature")
  }

  mutating func decode(from archive: TensorArchive, prefix: String) throws(MillraceError) {
    direction = try archive.floats(prefix + "probe.direction", count: direction.count)
    image = try archive.floats(prefix + "probe.image", count: image.count)
    let numbers = try archive.doubles(prefix + "probe.curvature", count: 3)
    (sum, largest, mean) = (Float(numbers[0]), numbers[1], numbers[2])
  }
}
