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
    result += try Learning.epochs(Problem(rowCount: rowCount, columnCount: 64))
    for (columnCount, isCurved) in [(6, false), (8, false), (20, false), (8, true)] {
      result += try Learning.bases(columnCount: columnCount, isCurved: isCurved)
    }
    for columnCount in [6, 8, 12, 16, 20, 32, 48, 64, 128, 256, 512, 1_024] {
      result += try Learning.growth(columnCount: columnCount)
    }
    for classCount in [2, 3, 5, 10, 20, 50] {
      result += try Learning.growth(classCount: classCount)
    }
    return result
  }
}
