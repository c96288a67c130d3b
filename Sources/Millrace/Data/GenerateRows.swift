internal import Glibc

/// The records of a synthetic stream as bytes, some thousand at a time.
struct SyntheticRows {
  private static let rowsPerChunk = 1024

  let stream: SyntheticStream
  let concepts: [SyntheticConcept]
  /// What goes before each field of a record, and at its end.
  private let separators: [[UInt8]]
  private let bytesPerRow: Int
  private var header: [UInt8]
  private var row = 0
  private var concept = 0
  private var features: [Int64]
  /// Of features and of labels: noise does not change the features.
  private var featureRandom: SplitMix64
  private var labelRandom: SplitMix64
  /// What the true model gets wrong in the rows so far.
  private(set) var truth = SyntheticTruthErrors()

  init(_ stream: SyntheticStream, format: DataFormat) {
    var seeds = SplitMix64(seed: stream.seed)
    featureRandom = SplitMix64(seed: seeds.next())
    labelRandom = SplitMix64(seed: seeds.next())
    var conceptRandom = SplitMix64(seed: seeds.next())
    concepts = SyntheticConcept.all(of: stream, random: &conceptRandom)
    self.stream = stream
    features = Array(repeating: 0, count: stream.featureCount)
    let names = stream.featureNames + [SyntheticStream.label]
    if let delimiter = format.delimiter {
      header = Array(names.joined(separator: delimiter == 9 ? "\t" : ",").utf8) + [10]
      separators = [[]] + names.dropFirst().map { _ in [delimiter] } + [[10]]
    } else {
      header = []
      separators =
        names.enumerated().map { Array("\($0 == 0 ? "{" : ", ")\"\($1)\": ".utf8) }
        + [Array("}\n".utf8)]
    }
    bytesPerRow = separators.reduce(0) { $0 + $1.count + 24 }
  }

  /// The next records, after the first with the header; `nil` at the end.
  mutating func nextChunk() -> [UInt8]? {
    guard row < stream.rowCount else { return nil }
    let count = min(Self.rowsPerChunk, stream.rowCount - row)
    let header = exchange(&header, with: [])
    return Array(unsafeUninitializedCapacity: header.count + count * bytesPerRow) {
      buffer, initializedCount in
      var output = ByteCursor(buffer)
      output.write(header)
      for _ in 0..<count { writeRow(to: &output) }
      initializedCount = output.count
    }
  }

  private mutating func writeRow(to output: inout ByteCursor) {
    if row == concepts[concept].rows.upperBound { concept += 1 }
    drawFeatures()
    for column in 0..<stream.featureCount {
      output.write(separators[column])
      output.write(features[column], decimals: 4)
    }
    output.write(separators[stream.featureCount])
    let score = concepts[concept].score(features, at: row, isCentred: stream.kind == .hyperplane)
    if stream.kind == .linear {
      let noise = Int64((labelRandom.normals().0 * stream.noise * 1e8).rounded())
      truth.add(residual: Double(noise) * 1e-8)
      output.write(score + noise, decimals: 8)
    } else {
      let clean =
        stream.kind == .logistic
        ? 1 / (1 + exp(-Double(score) * 1e-8)) : score >= 0 ? 1 : 0
      let probability = clean + stream.noise * (1 - 2 * clean)
      let label = labelRandom.uniform() < probability
      truth.add(probability: probability, label: label)
      output.write(label ? 0x31 : 0x30)
    }
    output.write(separators[stream.featureCount + 1])
    row += 1
  }

  private mutating func drawFeatures() {
    switch stream.kind {
    case .sea:
      for column in features.indices { features[column] = featureRandom.integer(below: 100_001) }
    case .hyperplane:
      for column in features.indices { features[column] = featureRandom.integer(below: 10_001) }
    case .logistic, .linear:
      for column in stride(from: 0, to: features.count, by: 2) {
        let (first, second) = featureRandom.normals()
        features[column] = normalFeature(first, column)
        if column + 1 < features.count {
          features[column + 1] = normalFeature(second, column + 1)
        }
      }
    }
  }

  @inline(__always)
  private func normalFeature(_ value: Double, _ column: Int) -> Int64 {
    concepts[concept].means[column] + Int64((value * SyntheticConcept.unit).rounded())
  }
}

/// How far the true model is from the labels.
struct SyntheticTruthErrors {
  private var count = 0.0
  private var logLoss = 0.0
  private var correct = 0.0
  private var squared = 0.0

  @inline(__always)
  mutating func add(probability: Double, label: Bool) {
    count += 1
    logLoss -= log(label ? probability : 1 - probability)
    correct += (probability >= 0.5) == label ? 1 : 0
  }

  @inline(__always)
  mutating func add(residual: Double) {
    count += 1
    squared += residual * residual
  }

  var meanLogLoss: Double { logLoss / count }
  var accuracy: Double { correct / count }
  var rootMeanSquare: Double { (squared / count).squareRoot() }
}

/// Writes text into memory that is large enough.
private struct ByteCursor {
  private let base: UnsafeMutablePointer<UInt8>?
  private(set) var count = 0

  init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { base = buffer.baseAddress }

  mutating func write(_ byte: UInt8) {
    base?[count] = byte
    count += 1
  }

  mutating func write(_ bytes: [UInt8]) {
    for byte in bytes { write(byte) }
  }

  /// `value` · 10^−`decimals`, exactly.
  @inline(__always)
  mutating func write(_ value: Int64, decimals: Int) {
    if value < 0 { write(0x2D) }
    var rest = value.magnitude
    var digits = decimals + 1
    var bound = decimals == 4 ? 100_000 : 1_000_000_000 as UInt64
    while rest >= bound {
      bound *= 10
      digits += 1
    }
    let length = digits + 1
    var index = count + length
    count = index
    for place in 0..<length {
      index -= 1
      if place == decimals {
        base?[index] = 0x2E
      } else {
        base?[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
        rest /= 10
      }
    }
  }
}
