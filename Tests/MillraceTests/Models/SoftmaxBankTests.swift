import Glibc
import Millrace
import Testing

@Suite struct `Bank of experts for several classes` {
  @Test(arguments: [LearnerSettings.Basis.auto, .linear, .quadratic])
  func `keeps every learner's laws`(basis: LearnerSettings.Basis) throws {
    try checkLearner(settings(basis), task: .multiclass)
  }

  @Test func `keeps them where the wider basis works`() throws {
    try checkLearner(settings(.auto), task: .multiclass, isCurved: true)
  }

  private func settings(_ basis: LearnerSettings.Basis) -> LearnerSettings {
    var settings = LearnerSettings()
    settings.basis = basis
    return settings
  }

  /// Rows of two free columns, their difference, a constant column, the constant; classes by the
  /// greatest of noisy scores that turn half-way.
  private func turningStream(
    count: Int, classCount: Int, seed: UInt64 = 3
  ) -> (rows: [Float], labels: [Double]) {
    var uniform = SeededUniform(seed: seed)
    let slopes = (0..<2 * classCount).map { _ in (uniform.normal(), uniform.normal()) }
    var (rows, labels): ([Float], [Double]) = ([], [])
    for index in 0..<count {
      let (a, b) = (uniform.normal(), uniform.normal())
      rows += [a, b, a - b, 0, 1]
      let scores = (0..<classCount).map { k in
        let slope = slopes[k + (index < count / 2 ? 0 : classCount)]
        return 2 * (slope.0 * a + slope.1 * b) + uniform.normal()
      }
      labels.append(Double(scores.indices.max { scores[$0] < scores[$1] } ?? 0))
    }
    return (rows, labels)
  }

  private func logLoss(_ predictions: [Double], _ labels: [Double]) -> Double {
    let width = predictions.count / labels.count
    let losses = labels.indices.map { -log(predictions[$0 * width + Int(labels[$0])]) }
    return losses.reduce(0, +) / Double(losses.count)
  }

  private func learnt(
    _ rows: [Float], _ labels: [Double], classCount: Int, basis: LearnerSettings.Basis = .auto
  ) throws -> (bank: SoftmaxBank, predictions: [Double]) {
    let columns = rows.count / labels.count
    var bank = try SoftmaxBank(settings: settings(basis), columns: columns)
    let predictions = bank.learn(
      rows, columns: columns, labels: labels, weights: Array(repeating: 1, count: labels.count),
      width: classCount)
    return (bank, predictions)
  }

  @Test(arguments: [2, 3, 7], [LearnerSettings.Basis.linear, .quadratic])
  func `lanes agree with the plain formulas in double precision`(
    classCount: Int, basis: LearnerSettings.Basis
  ) throws {
    let (rows, labels) = turningStream(count: 4_000, classCount: classCount)
    let (_, predictions) = try learnt(rows, labels, classCount: classCount, basis: basis)
    let reference = ReferenceSoftmaxBank(columns: 5, isQuadratic: basis == .quadratic)
    #expect(greatestDistance(predictions, from: reference, rows, labels) < 2e-3)
  }

  @Test(arguments: [2, 4])
  func `ferns agree with the plain formulas in double precision`(classCount: Int) throws {
    let (rows, scores) = corneredRows(count: 2_500)
    let labels = corneredClasses(scores, classCount: classCount)
    let (bank, predictions) = try learnt(rows, labels, classCount: classCount)
    #expect(try #require(ferns(in: bank)).weight > 0.05)
    let reference = ReferenceSoftmaxBank(columns: 11, isQuadratic: true, hasFerns: true)
    #expect(greatestDistance(predictions, from: reference, rows, labels) < 2e-3)
  }

  private func ferns(in bank: SoftmaxBank) -> Expert? {
    bank.experts(horizon: .immediate).first { $0.name.contains("ferns") }
  }

  /// The level that a noisy score has among so many.
  private func corneredClasses(_ scores: [Float], classCount: Int) -> [Double] {
    var uniform = SeededUniform(seed: 6)
    return scores.map { score in
      let level = (score + 0.5 * uniform.normal() + 3) / 4 * Float(classCount)
      return Double(min(max(level.rounded(.down), 0), Float(classCount - 1)))
    }
  }

  @Test func `of a class that one part has seen, ferns that are merged know what that part knows`()
    throws
  {
    let (rows, scores) = corneredRows(count: 8_000)
    let scaler = StandardScaler(columnCount: 10, limit: 10)
    let labels = corneredClasses(scores, classCount: 3)
    // The last class is not in the first part.
    let isFirst = labels.indices.map { $0 < 4_000 && labels[$0] != 2 }
    func part(_ indices: [Int]) throws -> SoftmaxBank {
      try learnt(
        indices.flatMap { rows[11 * $0..<11 * ($0 + 1)] }, indices.map { labels[$0] }, classCount: 3
      ).bank
    }
    let parts = try [
      part(isFirst.indices.filter { isFirst[$0] }), part(Array(4_000..<8_000)),
    ]
    let merged = try SoftmaxBank.merging(parts.map { ($0, scaler) }, scaler: scaler)
    let test = corneredRows(count: 4_000, seed: 9)
    let truth = corneredClasses(test.scores, classCount: 3)
    func loss(_ bank: SoftmaxBank) -> Double {
      logLoss(bank.predict(test.rows, columns: 11, width: 3), truth)
    }
    #expect(loss(merged) < 1.05 * loss(parts[1]))
  }

  @Test func `beyond sixteen classes ferns fall silent`() throws {
    let (rows, scores) = corneredRows(count: 3_000)
    // The seventeenth class comes half-way.
    let labels = corneredClasses(scores, classCount: 16).enumerated().map {
      $0.offset >= 1_500 && $0.offset.isMultiple(of: 10) ? 16 : $0.element
    }
    let early = try learnt(Array(rows[..<(11 * 1_500)]), Array(labels[..<1_500]), classCount: 17)
    #expect(ferns(in: early.bank) != nil)
    let late = try learnt(rows, labels, classCount: 17)
    #expect(ferns(in: late.bank) == nil && late.bank.isFinite)
    var archive = TensorArchive()
    late.bank.encode(into: &archive, prefix: "")
    let read = try SoftmaxBank(settings: settings(.auto), decoding: archive, prefix: "")
    for horizon in [LabelHorizon.immediate, .never] {
      func answers(_ bank: SoftmaxBank) -> [Double] {
        bank.predict(rows, columns: 11, width: 17, horizon: horizon)
      }
      #expect(answers(read) == answers(late.bank))
    }
  }

  /// The greatest distance of any probability, once all classes are known, from what the formulas say.
  private func greatestDistance(
    _ predictions: [Double], from reference: ReferenceSoftmaxBank, _ rows: [Float],
    _ labels: [Double]
  ) -> Double {
    var reference = reference
    let (columns, classCount) = (rows.count / labels.count, predictions.count / labels.count)
    var outputs: [Double: Int] = [:]
    var greatest = 0.0
    for (row, label) in labels.enumerated() {
      let isNew = outputs[label] == nil
      if isNew {
        outputs[label] = outputs.count
        reference.addClass()
      }
      let expected = reference.learn(
        rows[columns * row..<columns * (row + 1)].map(Double.init), outputs[label] ?? 0)
      guard !isNew, outputs.count == classCount else { continue }
      for (label, output) in outputs {
        greatest = max(
          greatest, abs(predictions[row * classCount + Int(label)] - expected[output]))
      }
    }
    return greatest
  }

  @Test func `with two classes the filter is the binary filter`() {
    var uniform = SeededUniform(seed: 4)
    for noise in [0, 0.05] {
      var binary = ReferenceBank.Filter(0.2, 2, noise: noise, variance: 3, count: 3)
      var softmax = ReferenceSoftmaxFilter(
        drift: 0.2, constantDrift: 2, noise: 2 * noise, count: 3)
      softmax.addClass()
      softmax.addClass()
      for _ in 0..<500 {
        let z = [Double(uniform.normal()), Double(uniform.normal()), 1]
        let label = z[0] - z[1] + Double(uniform.normal()) > 0
        let forecast = softmax.predict(z)
        #expect(abs(binary.predict(z) - forecast.probabilities[1]) < 1e-9)
        binary.learn(label)
        softmax.learn(forecast, label ? 1 : 0)
      }
    }
  }

  @Test func `the wide group joins where the truth is curved, and costs nothing where it is not`()
    throws
  {
    // Three spiral arms, and three linear classes.
    var uniform = SeededUniform(seed: 6)
    var (rows, labels): ([Float], [Double]) = ([], [])
    for _ in 0..<6_000 {
      let (radius, arm) = ((uniform.next() + 1) * 0.9, Int((uniform.next() + 1) * 1.49))
      let angle = 4 * radius + Float(arm) * 2 * .pi / 3 + 0.2 * uniform.normal()
      rows += [2 * radius * cosf(angle), 2 * radius * sinf(angle), 1]
      labels.append(Double(arm))
    }
    let tail = 9_000...
    let curved = try learnt(rows, labels, classCount: 3)
    let straight = try learnt(rows, labels, classCount: 3, basis: .linear)
    func late(_ predictions: [Double]) -> Double {
      logLoss(Array(predictions[tail]), Array(labels[3_000...]))
    }
    #expect(late(curved.predictions) < 0.5 * late(straight.predictions))
    let wide = curved.bank.experts(horizon: .immediate).filter { $0.name.contains("wide") }
    // Four filters, and the ferns above one of them.
    #expect(wide.count == 5 && wide.map(\.weight).reduce(0, +) > 0.5)
    let terms = curved.bank.basisTerms(horizon: .immediate)
    #expect(terms.count == 2 + 2 + 1 + 48 && terms.contains { $0.coefficient > 0.1 })

    let (linearRows, linearLabels) = turningStream(count: 12_000, classCount: 3)
    let losses = try [LearnerSettings.Basis.auto, .linear].map {
      logLoss(
        try learnt(linearRows, linearLabels, classCount: 3, basis: $0).predictions, linearLabels)
    }
    #expect(losses[0] < 1.002 * losses[1])
  }

  @Test func `a class that comes late is learnt like the others`() throws {
    let (rows, labels) = turningStream(count: 8_000, classCount: 4)
    // Class 3 is missing from the first half.
    let kept = labels.indices.filter { $0 >= 4_000 || labels[$0] < 3 }
    let late = try learnt(
      kept.flatMap { rows[5 * $0..<5 * $0 + 5] }, kept.map { labels[$0] }, classCount: 4)
    let start = kept.count - 3_000
    let tail = Array(late.predictions[(4 * start)...])
    // As if it had been there from the start: the others, too, have a first half to forget.
    let whole = try learnt(rows, labels, classCount: 4)
    let expected = logLoss(Array(whole.predictions[20_000...]), Array(labels[5_000...]))
    #expect(logLoss(tail, Array(labels[5_000...])) < 1.01 * expected)
  }

  @Test func `probability is kept for what was not seen, and all of it is shared out`() throws {
    let (rows, labels) = turningStream(count: 500, classCount: 3)
    let (bank, predictions) = try learnt(rows, labels, classCount: 5)
    for horizon in [LabelHorizon.immediate, .never] {
      let answer = bank.predict(rows, columns: 5, width: 5, horizon: horizon)
      for row in labels.indices {
        let own = answer[5 * row..<5 * row + 5]
        #expect(abs(own.reduce(0, +) - 1) < 1e-6)
        #expect(own.allSatisfy { $0 > 0 })
      }
    }
    #expect(predictions[..<5].allSatisfy { $0 == 0.2 })
    #expect(predictions[5 * 499 + 4] < 1e-4)
  }

  @Test func `two million collinear rows agree with double precision`() throws {
    let count = 2_000_000
    let (rows, scores) = collinearRows(count: count)
    let labels = scores.map { $0 < -0.5 ? 0.0 : $0 < 0.7 ? 1 : 2 }
    let (bank, predictions) = try learnt(rows, labels, classCount: 3, basis: .linear)
    #expect(bank.isFinite)
    var reference = ReferenceSoftmaxBank(columns: 3, isQuadratic: false)
    var outputs: [Int] = []
    var (distance, loss, expectedLoss) = (0.0, 0.0, 0.0)
    for row in 0..<count {
      let label = Int(labels[row])
      if !outputs.contains(label) {
        outputs.append(label)
        reference.addClass()
      }
      let output = outputs.firstIndex(of: label) ?? 0
      let expected = reference.learn(rows[3 * row..<3 * row + 3].map(Double.init), output)[output]
      // Over the last tenth, after all that rounding could add up to.
      guard row >= count - count / 10 else { continue }
      let own = predictions[3 * row + label]
      distance += abs(own - expected) / Double(count / 10)
      loss -= log(own)
      expectedLoss -= log(expected)
    }
    // Among experts that are nearly alike, rounding decides which leads.
    #expect(distance < 6e-3)
    #expect(abs(loss / expectedLoss - 1) < 1e-3)
  }

  @Test func `forty thousand collinear rows of sixty classes leave it finite`() throws {
    let (rows, labels) = turningStream(count: 2_000, classCount: 60)
    var bank = try SoftmaxBank(settings: LearnerSettings(), columns: 5)
    let weights = [Float](repeating: 1, count: labels.count)
    var losses: [Double] = []
    for _ in 0..<20 {
      losses.append(
        logLoss(
          bank.learn(rows, columns: 5, labels: labels, weights: weights, width: 60), labels))
    }
    #expect(bank.isFinite)
    #expect(losses[19] < losses[0])
  }

  @Test func `a bank merged from partitions predicts like one that saw all`() throws {
    let stream = LabelledRows.linear(.multiclass, count: 12_000, classCount: 4)
    let test = LabelledRows.linear(.multiclass, count: 4_000, classCount: 4, seed: 9)
    func part(_ kept: [Int]) throws -> (learner: SoftmaxBank, scaler: StandardScaler) {
      var rows = stream
      rows.features = kept.flatMap { stream.features[$0 * 6..<$0 * 6 + 6] }
      rows.labels = kept.map { stream.labels[$0] }
      rows.weights = kept.map { stream.weights[$0] }
      let (standardized, scaler) = rows.standardized()
      var bank = try SoftmaxBank(settings: LearnerSettings(), columns: 7)
      _ = bank.learn(
        standardized, columns: 7, labels: rows.labels, weights: rows.weights, width: 4)
      return (bank, scaler)
    }
    func loss(_ bank: SoftmaxBank, _ scaler: StandardScaler) -> Double {
      var output = [Float](repeating: 0, count: test.count * 7)
      FrozenScaler(scaler).transform(test.features, count: test.count, into: &output, stride: 7)
      return logLoss(bank.predict(output, columns: 7, width: 4), test.labels)
    }
    let whole = try part(Array(0..<12_000))
    let expected = loss(whole.learner, whole.scaler)
    let halves = [try part(Array(0..<5_000)), try part(Array(5_000..<12_000))]
    let merged = try SoftmaxBank.merging(halves, scaler: whole.scaler)
    #expect(loss(merged, whole.scaler) < 1.01 * expected)

    // A class that one part has not seen is the other's.
    let some = try part((0..<2_000).filter { stream.labels[$0] > 0 })
    let uneven = try SoftmaxBank.merging(
      [some, try part(Array(2_000..<12_000))], scaler: whole.scaler)
    #expect(loss(uneven, whole.scaler) < 1.05 * expected)
  }

  @Test func `experts and coefficients of every class explain it`() throws {
    let (rows, labels) = turningStream(count: 3_000, classCount: 3)
    let (bank, _) = try learnt(Array(rows[..<7_500]), Array(labels[..<1_500]), classCount: 3)
    for horizon in [LabelHorizon.immediate, .never] {
      let experts = bank.experts(horizon: horizon)
      #expect(experts.count == 24)
      #expect(abs(experts.map(\.weight).reduce(0, +) - 1) < 1e-5)
      let coefficients = bank.standardizedCoefficients(horizon: horizon)
      #expect(coefficients.count == 3)
      let scores = (1_000..<1_500).map { row in
        coefficients.map { own in
          zip(own, rows[5 * row..<5 * row + 5]).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
      }
      let answers = bank.predict(
        Array(rows[5_000..<7_500]), columns: 5, width: 3, horizon: horizon)
      let agreements = scores.indices.filter { row in
        let own = answers[3 * row..<3 * row + 3]
        return scores[row].firstIndex(of: scores[row].max() ?? 0)
          == own.firstIndex(of: own.max() ?? 0).map { $0 - 3 * row }
      }
      #expect(agreements.count > 450)
    }
  }
}
