import Glibc
import Millrace
import Testing

@Suite struct `Durable file` {
  @Test func `a file is replaced whole and nothing is left beside it`() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/a"
      try DurableFile.write([1, 2, 3], [4], to: path)
      #expect(try DurableFile.read(path) == [1, 2, 3, 4])
      // More than a read's worth, and what a crash left of an earlier attempt.
      let long = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
      try DurableFile.write([9], to: path + DurableFile.partialSuffix)
      try DurableFile.write(long, to: path)
      #expect(try DurableFile.read(path) == long)
      #expect(try Directory.entries(directory) == ["a"])
    }
  }

  @Test func `a file whose size is not told is read to its end`() throws {
    #expect(
      try String(decoding: DurableFile.read("/proc/self/status"), as: UTF8.self).contains("Pid:"))
  }

  @Test func `errors name the path and the system's reason`() throws {
    try withTemporaryDirectory { directory in
      #expect(
        errorMessage(.system) { try DurableFile.read("\(directory)/none") }
          == "cannot open '\(directory)/none': No such file or directory")
      #expect(
        errorMessage(.system) { try DurableFile.read(directory) }
          == "cannot read '\(directory)': Is a directory")
      #expect(
        errorMessage(.system) { try DurableFile.write([1], to: "\(directory)/no/such") }
          == "cannot open '\(directory)/no/such.partial': No such file or directory")
      try DurableFile.write([1], to: "\(directory)/file")
      #expect(
        errorMessage(.system) { try Directory.create("\(directory)/file") }
          == "cannot create directory '\(directory)/file': File exists")
    }
  }

  @Test func `directories are created with those above them`() throws {
    try withTemporaryDirectory { directory in
      try Directory.create("\(directory)/a/b//c/")
      #expect(Directory.exists("\(directory)/a/b/c"))
      try Directory.create("\(directory)/a/b/c")
    }
  }

  @Test func `a full disk leaves the old content`() throws {
    try withSmallDisk(kilobytes: 64) { directory in
      let path = "\(directory)/a"
      try DurableFile.write([1, 2, 3], to: path)
      #expect(
        errorMessage(.system) {
          try DurableFile.write([UInt8](repeating: 7, count: 200_000), to: path)
        } == "cannot write '\(path).partial': No space left on device")
      #expect(try DurableFile.read(path) == [1, 2, 3])
      #expect(try Directory.entries(directory) == ["a"])
    }
  }
}

@Suite struct `SHA-256` {
  // printf '' | sha256sum; printf abc | sha256sum; head -c 1000000 /dev/zero | tr '\0' a | sha256sum
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func `digests are those of sha256sum`(text: String, digest: String) throws {
    #expect(try SHA256.hexDigest(of: Array(text.utf8)[...]) == digest)
  }
}
