import Foundation
import Millrace
import MillraceCLI
import Testing

@Suite struct `Command line arguments` {
  typealias Example = ExampleCommand

  @Test func `what is not given has its default`() throws {
    let arguments = try Example.parse("data.csv", "--label", "y")
    #expect(arguments[Example.data] == "data.csv")
    #expect(arguments[Example.output] == nil)
    #expect(arguments[Example.label] == "y")
    #expect(arguments[Example.learner] == .auto)
    #expect(arguments[Example.learningRate] == nil)
    #expect(arguments[Example.seed] == 1)
    #expect(arguments[Example.features] == [])
    #expect(arguments[Example.linger] == .milliseconds(100))
    #expect(arguments[Example.publishEvery] == .records(10_000))
    #expect(!arguments[Example.untilEnd] && !arguments.isGiven(Example.untilEnd))
  }

  @Test func `values follow a flag or an equals sign, in any order`() throws {
    let arguments = try Example.parse(
      "--label=a=b", "--features", "p,q", "-", "--seed", "7", "--features=r", "--linger", "5s",
      "--kafka", "a=1,2", "--kafka=b=3", "out", "--drift-at", "10,20", "--publish-every=2m",
      "--seed=9", "--until-end", "--learning-rate", "1e-3")
    #expect(arguments[Example.data] == "-")
    #expect(arguments[Example.output] == "out")
    #expect(arguments[Example.label] == "a=b")
    #expect(arguments[Example.features] == ["p", "q", "r"])
    #expect(arguments[Example.kafka] == ["a=1,2", "b=3"])
    #expect(arguments[Example.driftAt] == [10, 20])
    #expect(arguments[Example.seed] == 9)  // the last one counts
    #expect(arguments[Example.linger] == .seconds(5))
    #expect(arguments[Example.publishEvery] == .time(.seconds(120)))
    #expect(arguments[Example.learningRate] == 0.001)
    #expect(arguments[Example.untilEnd] && arguments.isGiven(Example.untilEnd))
  }

  @Test func `a flag is taken back, and all after two dashes are arguments`() throws {
    let arguments = try Example.parse(
      "--label", "y", "--until-end", "--no-until-end", "--", "--data", "-o")
    #expect(!arguments[Example.untilEnd])
    #expect(arguments[Example.data] == "--data" && arguments[Example.output] == "-o")
    #expect(try Example.parse("d", "--label", "y", "--until-end=true")[Example.untilEnd])
  }

  @Test func `a negative number is a value`() throws {
    #expect(
      message("d", "--label", "y", "--seed", "-1")
        == "--seed is \"-1\"; expected a whole number")
  }

  @Test func `a misspelt option is told the nearest`() {
    #expect(
      message("d", "--lerner", "sgd")
        == "unknown option --lerner (did you mean --learner?). See 'millrace example --help'")
    #expect(message("d", "--xyz") == "unknown option --xyz. See 'millrace example --help'")
    #expect(message("d", "-x") == "unknown option -x. See 'millrace example --help'")
    #expect(message("d", "--no-seed")?.hasPrefix("unknown option --no-seed (did you") == true)
  }

  @Test func `a wrong value is told what is allowed`() {
    #expect(
      message("d", "--label", "y", "--learner", "forest")
        == "--learner is \"forest\"; expected one of "
        + "auto, sgd, adagrad, adam, ftrl, newton, filter, exact")
    #expect(
      message("d", "--label", "y", "--max-bad-records", "1.5")
        == "--max-bad-records is \"1.5\"; expected a number from 0.0 to 1.0")
    #expect(
      message("d", "--label", "y", "--until-end=perhaps")
        == "--until-end is \"perhaps\"; expected true or false")
    #expect(message("d", "--label", "")?.hasPrefix("--label is \"\"") == true)
    #expect(message("d", "--label", "y", "--features", "a,,b")?.contains("a,,b") == true)
  }

  @Test func `what is missing or too much is named`() {
    #expect(
      message("--label", "y")
        == "example needs DATA: The data. See 'millrace example --help'")
    #expect(
      message("d")
        == "example needs --label COL: The column to learn. See 'millrace example --help'")
    #expect(
      message("d", "--label")
        == "--label needs a value: a text that is not empty. See 'millrace example --help'")
    #expect(
      message("d", "--seed", "--until-end")?.hasPrefix("--seed needs a value: a whole number")
        == true)
    #expect(
      message("d", "o", "x", "--label", "y")
        == "unexpected argument \"x\". See 'millrace example --help'")
  }

  @Test func `help needs nothing else`() throws {
    #expect(try Example.parse("--help")[CommonOptions.help])
    #expect(try Example.parse("-h")[CommonOptions.help])
  }

  @Test func `a file gives what flags do not`() throws {
    try withFile(
      """
      # A job.
      data: data.csv
      label: y
      learningRate: 0.5
      features: [a, "b,c"]
      driftAt:
        - 5
        - 6
      publishEvery: 30s
      untilEnd: true
      seed: 3
      """
    ) { path in
      let arguments = try Example.parse("--config", path, "--seed", "4", "--no-until-end")
      #expect(arguments[Example.data] == "data.csv" && arguments[Example.label] == "y")
      #expect(arguments[Example.learningRate] == 0.5)
      #expect(arguments[Example.features] == ["a", "b,c"])
      #expect(arguments[Example.driftAt] == [5, 6])
      #expect(arguments[Example.publishEvery] == .time(.seconds(30)))
      #expect(arguments[Example.seed] == 4 && !arguments[Example.untilEnd])
    }
  }

  @Test(arguments: [
    (
      "data: d\nlearningrate: 1",
      "2: learningrate is not a setting of example (did you mean learningRate?)"
    ),
    ("config: d", "1: config is not a setting of example"),
    ("seed: fast", "1: seed is \"fast\"; expected a whole number"),
    ("seed: 1\nlabel: y\nseed: 2", "3: seed is given twice"),
    ("seed: [1, 2]", "1: seed is \"[1, 2]\"; expected a whole number"),
    ("features: [a, [b]]", "1: features has an item that is not a single value"),
    ("a:\n  b: 1", "1: a holds settings of its own; expected a value or a list"),
    ("? [a]\n: b", "1: a key is not a text"),
    ("- a", "1: expected settings, each 'key: value'"),
    ("seed: 1\n  label: [", "2: mapping values are not allowed in this context"),
    ("seed: \"", "1: found unexpected end of stream"),
    ("seed:", "1: seed is \"\"; expected a whole number"),
    ("x: *nowhere", "1: found undefined alias"),
  ])
  func `a wrong file is told the line`(text: String, expected: String) throws {
    try withFile(text) { path in
      #expect(message("--config", path) == "\(path):\(expected)")
    }
  }

  @Test func `a file that is empty or missing`() throws {
    try withFile("") { path in
      let arguments = try Example.parse("d", "--label", "y", "--config", path)
      #expect(arguments[Example.seed] == 1)
    }
    #expect(
      message("--config", "/none.yaml") == "cannot open '/none.yaml': No such file or directory")
  }

  @Test func `files of random bytes never crash the reader`() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("ab: -[]{}&*!|>'\"%@`#?,\n\t\0\u{85}é".utf8) + [0xFF, 0xC3]
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
      }
      _ = try? YAMLSettings(parsing: bytes, path: "random")
    }
  }

  private func message(_ words: String...) -> String? {
    do {
      _ = try Arguments(
        parsing: words, options: ExampleCommand().allOptions, commandName: "example")
      return nil
    } catch {
      #expect(error.kind == .configuration)
      return error.message
    }
  }

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).yaml")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }
}
