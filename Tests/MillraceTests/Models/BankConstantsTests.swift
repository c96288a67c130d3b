import Millrace
import Testing

@Suite struct `Constants of the bank` {
  /// A task and a width of rows for every kind of bank.
  struct Kind: CustomTestStringConvertible {
    var task: Task
    var columns: Int
    var testDescription: String { "\(task.rawValue), \(columns) columns" }

    /// What the bank's constants are: its own, and the settings' instead.
    func constants(_ constants: [String: [Double]] = [:]) throws -> [String: [Double]] {
      let schema = Schema(
        task: task, columns: (1..<columns).map { Schema.Column(name: "x\($0)", kind: .numeric) },
        label: "y", classes: task == .regression ? [] : ["a", "b"])
      return try Model(schema: schema, settings: settings(constants)).bankConstants()
    }

    /// What is said of records before each is learnt, and without labels afterwards.
    func predictions(_ constants: [String: [Double]] = [:]) throws -> [Double] {
      var uniform = SeededUniform(seed: 3)
      var (rows, labels): ([Float], [Double]) = ([], [])
      // So many that a narrow bank's wide group sleeps and is asked again; a wide bank's earns its
      // place.
      for _ in 0..<11_000 {
        let row = (1..<columns).map { _ in uniform.normal() }
        rows += row + [1]
        let curve = columns > 47 ? abs(row[2]) : 0
        let score = Double(row[0] - row[1] + curve + 0.5 * uniform.normal())
        labels.append(task == .regression ? score : score > 0.5 ? 2 : score > -0.5 ? 1 : 0)
        if task == .binary { labels[labels.count - 1] = score > 0 ? 1 : 0 }
      }
      var learner = try settings(constants).makeLearner(task: task, columnCount: columns)
      let width = learner.outputWidth(classCount: 3)
      let weights = [Float](repeating: 1, count: labels.count)
      return learner.learn(rows, columns: columns, labels: labels, weights: weights, width: width)
        + learner.predict(rows, columns: columns, width: width, horizon: .never)
    }

    private func settings(_ constants: [String: [Double]]) -> LearnerSettings {
      var settings = LearnerSettings()
      settings.bankConstants = constants
      return settings
    }
  }

  static let kinds = [
    Kind(task: .binary, columns: 5), Kind(task: .multiclass, columns: 5),
    Kind(task: .regression, columns: 5), Kind(task: .binary, columns: 60),
    Kind(task: .multiclass, columns: 132), Kind(task: .regression, columns: 60),
  ]

  @Test(arguments: kinds)
  func `set to what they are change nothing`(kind: Kind) throws {
    let constants = try kind.constants()
    #expect(constants.count >= 8)
    #expect(try kind.predictions(constants) == kind.predictions())
  }

  @Test(arguments: kinds)
  func `set to something else are told back, and change what is predicted`(kind: Kind) throws {
    let plain = try kind.predictions()
    for (name, numbers) in try kind.constants() {
      // Zeros grow: shares of wrong labels, robustness.
      let factor = name.hasSuffix("drifts") ? 2 : name == "basis-least-weight" ? 20 : 0.75
      let changed = numbers.enumerated().map { lane, number in
        number == 0 ? (lane == 0 ? 0.01 : 0) : number * factor
      }
      let told = try #require(try kind.constants([name: changed])[name])
      #expect(zip(told, changed).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }, "\(name)")
      // When a second bank is tried shows on other streams, and which records horizons score on
      // longer ones: see their own tests.
      let isElsewhere =
        name.hasSuffix("horizon-intervals")
        || ["basis-records-per-input", "basis-test-rows", "basis-evidence"].contains(name)
      if isElsewhere { continue }
      #expect(try kind.predictions([name: changed]) != plain, "\(name)")
    }
  }

  @Test func `of a bank for sparse rows are its own or the settings'`() throws {
    var settings = LearnerSettings()
    let schema = Schema(task: .binary, sparseWidth: 1 << 10, label: "y", classes: ["a", "b"])
    #expect(try Model(schema: schema, settings: settings).bankConstants().count == 5)
    settings.bankConstants["prior-precisions"] = [100, 10, 5, 2, 1]
    let changed = try Model(schema: schema, settings: settings).bankConstants()
    #expect(changed["prior-precisions"] == [100, 10, 5, 2, 1])
  }

  @Test func `let any filter drift fast, for long`() throws {
    let stream = LabelledRows.linear(.binary, count: 30_000, classCount: 2)
    var settings = LearnerSettings()
    settings.bankConstants["filter-drifts"] = [0, 0, 0, 0, 0, 0, 0, 10]
    var bank = try settings.makeLearner(task: .binary, columnCount: 7)
    _ = bank.learn(
      stream.standardized().rows, columns: 7, labels: stream.labels, weights: stream.weights,
      width: 1)
    #expect(bank.isFinite)
  }

  @Test(arguments: [
    ("filter-drift=1", "is \"filter-drift\"; expected one of filter-drifts (8), "),
    ("filter-drifts=1,0", "is \"filter-drifts=1.0,0.0\"; expected 8 numbers from 0.0 to 10.0"),
    ("wide-pauses=64,32", "expected 2 numbers from 1.0 to 1000000.0, ascending"),
    ("mixture-shares=0,0,0,0.6", "expected 4 numbers from 0.0 to 0.5"),
    ("filter-variances=1,1,1,0,1,1,1,1", "expected 8 numbers from 1e-06 to 1000.0"),
  ])
  func `that a bank cannot have are refused`(constant: String, reason: String) throws {
    var settings = LearnerSettings()
    let isSet = settings.setBankConstant(constant)
    #expect(isSet)
    let error = #expect(throws: MillraceError.self) {
      try settings.makeLearner(task: .binary, columnCount: 5)
    }
    let message = "\(try #require(error))"
    #expect(message.contains(reason), "\(message)")
  }

  @Test func `are refused where nothing has any`() throws {
    var settings = LearnerSettings()
    settings.bankConstants["mixture-shares"] = [0.1, 0.1, 0.1, 0.1]
    #expect(throws: MillraceError.self) {
      try settings.makeLearner(task: .binary, columnCount: 3_000)
    }
    settings.learner = .sgd
    #expect(throws: MillraceError.self) {
      try settings.makeLearner(task: .binary, columnCount: 5)
    }
  }

  @Test(arguments: ["", "a", "a=", "a=1,", "a=x", "=1", "a=1=2", "a=nan", "a=1e999"])
  func `are written as a name and numbers`(text: String) {
    var settings = LearnerSettings()
    let isSet = settings.setBankConstant(text)
    #expect(!isSet && settings.bankConstants.isEmpty)
  }
}
