internal import CMillraceKernels

/// A `StandardScaler` as it stood: what predicts with it does not compute deviations again.
///
/// A row is standardised bit for bit as the scaler would before taking it in.
public struct FrozenScaler: Sendable {
  /// The number of columns.
  public let columnCount: Int
  private let limit: Float
  /// `columnCount` means, what a `Float` leaves of each, and inverse deviations.
  private let factors: [Float]

  /// The scaler as it stands.
  public init(_ scaler: StandardScaler) {
    columnCount = scaler.columnCount
    limit = scaler.limit
    factors = Array(unsafeUninitializedCapacity: 3 * columnCount) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      millrace_scaler_factors(
        scaler.counts, scaler.means, scaler.squaredDistances, scaler.columnCount, base)
      count = 3 * scaler.columnCount
    }
  }

  /// Standardises rows. Does not allocate.
  ///
  /// - Parameters:
  ///   - rows: `count × columnCount` raw values, row-major.
  ///   - output: `count` rows of `stride` ≥ `columnCount + 1` numbers; a constant 1 goes last.
  public func transform(
    _ rows: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    millrace_scale(rows, count, columnCount, factors, limit, output, stride)
  }

  /// The products of standardised rows and weights, in one pass over the raw rows.
  ///
  /// - Parameters:
  ///   - rows: `count × columnCount` raw values, row-major.
  ///   - weights: `columnCount + 1` numbers, the constant's last.
  func scores(
    _ rows: UnsafePointer<Float>, count: Int, weights: [Float],
    into output: UnsafeMutablePointer<Float>
  ) {
    precondition(weights.count == columnCount + 1, "\(weights.count) weights")
    millrace_raw_row_scores(rows, count, columnCount, factors, limit, weights, output)
  }
}
