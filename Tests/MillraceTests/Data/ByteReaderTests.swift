import Glibc
import Millrace
import Testing

/// gzip.compress(b"a,b\n1,2\n", mtime=0)
private let member: [UInt8] = [
  0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xd4, 0x49, 0xe2, 0x32, 0xd4,
  0x31, 0xe2, 0x02, 0x00, 0x7b, 0x07, 0x97, 0x0a, 0x08, 0x00, 0x00, 0x00,
]

/// The bytes of a file that holds `contents`, or why it cannot be read.
private func readBack(_ contents: [UInt8], piece: Int = 1 << 16) throws -> [UInt8] {
  let path = "/tmp/millrace-gzip-\(getpid())-\(UInt64.random(in: 0...(.max)))"
  let file = try #require(fopen(path, "w"))
  fwrite(contents, 1, contents.count, file)
  fclose(file)
  defer { unlink(path) }
  var reader = try ByteReader(path: path)
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: piece)
  while true {
    let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
}

@Suite struct `Byte reader` {
  @Test(arguments: [0, 1, 2, 70_000])
  func `plain bytes come back as they are`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
    #expect(try readBack(bytes) == bytes)
    #expect(try readBack(bytes, piece: 3) == bytes)
  }

  @Test(arguments: [1, 2, 8, 100])
  func `gzip members one after another are one stream`(piece: Int) throws {
    let text = Array("a,b\n1,2\n".utf8)
    #expect(try readBack(member, piece: piece) == text)
    #expect(try readBack(member + member + [0, 0] + member, piece: piece) == text + text + text)
  }

  @Test func `every truncation of a gzip file is an error that says so`() throws {
    for length in 2..<member.count {
      let error = #expect(throws: MillraceError.self) { try readBack(Array(member[..<length])) }
      #expect(error?.kind == .input && error?.message.contains("cut short") == true)
    }
  }

  @Test func `damaged gzip data is an error with zlib's reason`() {
    var damaged = member
    damaged[damaged.count - 8] ^= 1  // the checksum
    let error = #expect(throws: MillraceError.self) { try readBack(damaged) }
    #expect(error?.message.hasSuffix("incorrect data check") == true)
    #expect(throws: MillraceError.self) { try readBack(member + Array("tail".utf8)) }
  }

  @Test func `a file that is not there is an error with its path`() {
    let error = #expect(throws: MillraceError.self) {
      _ = try ByteReader(path: "no/such/file")
    }
    #expect(error == MillraceError(.system, "no/such/file: No such file or directory"))
  }
}
