internal import Millrace

/// What the engine's parts cost in memory, without files: the best of a few repeats.
///
///     swift run -c release --package-path Benchmarks Microbenchmarks [--json] [--rows N]
///
/// Prints a Markdown table; with `--json` a line per measurement, which `micro.py` sets beside
/// scikit-learn.
@main struct Microbenchmarks {
  static func main() throws {
    let arguments = CommandLine.arguments
    let rows = arguments.firstIndex(of: "--rows").flatMap { index in
      arguments.dropFirst(index + 1).first.flatMap { Int($0) }
    }
    let measurements = try all(rowCount: max(rows ?? 500_000, 1_000))
    let isJSON = arguments.contains("--json")
    if !isJSON { print(Measurement.tableHeader) }
    for measurement in measurements { print(isJSON ? measurement.json : measurement.tableRow) }
  }

  private static func all(rowCount: Int) throws -> [Measurement] {
    var result = try Serving.measurements(rowCount: rowCount)
    let problem = LogisticProblem(rowCount: rowCount, columnCount: 64)
    result += try Learning.epochs(problem)
    for columnCount in [6, 20, 64] {
      result += try Learning.bank(LogisticProblem(rowCount: 50_000, columnCount: columnCount))
    }
    for exponent in 4...10 { result += try Learning.growth(columnCount: 1 << exponent) }
    return result
  }
}
