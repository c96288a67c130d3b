import Millrace

/// Ferns as their formulas say, in plain double precision: a weight in each cell, whose Gaussians are
/// independent of each other and have a variance that outputs share.
struct ReferenceFerns {
  private let tests: [[(column: Int, threshold: Float, step: Int)]]
  private let prior: Double
  private let forgetting = 1e-5
  /// By output and fern, and by output the curvature seen.
  private var weights: [[[Double]]] = []
  private var seen: [Double] = []
  private var total = 0.0
  /// By fern.
  private var variances: [[Double]]
  private var cells: [Int] = []

  /// - Parameter variance: of all ferns together.
  init(columns: Int, variance: Double) {
    let ferns = BankFerns(columns: columns, seed: LearnerSettings().seed)
    tests = (0..<BankFerns.count).map(ferns.tests)
    prior = variance / Double(tests.count)
    variances = tests.map { [prior] in
      Array(repeating: prior, count: 1 + $0.reduce(0) { $0 + $1.step })
    }
    addOutput()
  }

  mutating func addOutput() {
    weights.append(variances.map { $0.map { _ in 0 } })
    seen.append(0)
  }

  /// What an output has yet to learn of a variance, if it has seen less than all outputs together.
  private func open(_ variance: Double, _ output: Int) -> Double {
    let share = (1 + seen[output]) / (1 + total)
    return 1 / (1 / prior + share * (1 / variance - 1 / prior))
  }

  /// Each output's margin and variance, and the variance that they share, in the cells of a row.
  mutating func sums(_ z: [Double]) -> (margins: [Double], open: [Double], variance: Double) {
    cells = tests.map { own in
      own.reduce(0) { $0 + (Float(z[$1.column]) > $1.threshold ? $1.step : 0) }
    }
    func values(_ tables: [[Double]]) -> [Double] { zip(tables, cells).map { $0[$1] } }
    let own = values(variances)
    return (
      weights.map { values($0).reduce(0, +) },
      weights.indices.map { output in own.reduce(0) { $0 + open($1, output) } }, own.reduce(0, +)
    )
  }

  /// In the cells of the last row: w ← w + gain·v, v ← v − h·v², and v forgets.
  ///
  /// - Parameter curvatures: what each output sees, and all of them.
  mutating func step(gains: [Double], h: Double, curvatures: (own: [Double], all: Double)? = nil) {
    for (fern, cell) in cells.enumerated() {
      let variance = variances[fern][cell]
      for output in gains.indices {
        weights[output][fern][cell] += gains[output] * open(variance, output)
      }
      variances[fern][cell] += forgetting * (prior - variance) - h * variance * variance
    }
    guard let curvatures else { return }
    for output in seen.indices { seen[output] += min(curvatures.own[output], curvatures.all) }
    total += curvatures.all
  }
}
