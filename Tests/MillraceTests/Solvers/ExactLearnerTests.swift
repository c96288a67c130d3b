import Glibc
import Millrace
import Testing

@Suite struct `Exact learner` {
  // MARK: Numbers

  @Test(arguments: [.longley] + ReferenceProblem.wampler)
  func `a second pass is taken where rounding would show`(_ problem: ReferenceProblem) throws {
    let exact = try solve(.regression, problem.rows, problem.targets)
    #expect(relativeError(exact.flatCoefficients, problem.certified) <= 1e-12)
  }

  @Test func `Filip keeps seven digits`() throws {
    let problem = ReferenceProblem.filip
    let exact = try solve(.regression, problem.rows, problem.targets)
    #expect(exact.passCount == 2)
    #expect(relativeError(exact.flatCoefficients, problem.certified) <= 1e-7)
  }

  @Test func `one pass is enough for ordinary data`() throws {
    let problem = RandomProblem()
    let exact = try solve(.regression, problem.rows, problem.targets)
    #expect(exact.passCount == 1)
    #expect(exact.summary?.coefficients.count == 5)
  }

  @Test func `the L2 penalty is on standardised columns and the mean loss`() throws {
    // Ridge(alpha=200 * 0.01).fit((X - X.mean(0)) / X.std(0), y), back in X's units
    let problem = RandomProblem()
    let exact = try solve(.regression, problem.rows, problem.targets, l2: 0.01)
    let expected = [
      0.7830087576736038, 2.591564838187846, -0.24670125539900575, 0.04761144988396807,
      0.004629748383676162,
    ]
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-11)
    #expect(exact.summary == nil)
  }

  @Test func `missing values are put at the mean`() throws {
    // SimpleImputer, then LinearRegression; X[::9, 1] and X[5::11, 3] missing
    var problem = RandomProblem()
    for i in stride(from: 0, to: 200, by: 9) { problem.rows[i, 1] = .nan }
    for i in stride(from: 5, to: 200, by: 11) { problem.rows[i, 3] = .infinity }
    let exact = try solve(.regression, problem.rows, problem.targets)
    let expected = [
      0.7518943376839985, 2.6237049615235186, -0.2397128486953486, 0.0488014293433891,
      0.004654453232952191,
    ]
    #expect(exact.passCount == 2)
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-11)
  }

  // MARK: Classes

  @Test func `two classes are statsmodels' Logit, with its errors`() throws {
    // sm.Logit(label, sm.add_constant(X)).fit(tol=1e-14)
    let problem = RandomProblem()
    let exact = try solve(.binary, problem.rows, problem.labels, classCount: 2)
    let expected = [
      -0.5205232077306854, 3.151027687725061, -0.30462870043589146, 0.060794631027603685,
      -0.002382744505734356,
    ]
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-10)
    let errors = [
      0.8962654238596234, 2.9184693543248015, 0.2922365921429675, 0.02933379611125968,
      0.0027822003277594484,
    ]
    let summary = try #require(exact.summary)
    #expect(relativeError(summary.coefficients.map { $0.standardError ?? .nan }, errors) <= 1e-9)
    #expect(summary.statistic == .z && summary.degreesOfFreedom == 195)
  }

  @Test func `weights count rows, as frequencies in statsmodels' GLM`() throws {
    // sm.GLM(label, sm.add_constant(X), family=sm.families.Binomial(), freq_weights=w).fit()
    let problem = RandomProblem()
    let exact = try solve(
      .binary, problem.rows, problem.labels, weights: problem.weights, classCount: 2)
    let summary = try #require(exact.summary)
    let expected = [
      -1.0888541772767466, 3.4484733686420492, -0.2334442832186702, 0.09047461747218677,
      -0.006123131607000815,
    ]
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-9)
    let z = [
      -2.007386471161288, 2.0957436003067884, -1.3447541329057593, 5.106546412818759,
      -3.7905168870658126,
    ]
    #expect(relativeError(summary.coefficients.map { $0.statistic ?? .nan }, z) <= 1e-9)
    let p = [
      0.04470852821988333, 0.03610494189430602, 0.17870464681641984, 3.2810005039382564e-07,
      0.00015033411075630155,
    ]
    #expect(relativeError(summary.coefficients.map { $0.pValue ?? .nan }, p) <= 1e-8)
  }

  @Test func `a penalty on two classes is scikit-learn's`() throws {
    // LogisticRegression(C=1 / (200 * 0.01)) on standardised columns, back in X's units
    let problem = RandomProblem()
    let exact = try solve(.binary, problem.rows, problem.labels, classCount: 2, l2: 0.01)
    let expected = [
      -0.5557764041468987, 2.9643044541066774, -0.28499074831614535, 0.057423361096510195,
      -0.002213641729205844,
    ]
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-9)
    #expect(exact.summary == nil)
  }

  @Test(arguments: [
    (
      0.0,
      [
        -2.065801732326987, 3.1692967154604967, 1.5732959261296793, -0.11313807775091751,
        0.0009629896065408436, 5.261915142437311, -5.965952035760394, -3.5607129391162973,
        0.236159512056754, -0.00211286256195511, -3.1961134101103235, 2.7966553202998976,
        1.9874170129866178, -0.1230214343058365, 0.0011498729554142665,
      ]
    ),
    (
      0.01,
      [
        -0.6820558170721602, 1.6266653778045854, 0.7905299363776263, -0.07093402294315447,
        0.0007308676445861376, 2.4415905873090686, -2.8992480184759883, -1.976485314941128,
        0.15053480841020317, -0.0016089504506881201, -1.759534770236909, 1.2725826406714031,
        1.1859553785635017, -0.07960078546704871, 0.0008780828061019826,
      ]
    ),
  ]) func `three classes are scikit-learn's`(l2: Double, expected: [Double]) throws {
    // LogisticRegression(C, solver='newton-cholesky', tol=1e-14) on standardised columns
    let problem = RandomProblem()
    let exact = try solve(.multiclass, problem.rows, problem.threeClasses, classCount: 3, l2: l2)
    #expect(relativeError(exact.flatCoefficients, expected) <= 1e-8)
  }

  @Test func `beyond Newton's limit the gradient vanishes too`() throws {
    var random = Uniform(seed: 2)
    let columns = ExactLearner.newtonLimit
    let rows: Matrix<Double> = random.matrix(600, columns)
    let labels = (0..<600).map { rows[$0, 0] + rows[$0, 1] + random.next() > 0 ? 1.0 : 0 }
    let exact = try solve(.binary, rows, labels, classCount: 2, l2: 0.1)
    let own = exact.coefficients[0]
    var residuals: [Double] = []
    for i in 0..<600 {
      let margin = (0..<columns).reduce(own.intercept) { $0 + own.columns[$1] * rows[i, $1] }
      residuals.append(1 / (1 + exp(-margin)) - labels[i])
    }
    for j in stride(from: 0, to: columns, by: 97) {
      let deviation = exact.scaler.standardDeviation(j)
      let slope = (0..<600).reduce(0.0) {
        $0 + residuals[$1] * (rows[$1, j] - exact.scaler.means[j]) / deviation
      }
      #expect(abs(slope + 600 * 0.1 * own.columns[j] * deviation) <= 1e-5)
    }
  }

  // MARK: Laws

  @Test(arguments: [Task.regression, .binary, .multiclass])
  func `how rows are divided into calls changes nothing`(_ task: Task) throws {
    let problem = RandomProblem()
    let labels =
      task == .regression
      ? problem.targets : task == .binary ? problem.labels : problem.threeClasses
    let classes = task == .regression ? 0 : task == .binary ? 2 : 3
    func coefficients(_ blockRows: Int) throws -> [Double] {
      try solve(task, problem.rows, labels, classCount: classes, blockRows: blockRows)
        .flatCoefficients
    }
    let whole = try coefficients(200)
    for blockRows in [1, 7, 199] { #expect(try coefficients(blockRows) == whole) }
  }

  @Test func `the model answers with the coefficients, and again after saving`() throws {
    let problem = RandomProblem()
    let tasks: [(Task, [Double], Int)] = [
      (.regression, problem.targets, 0), (.binary, problem.labels, 2),
      (.multiclass, problem.threeClasses, 3),
    ]
    for (task, labels, classes) in tasks {
      let exact = try solve(task, problem.rows, labels, classCount: classes)
      let model = try exact.makeModel()
      let found = model.coefficients().flatMap { [$0.intercept] + $0.columns }
      #expect(relativeError(found, exact.flatCoefficients) <= 1e-12)

      let width = max(1, task == .multiclass ? 3 : 1)
      var row = (0..<4).map { Float(problem.rows[5, $0]) }
      row[3] = 1e6  // far outside: not cut
      var prediction = [Double](repeating: 0, count: width)
      prediction.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        model.predict(row, into: PredictionRows(base: base, count: 1, width: width))
      }
      let margins = exact.coefficients.map { output in
        (0..<4).reduce(output.intercept) { $0 + output.columns[$1] * Double(row[$1]) }
      }
      let total = margins.reduce(0) { $0 + exp($1 - margins[0]) }
      let expected =
        task == .regression
        ? margins
        : task == .binary
          ? [1 / (1 + exp(-margins[0]))] : margins.map { exp($0 - margins[0]) / total }
      #expect(zip(prediction, expected).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })

      var archive = TensorArchive()
      model.learner.encode(into: &archive, prefix: "learner.")
      var settings = LearnerSettings()
      settings.learner = .exact
      let loaded = try settings.decodeLearner(
        task: task, columnCount: 5, from: archive, prefix: "learner.")
      #expect(
        loaded.standardizedCoefficients(horizon: .never)
          == model.learner.standardizedCoefficients(horizon: .never))
    }
  }

  // MARK: Edges

  @Test func `separated classes are an error that names the column`() throws {
    let rows: Matrix<Double> = [[1, 5], [2, 3], [3, 4], [4, 5], [5, 3], [6, 4]]
    let labels: [Double] = [0, 0, 0, 1, 1, 1]
    let error = #expect(throws: MillraceError.self) {
      try solve(.binary, rows, labels, classCount: 2)
    }
    #expect(error?.kind == .numerical && error?.message.contains("'x0'") == true)
    // A penalty has an answer.
    let exact = try solve(.binary, rows, labels, classCount: 2, l2: 1e-3)
    #expect(exact.flatCoefficients.allSatisfy(\.isFinite) && exact.coefficients[0].columns[0] > 0)
  }

  @Test func `so are classes that only touch`() {
    // Column 1 separates all but ties at 3: some coefficients are finite, one is not.
    let rows: Matrix<Double> = [
      [1, 5], [2, 3], [3, 4], [3, 1], [3, 3], [3, 2], [5, 3], [6, 4],
    ]
    let error = #expect(throws: MillraceError.self) {
      try solve(.binary, rows, [0, 0, 0, 1, 1, 0, 1, 1], classCount: 2)
    }
    #expect(error?.kind == .numerical && error?.message.contains("'x0'") == true)
  }

  @Test func `dependent and constant columns are no obstacle`() throws {
    let problem = RandomProblem()
    var rows = Matrix<Double>(rows: 200, columns: 6)
    for i in 0..<200 {
      for j in 0..<4 { rows[i, j] = problem.rows[i, j] }
      rows[i, 4] = rows[i, 0] - 0.02 * rows[i, 3]
      rows[i, 5] = 0.1
    }
    for (task, labels, classes) in [
      (Task.regression, problem.targets, 0), (.binary, problem.labels, 2),
    ] {
      let plain = try solve(task, problem.rows, labels, classCount: classes).coefficients[0]
      let exact = try solve(task, rows, labels, classCount: classes)
      let own = exact.coefficients[0]
      #expect(own.columns[5] == 0)
      for i in stride(from: 0, to: 200, by: 40) {
        let expected = (0..<4).reduce(plain.intercept) { $0 + plain.columns[$1] * rows[i, $1] }
        let found = (0..<6).reduce(own.intercept) { $0 + own.columns[$1] * rows[i, $1] }
        #expect(abs(found - expected) <= 1e-8)
      }
      let summary = try #require(exact.summary)
      #expect(
        summary.coefficients.map { $0.standardError == nil }
          == [false, true, false, false, true, true, true])
    }
  }

  @Test func `a class without rows has probability 0`() throws {
    let problem = RandomProblem()
    let two = try solve(.binary, problem.rows, problem.labels, classCount: 2).coefficients[0]
    let labels = problem.labels.map { 2 * $0 }  // classes 0 and 2 of 3
    let three = try solve(.multiclass, problem.rows, labels, classCount: 3).coefficients
    #expect(three.count == 3 && three[1].intercept < -1000)
    let difference = zip(three[2].columns, three[0].columns).map { $0 - $1 }
    #expect(relativeError(difference, two.columns) <= 1e-9)
  }

  @Test func `what cannot be learnt is said`() {
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    let rows: Matrix<Double> = [[1], [2]]
    #expect(
      message { _ = try solve(.regression, Matrix(rows: 0, columns: 2), []) }.contains("no rows"))
    #expect(
      message { _ = try solve(.binary, rows, [1, 1], classCount: 2) }
        .contains("every y is class 1"))
    #expect(
      message { _ = try solve(.binary, rows, [0, 2], classCount: 2) }.contains("y is 2"))
    #expect(message { _ = try solve(.regression, rows, [0, .nan]) }.contains("y is nan"))
    let schema = Schema(task: .regression, columns: [], label: "y")
    var settings = LearnerSettings()
    settings.l1 = 0.5
    #expect(
      message { _ = try ExactLearner(schema: schema, settings: settings) }
        .contains("l1 is \"0.5\""))
    settings = LearnerSettings()
    settings.loss = .huber
    #expect(
      message { _ = try ExactLearner(schema: schema, settings: settings) }
        .contains("loss is \"huber\""))
  }
}
