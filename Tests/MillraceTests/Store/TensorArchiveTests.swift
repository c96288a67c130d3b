import Millrace
import Testing

@Suite struct `Tensor archive` {
  static var example: TensorArchive {
    var archive = TensorArchive()
    archive.metadata = ["format": "millrace", "note": "a \"quoted\"\n\\ line, é"]
    archive.set([1.5, -2, .nan] as [Float], as: "weights")
    archive.set([1, 2, 3, 4, 5, 6] as [Double], shape: [2, 3], as: "covariance")
    archive.set([Int64.min, .max], as: "positions")
    archive.set([7, 8, 9] as [UInt8], as: "tail")
    archive.set([] as [Float], shape: [0, 4], as: "pending")
    archive.set(0.25, as: "rate")
    archive.set(42, as: "rows")
    return archive
  }

  @Test func `what is written is read`() throws {
    let archive = try TensorArchive(decoding: Self.example.encoded())
    #expect(archive.metadata == Self.example.metadata)
    #expect(
      archive.names
        == ["covariance", "pending", "positions", "rate", "rows", "tail", "weights"])
    let weights = try archive.floats("weights", count: 3)
    #expect(weights[0] == 1.5 && weights[1] == -2 && weights[2].isNaN)
    #expect(try archive.doubles("covariance") == [1, 2, 3, 4, 5, 6])
    #expect(try archive.shape("covariance") == [2, 3])
    #expect(try archive.integers("positions") == [.min, .max])
    #expect(try archive.bytes("tail") == [7, 8, 9])
    #expect(try archive.floats("pending").isEmpty && archive.shape("pending") == [0, 4])
    #expect(try archive.double("rate") == 0.25)
    #expect(try archive.integer("rows", in: 0...42) == 42)
    #expect(archive.encoded() == Self.example.encoded())
  }

  // The bytes that the reference library writes (safetensors 0.8.0, Python):
  //   save({"b": np.array([1, 2], np.float32), "a": np.array([3], np.int64),
  //         "c": np.array([[4, 5, 6]], np.uint8)}, metadata={"k": "v"})
  @Test func `the bytes are those of the reference library`() {
    var archive = TensorArchive()
    archive.metadata = ["k": "v"]
    archive.set([1, 2] as [Float], as: "b")
    archive.set(3, as: "a")
    archive.set([4, 5, 6] as [UInt8], shape: [1, 3], as: "c")
    let header =
      #"{"__metadata__":{"k":"v"},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"#
      + #""c":{"dtype":"U8","shape":[1,3],"data_offsets":[16,19]}}   "#
    let expected =
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 4, 5, 6]
    #expect(archive.encoded() == expected)
  }

  @Test func `an accessor says what is wrong`() {
    let archive = Self.example
    func message<Value>(_ body: (TensorArchive) throws(MillraceError) -> Value) -> String? {
      do {
        _ = try body(archive)
        return nil
      } catch {
        return error.message
      }
    }
    #expect(
      message { (a) throws(MillraceError) in try a.floats("bias") } == "tensor 'bias' is missing")
    #expect(
      message { (a) throws(MillraceError) in try a.doubles("weights") }
        == "tensor 'weights' is F32; expected F64")
    #expect(
      message { (a) throws(MillraceError) in try a.floats("weights", count: 4) }
        == "tensor 'weights' has 3 elements; expected 4")
    #expect(
      message { (a) throws(MillraceError) in try a.integer("rows", in: 0...31) }
        == "tensor 'rows' is 42; expected 0 to 31")
  }

  @Test func `a file that is cut short is refused at every length`() {
    let bytes = Self.example.encoded()
    for length in 0..<bytes.count {
      #expect(throws: MillraceError.self) { try TensorArchive(decoding: Array(bytes[..<length])) }
    }
    #expect(throws: MillraceError.self) { try TensorArchive(decoding: bytes + [0]) }
  }

  @Test func `flipped bytes never crash the reader`() {
    let bytes = Self.example.encoded()
    var generator = SystemRandomNumberGenerator()
    var refused = 0
    for _ in 0..<20_000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: 0..<bytes.count, using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      do {
        _ = try TensorArchive(decoding: damaged).encoded()
      } catch {
        refused += 1
      }
    }
    // Most of this file is its header, where hardly a change is harmless.
    #expect(refused > 10_000)
  }

  @Test(arguments: [
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,  // a hole before the end
    #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#,
    #"{"a":1}"#, #"{"__metadata__":{"k":1}}"#, "[]", "",
  ])
  func `a header that does not fit the data is refused`(header: String) {
    #expect(throws: MillraceError.self) { try TensorArchive(decoding: file(header: header)) }
  }

  @Test func `a deeply nested header is refused`() {
    let header = String(repeating: "[", count: 100_000)
    #expect(throws: MillraceError.self) { try TensorArchive(decoding: file(header: header)) }
  }

  /// A file of this header and eight zero bytes.
  private func file(header: String) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
      + Array(header.utf8) + [UInt8](repeating: 0, count: 8)
  }
}
