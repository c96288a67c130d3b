import Glibc
import Millrace
import Testing

@Suite struct `Standard scaler` {
  @Test func `rows are standardised by what came before them`() {
    var scaler = StandardScaler(columnCount: 1, limit: 10)
    let rows: [Float] = [1, 3, 5, .nan]
    var output = [Float](repeating: 0, count: 8)
    scaler.transformAndUpdate(rows, count: 4, into: &output, stride: 2)
    // Means 1, 2, 3 and deviations 0, 1, √(8/3) before rows 2, 3, 4.
    #expect(output == [0, 1, 0, 1, 3, 1, 0, 1])
    #expect(scaler.means == [3] && scaler.missingCounts == [1])
  }

  @Test func `the farthest numbers are cut or 0, whether the column has varied or not`() {
    var scaler = StandardScaler(columnCount: 2, limit: 10)
    let far = Float.greatestFiniteMagnitude
    let rows = [-far, 0, far, 1, -far, far]
    var output = [Float](repeating: .nan, count: 9)
    scaler.transformAndUpdate(rows, count: 3, into: &output, stride: 3)
    #expect(output == [0, 0, 1, 0, 0, 1, output[6], 10, 1])
    #expect(abs(output[6]) < 10)
  }

  @Test(arguments: [1, 7, 8, 20]) func `equals the means and deviations of what came before`(
    columns: Int
  ) {
    var uniform = SeededUniform(seed: 3)
    let count = 300
    var rows: [Float] = []
    for index in 0..<count * columns {
      rows.append(powf(10, Float(index % columns) - 6) * (uniform.next() + Float(index % 3)))
    }
    // From here on one column has seen fewer values than the others.
    rows[200 * columns] = .nan
    var scaler = StandardScaler(columnCount: columns, limit: 10)
    var output = [Float](repeating: 0, count: count * (columns + 1))
    // In pieces of any length, each predicted before it is learnt.
    var start = 0
    for length in [1, 2, 30, 100, 167] {
      var predicted = output
      rows.withUnsafeBufferPointer { rows in
        guard let base = rows.baseAddress else { return }
        FrozenScaler(scaler).transform(
          base + start * columns, count: 1, into: &predicted, stride: columns + 1)
        output.withUnsafeMutableBufferPointer { output in
          guard let target = output.baseAddress else { return }
          scaler.transformAndUpdate(
            base + start * columns, count: length, into: target + start * (columns + 1),
            stride: columns + 1)
        }
      }
      let own = start * (columns + 1)..<(start + 1) * (columns + 1)
      #expect(Array(predicted[0...columns]) == Array(output[own]))
      start += length
    }
    for column in 0..<columns {
      var (sum, squares, seen) = (0.0, 0.0, 0.0)
      for row in 0..<count {
        let x = Double(rows[row * columns + column])
        let z = Double(output[row * (columns + 1) + column])
        if x.isFinite, seen > 1 {
          let mean = sum / seen
          let expected = (x - mean) / (squares / seen - mean * mean).squareRoot()
          #expect(abs(z - max(-10, min(10, expected))) < 1e-5 * max(1, abs(z)))
        }
        if x.isFinite { (sum, squares, seen) = (sum + x, squares + x * x, seen + 1) }
        if x.isNaN { #expect(z == 0) }
      }
      #expect(scaler.counts[column] == seen && abs(scaler.means[column] / (sum / seen) - 1) < 1e-12)
      #expect(scaler.missingCounts[column] == Double(count) - seen)
    }
  }
}
