import Millrace
import Testing

/// 4,000 zeros and ones whose mean rises from 0.2 to 0.5 in the middle.
private let risingMean = uniforms(4_000).enumerated().map { index, u in
  u < (index < 2_000 ? 0.2 : 0.5) ? 1.0 : 0.0
}

/// The indices at which `update` alarms.
private func alarms(_ values: [Double], _ update: (Double) -> Bool) -> [Int] {
  values.indices.filter { update(values[$0]) }
}

@Suite struct `Page-Hinkley test` {
  @Test func `alarms where River's does`() {
    #expect(risingMean[..<2_000].reduce(0, +) == 392 && risingMean.reduce(0, +) == 1_399)
    var test = PageHinkley()
    #expect(alarms(risingMean) { test.update($0) } == [2_143])
  }

  @Test func `the direction decides which changes alarm`() {
    let fallingMean = risingMean.map { 1 - $0 }
    var up = PageHinkley(direction: .up)
    var down = PageHinkley(direction: .down)
    #expect(alarms(fallingMean) { up.update($0) }.isEmpty)
    #expect(alarms(fallingMean) { down.update($0) } == [2_143])
  }

  @Test func `values that are not finite change nothing but their count`() {
    var test = PageHinkley()
    var dirty = PageHinkley()
    _ = dirty.update(.infinity)
    for (index, value) in risingMean.enumerated() {
      var alarms = [index % 100 == 0 && dirty.update(.nan)]
      alarms += [test.update(value), dirty.update(value)]
      #expect(!alarms[0] && alarms[1] == alarms[2])
    }
    #expect(dirty.quarantined == 41 && dirty.count == test.count)
  }
}

@Suite struct `Adaptive window` {
  @Test func `alarms where River's does`() {
    var window = ADWIN()
    #expect(alarms(risingMean) { window.update($0) }.first == 2_047)
    #expect((window.mean - 0.5).magnitude < 0.02)
  }

  @Test func `mean and variance are those of the latest values`() {
    // y = [(u < .3) + 2*(i > 3000)*u for i, u in enumerate(lcg(10000, 9))]: River 0.26.1 alarms at
    // 3039 first.
    let values = uniforms(10_000, seed: 9).enumerated().map { index, u in
      (u < 0.3 ? 1 : 0) + (index > 3_000 ? 2 * u : 0)
    }
    var window = ADWIN()
    #expect(alarms(values) { window.update($0) }.first == 3_039)
    let kept = values.suffix(window.width)
    let mean = kept.reduce(0, +) / Double(kept.count)
    let variance = kept.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(kept.count)
    #expect(6_500..<7_500 ~= kept.count)
    #expect(isClose(window.mean, mean) && isClose(window.variance, variance, 1e-9))
  }

  @Test func `values that are not finite change nothing but their count`() {
    var window = ADWIN()
    for value in risingMean { _ = window.update(value) }
    let before = window
    #expect(alarms([.nan, -.infinity]) { window.update($0) }.isEmpty)
    #expect(window.quarantined == 2 && window.mean == before.mean)
    window.reset()
    #expect(window.width == 0 && window.mean == 0 && window.quarantined == 2)
  }
}

@Suite struct `Benjamini-Hochberg procedure` {
  @Test func `the largest p-value under its line takes the smaller ones with it`() {
    #expect(
      benjaminiHochberg([0.01, 0.02, 0.03, 0.04, 0.05], level: 0.05)
        == [true, true, true, true, true])
    // scipy.stats.false_discovery_control gives .04, .0667, .0667, .2 for these.
    #expect(
      benjaminiHochberg([0.2, 0.05, 0.01, 0.04], level: 0.0666667) == [false, true, true, true])
    #expect(
      benjaminiHochberg([0.2, 0.05, 0.01, 0.04], level: 0.06) == [false, false, true, false])
  }

  @Test func `a test without p-value is not counted`() {
    #expect(benjaminiHochberg([nil, 0.04, .nan], level: 0.05) == [false, true, false])
    #expect(benjaminiHochberg([], level: 0.05).isEmpty)
  }
}

@Suite struct `Population stability index` {
  private let uniform = [Int](repeating: 100, count: 10)
  private let skewed = [0, 100, 100, 100, 100, 100, 100, 100, 100, 200]

  @Test func `small differences`() {
    let index = PopulationStabilityIndex(
      reference: [Int](repeating: 10, count: 10), current: [8, 9, 10, 11, 12, 10, 9, 11, 13, 7],
      emptyBins: .floor(0))
    #expect(isClose(index.value, 0.03069389232359301, 1e-9))
  }

  @Test(arguments: [
    (PopulationStabilityIndex.EmptyBins.floor(1e-4), 0.7593994704263101),
    (.floor(1e-6), 1.2205957516275525), (.floor(0.01), 0.27654737642545868),
    (.addHalf, 0.5964140723688128),
  ])
  func `an empty bin`(emptyBins: PopulationStabilityIndex.EmptyBins, expected: Double) {
    let index = PopulationStabilityIndex(
      reference: uniform, current: skewed, emptyBins: emptyBins)
    #expect(isClose(index.value, expected, 1e-9))
  }

  @Test func `significance depends on the sample sizes`() throws {
    // scipy.stats.chi2.sf(x, k) for the index over 1/N + 1/M, at N = M = 100 and 10 bins.
    let index = PopulationStabilityIndex(
      reference: [Int](repeating: 10, count: 10), current: [8, 9, 10, 11, 12, 10, 9, 11, 13, 7],
      emptyBins: .floor(0))
    #expect(isClose(index.pValue, 0.9968811068262097, 1e-9))
    #expect(PopulationStabilityIndex(reference: [3, 0], current: [5, 0]).value == 0)
    #expect(PopulationStabilityIndex(reference: [3, 4], current: [0, 0]).value == nil)
  }

  @Test func `the chi-squared tail is SciPy's`() {
    // scipy.stats.chi2.sf(x, k)
    for (x, k, p) in chiSquaredTails {
      #expect(isClose(ChiSquaredDistribution.survival(x, degreesOfFreedom: k), p, 1e-10))
    }
  }
}

private let chiSquaredTails: [(Double, Int, Double)] = [
  (0.3, 1, 0.583882420770365), (4, 1, 0.04550026389635857), (3.4, 2, 0.18268352405273466),
  (0.9, 3, 0.8254278090416608), (12, 3, 0.007383160505359769), (36, 9, 3.9646587980428424e-05),
  (3, 10, 0.9814240637778593), (228, 57, 2.6003447443625407e-22),
  (1_070, 1_000, 0.061176725742397346), (1_300, 1_000, 3.8897364994868366e-10),
  (5_001, 5_001, 0.4973406448157478), (6_501.3, 5_001, 3.5614844346679758e-43),
]
