import Millrace
import MillraceCLI
import Testing

@Suite struct `Values of options` {
  @Test(
    arguments: [
      ("0", 0), ("10000", 10_000), ("10_000", 10_000), ("-1", nil), ("1.5", nil), ("", nil),
      ("_1", nil), ("1_", nil), ("1e3", nil), ("99999999999999999999", nil), (" 1", nil),
    ] as [(String, Int?)])
  func `whole numbers`(text: String, value: Int?) {
    #expect(ValueKind<Int>.integer(in: 0...Int.max).parse([text]) == value)
  }

  @Test(
    arguments: [
      ("0", 0), ("-2.5e-3", -0.0025), (".5", 0.5), ("1e400", nil), ("nan", nil), ("inf", nil),
      ("1,5", nil), ("", nil),
    ] as [(String, Double?)])
  func `numbers are finite`(text: String, value: Double?) {
    #expect(ValueKind<Double>.number().parse([text]) == value)
  }

  @Test(
    arguments: [
      ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("2m", .seconds(120)),
      ("1.5h", .seconds(5400)), ("0s", .zero), ("5", nil), ("s", nil), ("-1s", nil), ("5 s", nil),
      ("5d", nil), ("nans", nil), ("1e30h", nil),
    ] as [(String, Duration?)])
  func `durations have a unit`(text: String, value: Duration?) {
    #expect(ValueKind<Duration>.duration.parse([text]) == value)
  }

  @Test func `a number without a unit may be milliseconds`() {
    #expect(ValueKind<Duration>.milliseconds.parse(["250"]) == .milliseconds(250))
    #expect(ValueKind<Duration>.milliseconds.parse(["2s"]) == .seconds(2))
    #expect(ValueKind<Duration>.milliseconds.parse(["x"]) == nil)
  }

  @Test(
    arguments: [
      ("10000", .records(10_000)), ("5s", .time(.seconds(5))), ("0", nil), ("0s", nil), ("5x", nil),
    ] as [(String, Interval?)])
  func `an interval is records or time`(text: String, value: Interval?) {
    #expect(ValueKind<Interval>.interval.parse([text]) == value)
  }

  @Test(arguments: [
    (Duration.milliseconds(100), "100ms"), (.seconds(5), "5s"), (.seconds(90), "1.5m"),
    (.seconds(7200), "2h"), (.zero, "0ms"),
  ])
  func `durations are shown as they are written`(duration: Duration, text: String) {
    #expect(ValueKind<Duration>.duration.describe(duration) == text)
    #expect(ValueKind<Duration>.duration.parse([text]) == duration)
  }

  @Test(arguments: [
    ("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 1),
    ("learner", "lerner", 1),
    ("CA", "abc", 3),
  ])
  func `the distance of two names`(left: String, right: String, distance: Int) {
    #expect(editDistance(left, right) == distance)
    #expect(editDistance(right, left) == distance)
  }

  @Test func `a name is suggested only when it is near`() {
    #expect(suggestion("trian", among: ["run", "train"]) == " (did you mean train?)")
    #expect(suggestion("banana", among: ["run", "train"]) == "")
    #expect(suggestion("x", among: []) == "")
  }
}
