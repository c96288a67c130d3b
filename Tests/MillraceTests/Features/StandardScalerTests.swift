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
}
