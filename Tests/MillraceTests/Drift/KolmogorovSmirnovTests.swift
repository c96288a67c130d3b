import Glibc
import Millrace
import Testing

/// A case of SciPy 1.17.1 (`uniforms` shows `lcg`):
/// ```python
/// def sample(n, seed, power, levels):
///     return [int(levels*u**power) if levels else u**power for u in lcg(n, seed)]
/// x = sample(n, 42, 1, levels); y = sample(m, 7, power, levels)
/// ks_2samp(x, y, alternative=alternative, method="exact")  # and "asymp"
/// ```
private struct Case: Sendable, CustomTestStringConvertible {
  let (n, m, power, levels): (Int, Int, Double, Double)
  let alternative: KolmogorovSmirnovTest.Alternative
  let statistic: Double
  let (exact, asymptotic): (Double?, Double?)

  init(
    _ n: Int, _ m: Int, _ power: Double, _ levels: Double,
    _ alternative: KolmogorovSmirnovTest.Alternative, _ statistic: Double, _ exact: Double?,
    _ asymptotic: Double?
  ) {
    (self.n, self.m, self.power, self.levels) = (n, m, power, levels)
    self.alternative = alternative
    self.statistic = statistic
    (self.exact, self.asymptotic) = (exact, asymptotic)
  }

  var testDescription: String { "\(n) against \(m), \(alternative.rawValue)" }

  func test(_ method: KolmogorovSmirnovTest.Method?) -> KolmogorovSmirnovTest {
    func sample(_ count: Int, seed: UInt64, power: Double) -> [Double] {
      uniforms(count, seed: seed).map {
        let x = pow($0, power)
        return levels > 0 ? (levels * x).rounded(.down) : x
      }
    }
    return KolmogorovSmirnovTest(
      sample(n, seed: 42, power: 1), sample(m, seed: 7, power: power), alternative: alternative,
      method: method)
  }
}

private let cases: [Case] = [
  // n, m, power, levels, alternative, D, exact p (nil: SciPy overflows), asymptotic p
  .init(1, 1, 1, 0, .twoSided, 1.0, 1.0, nil),
  .init(1, 1, 1, 0, .greater, 0.0, 1.0, 1.0),
  .init(1, 1, 1, 0, .less, 1.0, 0.5, 0.1353352832366127),
  .init(1, 10, 1, 0, .twoSided, 0.6, 0.9090909090909091, 0.8),
  .init(1, 10, 1, 0, .greater, 0.4, 0.6363636363636364, 0.5588812944265036),
  .init(1, 10, 1, 0, .less, 0.6, 0.45454545454545453, 0.3359109812391624),
  .init(3, 7, 1, 0, .twoSided, 0.2857142857142857, 0.9833333333333332, 0.9897959183673469),
  .init(3, 7, 1, 0, .greater, 0.2857142857142857, 0.6416666666666667, 0.5540633821997476),
  .init(3, 7, 1, 0, .less, 0.23809523809523808, 0.6916666666666667, 0.6411803884299545),
  .init(10, 10, 1, 0, .twoSided, 0.4, 0.41752365281777043, 0.3087999999999995),
  .init(10, 10, 1, 0, .greater, 0.4, 0.2097902097902098, 0.13533528323661262),
  .init(10, 10, 1, 0, .less, 0.0, 1.0, 1.0),
  .init(20, 30, 1.5, 0, .twoSided, 0.2, 0.6789136721225938, 0.6531903820667508),
  .init(20, 30, 1.5, 0, .greater, 0.1499999999999999, 0.5475865854404436, 0.5066169923655901),
  .init(20, 30, 1.5, 0, .less, 0.2, 0.35392880485388833, 0.31769398632632445),
  .init(50, 50, 2, 0, .twoSided, 0.33999999999999997, 0.005841778142694731, 0.00440826609811229),
  .init(50, 50, 2, 0, .greater, 0.040000000000000036, 0.9238310708898944, 0.8869204367171574),
  .init(50, 50, 2, 0, .less, 0.33999999999999997, 0.0029208890846870693, 0.0021984559630425352),
  .init(100, 37, 1, 0, .twoSided, 0.1354054054054054, 0.6462118101653259, 0.6559993345574457),
  .init(100, 37, 1, 0, .greater, 0.1, 0.538743990198811, 0.5353591128746857),
  .init(100, 37, 1, 0, .less, 0.1354054054054054, 0.3351011306478153, 0.33121512940027215),
  .init(
    500, 500, 1.2, 0, .twoSided, 0.15000000000000002, 2.521544567318862e-05, 2.2447668867543743e-05),
  .init(500, 500, 1.2, 0, .greater, 0.005999999999999998, 0.982178593870847, 0.9762857097579093),
  .init(
    500, 500, 1.2, 0, .less, 0.15000000000000002, 1.2607722836594325e-05, 1.119548484259088e-05),
  .init(
    1000, 999, 1.2, 0, .twoSided, 0.12442342342342344, 3.5235505544226806e-07, 3.319969646613064e-07
  ),
  .init(1000, 999, 1.2, 0, .greater, 0.002009009009009022, nil, 0.9939754486908189),
  .init(1000, 999, 1.2, 0, .less, 0.12442342342342344, nil, 1.6824467708930832e-07),
  .init(1000, 1000, 2, 0, .twoSided, 0.294, 1.6656399989720174e-38, 8.63062541955908e-39),
  .init(1000, 1000, 2, 0, .greater, 0.0020000000000000018, 0.9960099780459063, 0.9940179640539353),
  .init(1000, 1000, 2, 0, .less, 0.294, 8.328199994860079e-39, 2.1559544673282125e-38),
  .init(
    2000, 3000, 1.1, 0, .twoSided, 0.06066666666666665, 0.00028243418978777884,
    0.0002785238521675378),
  .init(2000, 3000, 1.1, 0, .greater, 0.0038333333333333552, nil, 0.9619003264488332),
  .init(2000, 3000, 1.1, 0, .less, 0.06066666666666665, nil, 0.00013780252320942643),
  .init(60, 45, 1.5, 4, .twoSided, 0.23888888888888887, 0.0922124055286588, 0.08642357555971447),
  .init(60, 45, 1.5, 4, .greater, 0.0, 1.0, 1.0),
  .init(60, 45, 1.5, 4, .less, 0.23888888888888887, 0.046109236265525856, 0.042322608219575286),
  .init(300, 200, 1, 3, .twoSided, 0.06666666666666665, 0.6434024642847772, 0.6357579550372281),
  .init(300, 200, 1, 3, .greater, 0.0, 1.0, 1.0),
  .init(300, 200, 1, 3, .less, 0.06666666666666665, 0.333969625020567, 0.32339238173984053),
  .init(40, 40, 3, 2, .twoSided, 0.2250000000000001, 0.2656871402817289, 0.22655260968369906),
  .init(40, 40, 3, 2, .greater, 0.0, 1.0, 1.0),
  .init(40, 40, 3, 2, .less, 0.2250000000000001, 0.13309553902004587, 0.10539922456186415),
  .init(10, 100000, 2, 0, .twoSided, 0.17537999999999998, 0.8677921013719037, 0.8677427546008212),
  .init(10, 100000, 2, 0, .greater, 0.17537999999999998, nil, 0.48093023128858153),
  .init(10, 100000, 2, 0, .less, 0.14671, nil, 0.5896359980039971),
  .init(
    150, 100000, 1.3, 0, .twoSided, 0.15579333333333334, 0.0012177868921595366,
    0.0012044251323199665),
  .init(150, 100000, 1.3, 0, .greater, 0.014566666666666728, nil, 0.9293344001749361),
  .init(150, 100000, 1.3, 0, .less, 0.15579333333333334, nil, 0.0006269895080176152),
  .init(
    7000, 9000, 1.02, 0, .twoSided, 0.015539682539682576, 0.294269573974525, 0.2945387981570011),
  .init(7000, 9000, 1.02, 0, .greater, 0.011888888888888838, nil, 0.32481784173903966),
  .init(7000, 9000, 1.02, 0, .less, 0.015539682539682576, nil, 0.1471120339803353),
  .init(400, 400, 1, 0, .twoSided, 0.08250000000000002, 0.13142600454226117, 0.1242121780009644),
  .init(400, 400, 1, 0, .greater, 0.0325, 0.6557035842034791, 0.6344479679482281),
  .init(400, 400, 1, 0, .less, 0.08250000000000002, 0.0657309837026925, 0.060506771172580305),
  .init(300, 40, 4, 0, .twoSided, 0.5333333333333333, 8.26169483703717e-10, 7.950629710365297e-10),
  .init(300, 40, 4, 0, .greater, 0.0, 1.0, 1.0),
  .init(300, 40, 4, 0, .less, 0.5333333333333333, 4.1308474185172404e-10, 1.280753841801334e-09),
]

/// `kstwo.sf(x, n)` of SciPy 1.17.1.
private let survivals: [(n: Int, x: Double, p: Double)] = [
  (1, 0.387298, 1.0), (1, 0.774597, 0.45080600000000004), (1, 0.97, 0.06000000000000005),
  (1, 0.97, 0.06000000000000005), (1, 0.97, 0.06000000000000005), (1, 0.97, 0.06000000000000005),
  (1, 0.97, 0.06000000000000005),
  (3, 0.223607, 0.9911386221968042), (3, 0.447214, 0.4658811431255028),
  (3, 0.658281, 0.08008407625080816), (3, 0.83666, 0.008715807895408007),
  (3, 0.875595, 0.003850733847460249), (3, 0.97, 5.400000000000015e-05),
  (3, 0.97, 5.400000000000015e-05),
  (10, 0.122474, 0.9934672061463047), (10, 0.244949, 0.5098051539378201),
  (10, 0.360555, 0.11376190843634693), (10, 0.458258, 0.01933772232535924),
  (10, 0.479583, 0.012295756523567847), (10, 0.591608, 0.0007263943008880435),
  (10, 0.774597, 7.958880117205318e-07),
  (50, 0.054772, 0.9963205206195354), (50, 0.109545, 0.5491645741085756),
  (50, 0.161245, 0.1328241477999038), (50, 0.204939, 0.025579565175517516),
  (50, 0.214476, 0.01692768949844281), (50, 0.264575, 0.0014053227045599526),
  (50, 0.34641, 7.274446391049234e-06),
  (140, 0.032733, 0.9971701374967253), (140, 0.065465, 0.5634281289799824),
  (140, 0.096362, 0.13907168685247148), (140, 0.122474, 0.027428321073783464),
  (140, 0.128174, 0.018274502784567898), (140, 0.158114, 0.001594550742294723),
  (140, 0.20702, 9.692958488108394e-06),
  (141, 0.032616, 0.9971752849009072), (141, 0.065233, 0.5634928182633971),
  (141, 0.09602, 0.139102081051505), (141, 0.122039, 0.027438230666159247),
  (141, 0.127719, 0.018280949651926205), (141, 0.157552, 0.001595528548079273),
  (141, 0.206284, 9.705424351383494e-06),
  (300, 0.022361, 0.9975414041968983), (300, 0.044721, 0.5703898020552725),
  (300, 0.065828, 0.14203181328314995), (300, 0.083666, 0.02826406156829575),
  (300, 0.08756, 0.018876370811024785), (300, 0.108012, 0.001674741660152851),
  (300, 0.141421, 1.068626148549114e-05),
  (1000, 0.012247, 0.9978843461376223), (1000, 0.024495, 0.5773234346436009),
  (1000, 0.036056, 0.1449279130307849), (1000, 0.045826, 0.02905701955144746),
  (1000, 0.047958, 0.0194459912169938), (1000, 0.059161, 0.0017462638457865314),
  (1000, 0.07746, 1.1512644654447492e-05),
  (20000, 0.002739, 0.9981793538993768), (20000, 0.005477, 0.5840686252264071),
  (20000, 0.008062, 0.1477145952976867), (20000, 0.010247, 0.02978413718644124),
  (20000, 0.010724, 0.01995579168462174), (20000, 0.013229, 0.0018069323330333553),
  (20000, 0.017321, 1.2130959993654986e-05),
  (1000000, 0.000387, 0.9982748371461007), (1000000, 0.000775, 0.5850217829938371),
  (1000000, 0.00114, 0.1484921986603992), (1000000, 0.001449, 0.029985983705597574),
  (1000000, 0.001517, 0.020031615383561387), (1000000, 0.001871, 0.0018191497731867446),
  (1000000, 0.002449, 1.2327219036299238e-05),
  (10000000, 0.000122, 0.9983636105511484), (10000000, 0.000245, 0.5856136479447599),
  (10000000, 0.000361, 0.14750175395739673), (10000000, 0.000458, 0.030123741255622116),
  (10000000, 0.00048, 0.01993710271819743), (10000000, 0.000592, 0.001806204689777835),
  (10000000, 0.000775, 1.2129506844812523e-05),
]

@Suite struct `Kolmogorov-Smirnov test` {
  @Test(arguments: cases)
  fileprivate func `statistic and p-values are SciPy's`(example: Case) throws {
    let exact = example.test(.exact)
    let statistic = try #require(exact.statistic)
    #expect((statistic - example.statistic).magnitude <= 1e-12)
    if let p = example.exact { #expect(isClose(exact.pValue, p, 1e-9)) }
    if let p = example.asymptotic {
      #expect(isClose(example.test(.asymptotic).pValue, p, 1e-6))
    }
  }

  @Test func `the law of one sample is SciPy's`() {
    for (n, x, p) in survivals {
      #expect(isClose(KolmogorovDistribution.survival(x, sampleSize: n), p, 1e-6))
    }
  }

  // The values of SciPy 1.17.1, ks_2samp with method="exact" or "asymp".
  @Test func `five against six`() {
    let (x, y) = ((1...5).map(Double.init), (2...7).map { Double($0) + 0.5 })
    func test(
      _ alternative: KolmogorovSmirnovTest.Alternative,
      _ method: KolmogorovSmirnovTest.Method = .exact
    ) -> KolmogorovSmirnovTest {
      KolmogorovSmirnovTest(x, y, alternative: alternative, method: method)
    }
    #expect(test(.twoSided).statistic == 0.5 && isClose(test(.twoSided).pValue, 5.0 / 14))
    #expect(isClose(test(.greater).pValue, 0.17965367965367965))
    #expect(test(.less).statistic == 0 && test(.less).pValue == 1)
    #expect(isClose(test(.twoSided, .asymptotic).pValue, 0.3333333333333333))
  }

  @Test func `ties are counted exactly, or ignored as SciPy does`() {
    let x = (0..<60).map { Double($0 * $0 % 7) }
    let y = (0..<45).map { Double(($0 * $0 + $0) % 7) }
    let test = KolmogorovSmirnovTest(x, y)
    #expect(test.method == .exactWithTies && isClose(test.statistic, 0.4222222222222222))
    // psmirnov(D, sizes = c(60, 45), z = c(x, y), lower.tail = FALSE) of R.
    #expect(isClose(test.pValue, 8.05075633461527e-6, 1e-9))
    let untied = KolmogorovSmirnovTest(x, y, method: .exact)
    #expect(isClose(untied.pValue, 1.32089348335926e-4, 1e-9))
  }

  @Test(arguments: [
    [0, 0, 1, 1, 1, 2, 3, 3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 1, 1, 1, 1, 2],
  ])
  func `the exact p-value is the share of labelings at least as far apart`(pooled: [Double]) {
    let n = 4
    var statistics: [Double] = []
    for labels in 0..<(1 << pooled.count) where labels.nonzeroBitCount == n {
      let first = pooled.indices.filter { labels >> $0 & 1 == 1 }.map { pooled[$0] }
      let second = pooled.indices.filter { labels >> $0 & 1 == 0 }.map { pooled[$0] }
      let test = KolmogorovSmirnovTest(first, second)
      statistics.append(test.statistic ?? .nan)
    }
    for labels in 0..<(1 << pooled.count) where labels.nonzeroBitCount == n {
      let first = pooled.indices.filter { labels >> $0 & 1 == 1 }.map { pooled[$0] }
      let second = pooled.indices.filter { labels >> $0 & 1 == 0 }.map { pooled[$0] }
      let test = KolmogorovSmirnovTest(first, second)
      let extreme = statistics.filter { $0 >= (test.statistic ?? .nan) - 1e-12 }.count
      #expect(isClose(test.pValue, Double(extreme) / Double(statistics.count)))
    }
  }

  @Test func `constants are equal, or as far apart as can be`() {
    let fives = [Double](repeating: 5, count: 10)
    let same = KolmogorovSmirnovTest(fives, Array(fives.prefix(7)))
    #expect(same.statistic == 0 && same.pValue == 1)
    let sixes = [Double](repeating: 6, count: 7)
    let apart = KolmogorovSmirnovTest(fives, sixes, method: .exact)
    #expect(apart.statistic == 1 && isClose(apart.pValue, 1.0283833813245579e-4))
    // One labeling of C(17, 7): the ten fives and seven sixes cannot change places.
    #expect(isClose(KolmogorovSmirnovTest(fives, sixes).pValue, 5.141916906622789e-5))
  }

  @Test func `missing values are left out and infinities are ordered`() {
    let test = KolmogorovSmirnovTest([1, 2, .nan, 4], [2, 3, 4, 5], method: .exact)
    #expect(isClose(test.statistic, 0.4166666666666667))
    #expect(isClose(test.pValue, 0.8857142857142858))
    let finite = KolmogorovSmirnovTest([-9, 0, 1, 9], [0.5, 2, 9], method: .exact)
    let infinite = KolmogorovSmirnovTest(
      [-.infinity, -0.0, 1, .infinity], [0.5, 2, .infinity], method: .exact)
    #expect(finite == infinite)
    #expect(KolmogorovSmirnovTest([0.0, 1], [-0.0, 1]).statistic == 0)
  }

  @Test func `one value is enough, none is not`() {
    let five = (1...5).map(Double.init)
    #expect(KolmogorovSmirnovTest([0], [1]).pValue == 1)
    #expect(isClose(KolmogorovSmirnovTest([0], five).pValue, 1.0 / 3))
    #expect(isClose(KolmogorovSmirnovTest([3], five).statistic, 0.4))
    #expect(KolmogorovSmirnovTest([3], five, method: .exact).pValue == 1)
    for empty in [KolmogorovSmirnovTest([], five), KolmogorovSmirnovTest(five, [.nan])] {
      #expect(empty.method == .insufficient && empty.statistic == nil && empty.pValue == nil)
    }
  }

  @Test func `ten values against a million`() {
    let x = (0..<10).map { (Double($0) + 0.5) / 10 + 0.2 }
    let y = (0..<1_000_000).map { Double($0) / 1e6 }
    let automatic = KolmogorovSmirnovTest(x, y)
    #expect(automatic.statistic == 0.250001 && automatic.method == .asymptotic)
    #expect(isClose(automatic.pValue, 0.4841065040977881, 1e-6))
    #expect(
      isClose(KolmogorovSmirnovTest(x, y, method: .exact).pValue, 0.48411420661262744, 1e-9))
  }

  @Test func `ten thousand values are tested exactly, more are not`() {
    func test(_ n: Int, _ method: KolmogorovSmirnovTest.Method?) -> KolmogorovSmirnovTest {
      let x = (0..<n).map { Double($0) / Double(n) }
      return KolmogorovSmirnovTest(x, x.map { $0 + 0.02 }, method: method)
    }
    #expect(isClose(test(10_000, .exact).pValue, 0.03518876957795689, 1e-9))
    #expect(test(10_001, nil).method == .asymptotic)
    #expect(isClose(test(10_001, nil).pValue, 0.03474452473660949, 1e-6))
    #expect(test(10_000, nil).method != .asymptotic)
  }
}
