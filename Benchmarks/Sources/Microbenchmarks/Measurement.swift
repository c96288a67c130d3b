/// The shortest time that some work took.
struct Measurement {
  /// A place in a table: measurements of one table with one row stand side by side.
  struct Cell {
    let table: String
    let row: String
  }

  /// What was done.
  let name: String
  /// Where it stands, where work of one kind is measured at several sizes.
  let cell: Cell?
  /// Seconds of one run.
  let seconds: Double
  /// How many times the work was done in a run: records, reads.
  let count: Int
  /// What it achieved, where that is a number.
  var logLoss: Double?

  /// Runs `body` some times and keeps the shortest.
  ///
  /// - Parameters:
  ///   - cell: a place in a table of sizes.
  ///   - repeats: how often.
  ///   - count: how many records or reads one run has.
  ///   - body: the work.
  init(
    _ name: String, in cell: Cell? = nil, count: Int, repeats: Int = 5, _ body: () throws -> Void
  ) rethrows {
    self.name = name
    self.cell = cell
    self.count = count
    var shortest = Duration.seconds(1_000_000)
    for _ in 0..<repeats {
      let start = ContinuousClock.now
      try body()
      shortest = min(shortest, start.duration(to: .now))
    }
    seconds = shortest / .seconds(1)
  }

  private var nanoseconds: Double { seconds / Double(count) * 1e9 }

  static let tableHeader = "| work | ns each | seconds | log-loss |\n|---|---|---|---|"

  var tableRow: String {
    let loss = logLoss.map { "\(rounded($0, 1e5))" } ?? "–"
    let place = cell.map { ", \($0.row)" } ?? ""
    return "| \(name)\(place) | \(rounded(nanoseconds, 100)) | \(rounded(seconds, 1e5)) | \(loss) |"
  }

  var json: String {
    let loss = logLoss.map { ", \"logLoss\": \($0)" } ?? ""
    let place = cell.map { ", \"table\": \"\($0.table)\", \"row\": \"\($0.row)\"" } ?? ""
    return "{\"name\": \"\(name)\", \"seconds\": \(seconds), \"count\": \(count)\(place)\(loss)}"
  }

  private func rounded(_ value: Double, _ scale: Double) -> Double {
    (value * scale).rounded() / scale
  }
}
