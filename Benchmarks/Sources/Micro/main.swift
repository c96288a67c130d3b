// What one call costs, in nanoseconds: the best of some rounds, each of them in turn.
//
//     swift run -c release --package-path Benchmarks Micro [STORE [NAME]]

import Millrace

/// A class whose reference is read as it is, to compare the handle with.
private final class Plain: Sendable {
  let served: ServedModel
  init(_ served: ServedModel) { self.served = served }
}

@inline(never)
private func plainReads(_ plain: Plain, _ count: Int) -> Int {
  var columns = 0
  for _ in 0..<count { columns &+= reading(plain.served) }
  return columns
}

@inline(never)
private func handleReads(_ reader: inout ModelHandle.Reader, _ count: Int) -> Int {
  var columns = 0
  for _ in 0..<count {
    reader.refresh()
    columns &+= reading(reader.served)
  }
  return columns
}

/// A use of the reference that is not optimised away.
@inline(never)
private func reading(_ served: ServedModel) -> Int { served.version?.version ?? 0 }

private func nanoseconds(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
  let time = try ContinuousClock().measure { try body(count) }
  return time / .nanoseconds(1) / Double(count)
}

let arguments = CommandLine.arguments.dropFirst()
let name = arguments.dropFirst().first ?? "sea"
var predictor = try Predictor(name, store: arguments.first ?? "models")
private let plain = Plain(predictor.served)
var reader = ModelHandle(predictor.served).makeReader()
let columns = predictor.served.model.columnCount
let row = (0..<columns).map { Float($0) }
let rows = (0..<1_000 * columns).map { Float($0 % 17) }
var answers = [Double](repeating: 0, count: 1_000 * predictor.served.model.outputWidth)
var checksum = 0.0

var best: [String: Double] = [:]
for _ in 0..<7 {
  let round = [
    "a plain reference": nanoseconds(5_000_000) { checksum += Double(plainReads(plain, $0)) },
    "the same through ModelHandle": nanoseconds(5_000_000) {
      checksum += Double(handleReads(&reader, $0))
    },
    "Predictor, one row": try nanoseconds(200_000) { count in
      for _ in 0..<count { checksum += try predictor.predict(row) }
    },
    "Predictor, per row of 1,000": try nanoseconds(100_000) { count in
      for _ in 0..<count / 1_000 {
        var buffer = answers.mutableSpan
        try predictor.predict(rows.span, into: &buffer)
      }
    },
  ]
  best.merge(round) { min($0, $1) }
}
print("### \(name): nanoseconds a call\n\n| | ns |\n|---|---|")
for (what, time) in best.sorted(by: { $0.value < $1.value }) {
  print("| \(what) | \((time * 100).rounded() / 100) |")
}
print("\n(checksum \(checksum))")
