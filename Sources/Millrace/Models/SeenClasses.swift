/// A learner of several classes.
protocol ClassLearner: Learner {
  /// The index of each class that it has seen.
  var classIndices: [Int] { get }
}

extension WideSoftmaxBank: ClassLearner { var classIndices: [Int] { classes.indices } }
extension SoftmaxBank: ClassLearner { var classIndices: [Int] { classes.indices } }
extension LinearLearner: ClassLearner { var classIndices: [Int] { classes.indices } }
extension SparseLinearLearner: ClassLearner { var classIndices: [Int] { classes.indices } }
extension SparseBank: ClassLearner { var classIndices: [Int] { classes.indices } }
extension BasisBank: ClassLearner {
  var classIndices: [Int] {
    ((plain as? any ClassLearner)?.classIndices ?? [])
      + ((second as? any ClassLearner)?.classIndices ?? [])
  }
}

/// Which classes a learner has seen, and what it keeps for those it has not.
///
/// A class becomes an output when its first label comes; until then it shares the probability of
/// something new, which falls the longer nothing new came.
struct SeenClasses: Sendable, Equatable {
  /// The class index of each output, in the order of their coming.
  private(set) var indices: [Int] = []
  /// Records learnt since the last new class.
  var run = 0

  /// The output of a label's class, if it has one.
  func output(of label: Double) -> Int? {
    indices.firstIndex { Double($0) == label }
  }

  /// Whether a label's class has an output.
  func contains(_ label: Double) -> Bool { output(of: label) != nil }

  /// How many rows come before the first one that brings a new class; one of weight 0 brings none.
  func knownCount(
    _ labels: UnsafePointer<Double>, _ weights: UnsafePointer<Float>, limit: Int
  ) -> Int {
    (0..<limit).first { weights[$0] > 0 && !contains(labels[$0]) } ?? limit
  }

  /// Gives a label's class an output.
  mutating func add(_ label: Double) {
    guard let index = Int(exactly: label) else { return }
    indices.append(index)
    run = 0
  }

  /// The probability that a class is one not yet seen, given that there are any, when so many
  /// records more have come.
  private func novelty(later: Int) -> Double {
    let records = Double(run + later + 2)
    return max(1e-6, 0.5 / (records * records.squareRoot()))
  }

  /// Writes a record's probabilities in the order of the classes.
  ///
  /// - Parameters:
  ///   - means: one per output, `stride` apart.
  ///   - prediction: `width` numbers.
  ///   - later: how many records, not yet counted in `run`, come before this one.
  func write<Mean: BinaryFloatingPoint>(
    _ means: UnsafePointer<Mean>, stride: Int = 1, to prediction: UnsafeMutablePointer<Double>,
    width: Int, later: Int = 0
  ) {
    let unseen = width - indices.count
    let novelty = indices.isEmpty ? 1 : unseen > 0 ? novelty(later: later) : 0
    let unseenShare = unseen > 0 ? novelty / Double(unseen) : 0
    for k in 0..<width { prediction[k] = unseenShare }
    for (output, index) in indices.enumerated() where index < width {
      prediction[index] = (1 - novelty) * Double(means[output * stride])
    }
  }

  init() {}

  /// Writes the classes, and how long none has come.
  func encode(into archive: inout TensorArchive, prefix: String) {
    archive.set(indices, as: prefix + "classes")
    archive.set(run, as: prefix + "recordsSinceNewClass")
  }

  /// Reads what `encode` wrote.
  init(decoding archive: TensorArchive, prefix: String) throws(MillraceError) {
    let indices = try archive.integers(prefix + "classes")
    for (place, index) in indices.enumerated() {
      guard 0..<Int64(RecordDecoder.classLimit) ~= index, !indices[..<place].contains(index) else {
        throw MillraceError(
          .store,
          "tensor '\(prefix)classes' has \(index) at \(place); expected other classes than before, "
            + "below \(RecordDecoder.classLimit)")
      }
    }
    self.indices = indices.map(Int.init)
    run = try archive.count(prefix + "recordsSinceNewClass")
  }
}
