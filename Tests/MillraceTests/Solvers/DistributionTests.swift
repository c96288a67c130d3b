import Glibc
import Millrace
import Testing

@Suite struct `Tail probabilities` {
  @Test func `Student's tails are scipy's`() {
    // 2 * scipy.stats.t.sf(t, df)
    let cases: [(t: Double, degrees: Double, p: Double)] = [
      (0.5, 1, 0.7048327646991335), (2.5, 3, 0.08770664700806556), (1, 10, 0.34089313230206),
      (12, 7, 6.358310378185098e-06), (3, 100, 0.0034079153433294465),
      (1.7, 1_000_000, 0.08913123649034883), (40, 5, 1.8411962171772954e-07),
      (0.001, 2.5, 0.9992763827207849), (6, 10000, 2.0416184729226213e-09),
    ]
    for (t, degrees, p) in cases {
      for t in [t, -t] {
        let found = Distribution.studentTails(t, degreesOfFreedom: degrees)
        #expect(relativeError([found], [p]) <= 1e-12)
      }
    }
    #expect(Distribution.studentTails(0, degreesOfFreedom: 4) == 1)
    #expect(Distribution.studentTails(.infinity, degreesOfFreedom: 4) == 0)
    #expect(Distribution.studentTails(.nan, degreesOfFreedom: 4).isNaN)
  }

  @Test(arguments: [1e-8, 0.1, 1, 2.5, 30, 1e8])
  func `one degree of freedom is Cauchy's, two have a square root`(_ t: Double) {
    let cauchy = 2 / Double.pi * atan(1 / t)
    #expect(relativeError([Distribution.studentTails(t, degreesOfFreedom: 1)], [cauchy]) <= 1e-12)
    let two = 2 / ((2 + t * t) + t * (2 + t * t).squareRoot())
    #expect(relativeError([Distribution.studentTails(t, degreesOfFreedom: 2)], [two]) <= 1e-12)
  }

  @Test func `the normal tails are scipy's`() {
    // 2 * scipy.stats.norm.sf(z)
    let cases = [
      (0, 1), (0.1, 0.920344325445942), (1, 0.31731050786291415), (-3, 0.0026997960632601866),
      (8, 1.244192114854348e-15), (30, 9.813427854295816e-198),
    ]
    for (z, p) in cases { #expect(relativeError([Distribution.normalTails(z)], [p]) <= 1e-12) }
  }
}
