import Millrace
import Testing

/// Samples that are hard in their own ways.
private let samples: [[Float]] = [
  uniforms(700).map { Float($0) },
  uniforms(300, seed: 5).map { Float(Int(7 * $0)) },
  [3, 3, 3, 3],
  [-.infinity, -1, 0, -0.0, 1, .infinity, .nan],
  [1],
  [.nan, .nan],
]

/// Streams to compare with them.
private let streams: [[Float]] = [
  uniforms(500, seed: 9).map { Float($0 * $0) },
  uniforms(400, seed: 11).map { Float(Int(9 * $0)) - 1 },
  [.infinity, -.infinity, .nan, 0, 3, 2.5],
  [3],
]

private func counted(_ stream: some Sequence<Float>, _ reference: ReferenceSample) -> SlotCounter {
  var counter = SlotCounter(reference)
  for value in stream { counter.add(slot: reference.slot(of: value)) }
  return counter
}

@Suite struct `Reference sample` {
  @Test(arguments: samples.indices)
  func `a slot is the number of distinct values below and at a value`(sample: Int) {
    let reference = ReferenceSample(samples[sample])
    for value in streams.joined() where !value.isNaN {
      let below = reference.distinct.count { $0 < value }
      let notAbove = reference.distinct.count { $0 <= value }
      #expect(reference.slot(of: value) == below + notAbove)
    }
    #expect(reference.slot(of: .nan) == 2 * reference.distinct.count + 1)
  }

  @Test(arguments: samples.indices, streams.indices)
  func `the statistic from slots is the one from sorting`(sample: Int, stream: Int) {
    let reference = ReferenceSample(samples[sample])
    let counter = counted(streams[stream], reference)
    let test = KolmogorovSmirnovTest(
      samples[sample].map(Double.init), streams[stream].map(Double.init))
    guard let statistic = test.statistic else { return }
    let product = reference.count * counter.count
    #expect(Double(reference.distance(to: counter)) / Double(product) == statistic)
  }

  @Test func `parts of a stream add up and what leaves is taken away`() {
    let reference = ReferenceSample(samples[0])
    var sum = counted(streams[0], reference)
    sum.merge(counted(streams[1], reference))
    for value in streams[0] { sum.remove(slot: reference.slot(of: value)) }
    #expect(sum == counted(streams[1], reference))
  }

  @Test func `bins hold equal shares and outliers do not stretch them`() {
    let reference = ReferenceSample((0..<1_000).map { Float($0) })
    let counter = counted([-1e30, 5, 99, 100, 1e30, .nan], reference)
    let (expected, current) = reference.histograms(counter)
    #expect(expected == [Int](repeating: 100, count: 10) + [0])
    #expect(current == [3, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1])
  }

  @Test func `a value that takes a bin's share has a bin of its own`() {
    let zeros = [Float](repeating: 0, count: 600)
    let reference = ReferenceSample(zeros + (1...400).map { Float($0) })
    let (expected, _) = reference.histograms(SlotCounter(reference))
    #expect(expected == [0, 600, 100, 100, 100, 100, 0])
    // Of a constant, other values lie on either side.
    let constant = ReferenceSample([Float](repeating: 10, count: 10))
    let (_, around) = constant.histograms(counted([8, 9, 10, 11], constant))
    #expect(around == [2, 1, 1, 0])
  }

  @Test func `the test of missing values is the one of an indicator`() {
    for (marked, sizes) in [((3, 9), (20, 31)), ((0, 5), (20, 20)), ((12, 0), (30, 7))] {
      func indicator(_ marked: Int, _ size: Int) -> [Double] {
        (0..<size).map { $0 < marked ? 0 : 1 }
      }
      let test = KolmogorovSmirnovTest(
        indicator(marked.0, sizes.0), indicator(marked.1, sizes.1))
      let p = TwoSampleDistribution.share(marked: marked, of: sizes)
      #expect(test.method == .exactWithTies && isClose(test.pValue, p, 1e-9))
    }
    // scipy.stats.fisher_exact([[9, 22], [3, 17]]) orders tables by probability instead; here both
    // orders give the same tail: 0.3246.
  }
}
