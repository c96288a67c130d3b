import Glibc
import Millrace
import Testing

@Suite struct `Bank of experts for two classes` {
  private var settings: LearnerSettings {
    var settings = LearnerSettings()
    settings.learner = .auto
    return settings
  }

  private func settings(_ basis: LearnerSettings.Basis) -> LearnerSettings {
    var settings = settings
    settings.basis = basis
    return settings
  }

  @Test(arguments: [LearnerSettings.Basis.auto, .linear, .additive, .quadratic])
  func `keeps every learner's laws`(basis: LearnerSettings.Basis) throws {
    try checkLearner(settings(basis), task: .binary)
  }

  @Test func `keeps them where the wider basis works`() throws {
    try checkLearner(settings(.auto), task: .binary, isCurved: true)
  }

  @Test(arguments: [["a", "b"], ["a", "b", "a", "c"]])
  func `takes a name for every column, or none`(names: [String]) {
    #expect {
      try settings.makeLearner(task: .binary, columnCount: 5, columnNames: names)
    } throws: {
      "\($0)".contains("columnNames is \"\(names.joined(separator: ", "))\"; expected 4 different")
    }
  }

  @Test func `learns where a column is called what a level of another is`() throws {
    let schema = Schema(
      task: .binary,
      columns: [
        .init(name: "color", kind: .categorical(levels: ["blue", "red"])),
        .init(name: "color=red", kind: .numeric),
      ], label: "y", classes: ["a", "b"])
    let model = try Model(schema: schema, settings: settings)
    #expect(Set(schema.featureNames).count < schema.featureNames.count)
    #expect(model.learner.isFinite)
  }

  /// Rows whose truth turns round half-way: two free columns, their difference, a constant column,
  /// the constant.
  private func turningStream(count: Int) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 3)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, a - b, 0, 1]
      let margin = index < count / 2 ? a - 2 * b : 2 * a + b
      labels.append(margin + 1.5 * uniform.normal() > 0.3 ? 1 : 0)
    }
    return (rows, labels)
  }

  private func logLoss(_ predictions: [Double], _ labels: [Double]) -> Double {
    let losses = zip(predictions, labels).map { -log($1 == 1 ? $0 : 1 - $0) }
    return losses.reduce(0, +) / Double(losses.count)
  }

  @Test(arguments: [LearnerSettings.Basis.linear, .quadratic])
  func `lanes agree with the plain formulas in double precision`(
    basis: LearnerSettings.Basis
  ) throws {
    let (rows, labels) = turningStream(count: basis == .linear ? 60_000 : 12_000)
    var reference = ReferenceBank(columns: 5, isQuadratic: basis == .quadratic)
    let expected = labels.indices.map { row in
      reference.learn(rows[5 * row..<5 * row + 5].map(Double.init), labels[row] == 1)
    }
    var bank = try BinaryBank(settings: settings(basis), columns: 5)
    let predictions = bank.learn(
      rows, columns: 5, labels: labels, weights: Array(repeating: 1, count: labels.count), width: 1)
    #expect(abs(logLoss(predictions, labels) - logLoss(expected, labels)) < 1e-5)
    let distances = zip(predictions, expected).map { abs($0 - $1) }
    #expect(distances.reduce(0, +) / Double(distances.count) < 1e-4)
  }

  @Test func `ferns agree with the plain formulas in double precision`() throws {
    let (rows, scores) = corneredRows(count: 5_000)
    var uniform = SeededUniform(seed: 6)
    let labels = scores.map { $0 + uniform.normal() > 0 ? 1.0 : 0 }
    var reference = ReferenceBank(columns: 11, isQuadratic: true, hasFerns: true)
    let expected = labels.indices.map { row in
      reference.learn(rows[11 * row..<11 * row + 11].map(Double.init), labels[row] == 1)
    }
    var bank = try BinaryBank(settings: settings, columns: 11)
    let predictions = bank.learn(
      rows, columns: 11, labels: labels, weights: Array(repeating: 1, count: labels.count), width: 1
    )
    let ferns = bank.experts(horizon: .immediate).suffix(2)
    #expect(ferns.map(\.weight).reduce(0, +) > 0.05)
    #expect(abs(logLoss(predictions, labels) - logLoss(expected, labels)) < 1e-5)
    let distances = zip(predictions, expected).map { abs($0 - $1) }
    #expect(distances.reduce(0, +) / Double(distances.count) < 1e-4)
  }

  @Test func `two million collinear rows agree with double precision`() throws {
    let count = 2_000_000
    let (rows, scores) = collinearRows(count: count)
    let labels = scores.map { $0 > 0.3 ? 1.0 : 0 }
    var reference = ReferenceBank(columns: 3, isQuadratic: false)
    let expected = labels.indices.map { row in
      reference.learn(rows[3 * row..<3 * row + 3].map(Double.init), labels[row] == 1)
    }
    var bank = try BinaryBank(settings: settings(.linear), columns: 3)
    let predictions = bank.learn(
      rows, columns: 3, labels: labels, weights: Array(repeating: 1, count: count), width: 1)
    #expect(bank.isFinite)
    // Over the last tenth, after all that rounding could add up to.
    let tail = (count - count / 10)...
    let distances = zip(predictions[tail], expected[tail]).map { abs($0 - $1) }
    #expect(distances.reduce(0, +) / Double(distances.count) < 1e-3)
    let losses = [predictions, expected].map { logLoss(Array($0[tail]), Array(labels[tail])) }
    #expect(abs(losses[0] / losses[1] - 1) < 1e-3)
  }

  @Test func `a bank merged from partitions predicts like one that saw all`() throws {
    let stream = LabelledRows.linear(.binary, count: 12_000, classCount: 2)
    let test = LabelledRows.linear(.binary, count: 4_000, classCount: 2, seed: 9)
    func part(_ range: Range<Int>) throws -> (learner: BinaryBank, scaler: StandardScaler) {
      var rows = stream
      rows.features = Array(
        stream.features[range.lowerBound * 6..<range.upperBound * 6])
      rows.labels = Array(stream.labels[range])
      rows.weights = Array(stream.weights[range])
      let (standardized, scaler) = rows.standardized()
      var bank = try BinaryBank(settings: settings, columns: 7)
      _ = bank.learn(
        standardized, columns: 7, labels: rows.labels, weights: rows.weights, width: 1)
      return (bank, scaler)
    }
    func loss(_ bank: BinaryBank, _ scaler: StandardScaler) -> Double {
      var output = [Float](repeating: 0, count: test.count * 7)
      FrozenScaler(scaler).transform(test.features, count: test.count, into: &output, stride: 7)
      return logLoss(bank.predict(output, columns: 7, width: 1), test.labels)
    }
    let parts = [try part(0..<5_000), try part(5_000..<12_000)]
    let whole = try part(0..<12_000)
    let merged = try BinaryBank.merging(parts, scaler: whole.scaler)
    let losses = (loss(merged, whole.scaler), loss(whole.learner, whole.scaler))
    #expect(abs(losses.0 / losses.1 - 1) < 0.005)
  }

  /// Rows of two free columns whose truth is a plane at first, and from `turn` on a ring.
  private func ringStream(count: Int, turn: Int) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 5)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, 1]
      let margin = index < turn ? a - b : a * a + b * b - 1.5
      labels.append(margin + 0.3 * uniform.normal() > 0 ? 1 : 0)
    }
    return (rows, labels)
  }

  private func predictions(
    _ basis: LearnerSettings.Basis, _ rows: [Float], _ labels: [Double], sizes: [Int] = [64]
  ) throws -> (bank: BinaryBank, predictions: [Double]) {
    let columns = rows.count / labels.count
    var bank = try BinaryBank(settings: settings(basis), columns: columns)
    let predictions = bank.learn(
      rows, columns: columns, labels: labels, weights: Array(repeating: 1, count: labels.count),
      width: 1, sizes: sizes)
    return (bank, predictions)
  }

  @Test func `the wide group joins where the truth is curved, from the start and later`() throws {
    let (rows, labels) = ringStream(count: 12_000, turn: 6_000)
    let linear = try predictions(.linear, rows, labels).predictions
    let auto = try predictions(.auto, rows, labels).predictions
    #expect(logLoss(Array(linear[9_000...]), Array(labels[9_000...])) > 0.5)
    #expect(logLoss(Array(auto[9_000...]), Array(labels[9_000...])) < 0.25)
    let curved = ringStream(count: 3_000, turn: 0)
    #expect(
      try logLoss(predictions(.auto, curved.rows, curved.labels).predictions, curved.labels) < 0.25)
  }

  @Test func `the wide group costs nothing where the truth is linear`() throws {
    let (rows, labels) = ringStream(count: 20_000, turn: .max)
    let losses = try [LearnerSettings.Basis.auto, .linear].map {
      try logLoss(predictions($0, rows, labels).predictions, labels)
    }
    #expect(losses[0] < losses[1] * 1.001)
  }

  @Test(arguments: [22, 46], [false, true])
  func `beyond twenty columns kinks join, and cost nothing`(columnCount: Int, isCurved: Bool) throws
  {
    var uniform = SeededUniform(seed: 8)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for _ in 0..<6_000 {
      let row = (0..<columnCount).map { _ in uniform.normal() }
      rows += row + [1]
      let margin = isCurved ? row.prefix(5).reduce(-5) { $0 + $1 * $1 } : row[0] - row[1]
      labels.append(margin + 0.5 * uniform.normal() > 0 ? 1 : 0)
    }
    let losses = try [LearnerSettings.Basis.auto, .linear].map {
      try logLoss(predictions($0, rows, labels).predictions, labels)
    }
    #expect(losses[0] < losses[1] * (isCurved ? 0.6 : 1.002))
  }

  @Test func `falling asleep and waking depend on record numbers alone`() throws {
    let (rows, labels) = ringStream(count: 8_000, turn: 5_000)
    let whole = try predictions(.auto, rows, labels)
    let split = try predictions(.auto, rows, labels, sizes: [1, 77, 300])
    #expect(whole.predictions == split.predictions)
    #expect(whole.bank.encoded() == split.bank.encoded())
  }

  /// Rows whose truth is linear but for an unseen level that turns every 60 rows.
  private func levelStream(count: Int, level: Float) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 7)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, 1]
      let margin = a - b + (index / 60 % 2 == 0 ? level : -level)
      labels.append(margin + uniform.normal() > 0 ? 1 : 0)
    }
    return (rows, labels)
  }

  @Test(arguments: [0, 2] as [Float])
  func `without fresh labels it answers like the best model of long standing`(level: Float) throws {
    let (rows, labels) = levelStream(count: 12_000, level: level)
    let (bank, _) = try predictions(.auto, Array(rows[..<24_000]), Array(labels[..<8_000]))
    var still = LearnerSettings()
    still.driftVariance = 0
    var filter = try GaussianFilter(settings: still, task: .binary, columns: 3)
    _ = filter.learn(
      Array(rows[..<24_000]), columns: 3, labels: Array(labels[..<8_000]),
      weights: Array(repeating: 1, count: 8_000), width: 1)
    let (rest, truth) = (Array(rows[24_000...]), Array(labels[8_000...]))
    func loss(_ learner: some Learner, _ horizon: LabelHorizon) -> Double {
      logLoss(learner.predict(rest, columns: 3, width: 1, horizon: horizon), truth)
    }
    #expect(loss(bank, .never) < loss(filter, .never) * 1.01)
    if level > 0 { #expect(loss(bank, .never) < loss(bank, .immediate) * 0.8) }
  }

  /// Labels of a chain that goes from the first to the second with probability `up`, back with
  /// `down`, and columns that say nothing.
  private func chain(count: Int, up: Float, down: Float) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: 13)
    var (rows, labels): ([Float], [Double]) = ([], [])
    var label = 0.0
    for _ in 0..<count {
      rows += [uniform.normal(), uniform.normal(), 1]
      // A uniform number, from two normal ones: the angle of a point.
      let share = (atan2(uniform.normal(), uniform.normal()) / .pi + 1) / 2
      if share < (label == 0 ? up : down) { label = 1 - label }
      labels.append(label)
    }
    return (rows, labels)
  }

  /// What the exact table of what follows each label loses (Krichevsky & Trofimov 1981).
  private func tableLoss(_ labels: [Double]) -> Double {
    var (counts, previous, loss) = ([[0.5, 0.5], [0.5, 0.5]], 0, 0.0)
    for label in labels.map({ Int($0) }) {
      loss -= log(counts[previous][label] / (counts[previous][0] + counts[previous][1]))
      counts[previous][label] += 1
      previous = label
    }
    return loss / Double(labels.count)
  }

  @Test(arguments: [(0.3, 0.3), (0.1, 0.1), (0.05, 0.05), (0.01, 0.01), (0.9, 0.9), (0.02, 0.3)])
  func `labels that follow from the one before are told as by the exact table`(
    up: Float, down: Float
  ) throws {
    let (rows, labels) = chain(count: 20_000, up: up, down: down)
    let (bank, predictions) = try predictions(.auto, rows, labels)
    #expect(logLoss(predictions, labels) < tableLoss(labels) * 1.01)
    // Without fresh labels the long run is all that can be told, and that of rare turns is not known.
    guard up + down > 0.05 else { return }
    let share = Double(up / (up + down))
    let frozen = bank.predict(rows, columns: 3, width: 1, horizon: .never)
    let entropy = -share * log(share) - (1 - share) * log(1 - share)
    #expect(logLoss(frozen, labels) < entropy * 1.06)
  }

  @Test func `labels that depend on the one before and on the columns are told from both`() throws {
    var uniform = SeededUniform(seed: 17)
    var (rows, lagged, labels): ([Float], [Float], [Double]) = ([], [], [])
    for _ in 0..<20_000 {
      let (a, b) = (uniform.normal(), uniform.normal())
      let last: Float = labels.last == 1 ? 1 : -1
      rows += [a, b, 1]
      lagged += [a, b, last, 1]
      labels.append(a - 0.5 * b + 2.5 * last + 1.5 * uniform.normal() > 0 ? 1 : 0)
    }
    let losses = try [rows, lagged].map {
      try logLoss(predictions(.auto, $0, labels).predictions, labels)
    }
    #expect(losses[0] < losses[1] * 1.08)
    #expect(losses[0] < tableLoss(labels) * 0.9)
  }

  @Test func `merged tables count what followed each label in every partition`() throws {
    let (rows, labels) = chain(count: 20_000, up: 0.02, down: 0.1)
    let scaler = StandardScaler(columnCount: 2, limit: 10)
    let parts = try [0..<8_000, 8_000..<20_000].map { range in
      let own = Array(rows[3 * range.lowerBound..<3 * range.upperBound])
      let bank = try predictions(.linear, own, Array(labels[range])).bank
      return (learner: bank, scaler: scaler)
    }
    var merged = try BinaryBank.merging(parts, scaler: scaler)
    let next = chain(count: 24_000, up: 0.02, down: 0.1)
    let (newRows, newLabels) = (Array(next.rows[60_000...]), Array(next.labels[20_000...]))
    let said = merged.learn(
      newRows, columns: 3, labels: newLabels, weights: Array(repeating: 1, count: 4_000), width: 1)
    var whole = try predictions(.linear, rows, labels).bank
    let expected = whole.learn(
      newRows, columns: 3, labels: newLabels, weights: Array(repeating: 1, count: 4_000), width: 1)
    #expect(logLoss(said, newLabels) < logLoss(expected, newLabels) * 1.01)
  }

  @Test func `the experts that carry the weight are named, with what they make of the columns`()
    throws
  {
    var uniform = SeededUniform(seed: 11)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for _ in 0..<4_000 {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, 1]
      labels.append(a + 2 * a * b + 0.5 * uniform.normal() > 0 ? 1 : 0)
    }
    let (bank, _) = try predictions(.quadratic, rows, labels)
    for horizon in [LabelHorizon.immediate, .never] {
      let experts = bank.experts(horizon: horizon)
      #expect(abs(experts.map(\.weight).reduce(0, +) - 1) < 1e-5)
      #expect(experts.count == 20)
      let wide = experts.filter { $0.name.hasPrefix("wide filter, drift") }
      #expect(wide.map(\.weight).reduce(0, +) > 0.9)

      let terms = bank.basisTerms(horizon: horizon)
      let greatest = terms.max { abs($0.coefficient) < abs($1.coefficient) }
      #expect(greatest?.function == .product(1, 0))
      let slopes = bank.standardizedCoefficients(horizon: horizon)[0]
      #expect(slopes.count == 3 && slopes[0] > 4 * abs(slopes[1]))
      #expect(abs((greatest?.coefficient ?? 0) / slopes[0] - 2) < 0.5)
    }
    let names = bank.experts(horizon: .never).map(\.name)
    #expect(names[7] == "filter, drift 0.0")
    #expect(names[13] == "what follows the last class, memory 0.9998")
    #expect(names[14] == "running mean, memory 0.9")
  }
}
