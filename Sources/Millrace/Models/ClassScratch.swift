/// What a bank of several classes works in for some rows: room for its kernel, a probability per row
/// and output, and a label per row.
struct ClassScratch {
  let room: UnsafeMutablePointer<Float>
  let probabilities: UnsafeMutablePointer<Float>
  let labels: UnsafeMutablePointer<Int32>

  /// - Parameters:
  ///   - room: floats that the kernel asks for; they are 64-byte aligned.
  ///   - rows: how many at a time.
  static func with(room: Int, rows: Int, outputs: Int, _ body: (ClassScratch) -> Void) {
    let floatCount = room + rows * outputs
    withUnsafeTemporaryAllocation(
      byteCount: MemoryLayout<Float>.stride * (floatCount + rows), alignment: 64
    ) { raw in
      guard let base = raw.baseAddress else { return }
      let floats = base.bindMemory(to: Float.self, capacity: floatCount)
      let end = base + MemoryLayout<Float>.stride * floatCount
      body(
        ClassScratch(
          room: floats, probabilities: floats + room,
          labels: end.bindMemory(to: Int32.self, capacity: rows)))
    }
  }
}
