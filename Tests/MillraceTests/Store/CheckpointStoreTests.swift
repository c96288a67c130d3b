import Glibc
import Millrace
import Testing

@Suite struct `Checkpoint store` {
  private func archive(_ value: Int) -> TensorArchive {
    var archive = TensorArchive()
    archive.set(value, as: "value")
    return archive
  }

  private func checkpoints(in directory: String) throws -> [String] {
    try Directory.entries(directory).filter { $0 != "lock" }
  }

  /// Saves `values` in order and closes the store.
  private func save(_ values: ClosedRange<Int>, in directory: String) throws {
    var store = try CheckpointStore(directory: directory)
    for value in values { try store.save(archive(value)) }
  }

  @Test func `a new directory has none`() throws {
    try withTemporaryDirectory { directory in
      let store = try CheckpointStore(directory: "\(directory)/new/job")
      #expect(try store.load() == nil)
    }
  }

  @Test func `the newest is loaded and three are kept`() throws {
    try withTemporaryDirectory { directory in
      try save(1...5, in: directory)
      try save(6...7, in: directory)
      let loaded = try #require(try CheckpointStore(directory: directory).load())
      #expect(try loaded.archive.integer("value") == 7)
      #expect(loaded.warnings.isEmpty)
      #expect(
        try checkpoints(in: directory)
          == ["checkpoint-000000000005", "checkpoint-000000000006", "checkpoint-000000000007"])
    }
  }

  @Test(arguments: ["cut", "emptied", "flipped", "no magic", "longer", "a directory"])
  func `a damaged newest falls back to the one before`(damage: String) throws {
    try withTemporaryDirectory { directory in
      try save(1...3, in: directory)
      let path = "\(directory)/checkpoint-000000000003"
      var bytes = try DurableFile.read(path)
      switch damage {
      case "cut": bytes.removeLast()
      case "emptied": bytes = []
      case "flipped": bytes[bytes.count - 3] ^= 1
      case "no magic": bytes[0] = 0
      case "longer": bytes.append(0)
      default:
        unlink(path)
        mkdir(path, 0o755)
      }
      if damage != "a directory" { try DurableFile.write(bytes, to: path) }

      var store = try CheckpointStore(directory: directory)
      let loaded = try #require(try store.load())
      #expect(try loaded.archive.integer("value") == 2)
      #expect(loaded.warnings.count == 1 && loaded.warnings[0].contains(path))
      // Work goes on beside the damaged one.
      try store.save(archive(4))
      #expect(try store.load()?.archive.integer("value") == 4)
    }
  }

  @Test func `every flipped byte is noticed`() throws {
    try withTemporaryDirectory { directory in
      try save(1...1, in: directory)
      let path = "\(directory)/checkpoint-000000000001"
      let bytes = try DurableFile.read(path)
      let store = try CheckpointStore(directory: directory)
      for index in bytes.indices {
        var damaged = bytes
        damaged[index] ^= 0x10
        try DurableFile.create(path, [damaged])
        #expect(errorMessage(.checkpoint) { try store.load() }.contains("start anew"))
      }
    }
  }

  @Test func `what a crash left half written is not a checkpoint`() throws {
    try withTemporaryDirectory { directory in
      try save(1...1, in: directory)
      try DurableFile.write([1, 2, 3], to: "\(directory)/checkpoint-000000000002.partial")
      try save(2...2, in: directory)
      #expect(
        try checkpoints(in: directory) == ["checkpoint-000000000001", "checkpoint-000000000002"])
    }
  }

  @Test func `a second job is refused and told who holds the directory`() throws {
    try withTemporaryDirectory { directory in
      var first = try CheckpointStore(directory: directory)
      #expect(
        errorMessage(.checkpoint) { try CheckpointStore(directory: directory) }
          == "checkpoint directory '\(directory)' is in use by process \(getpid()); "
          + "one job at a time may use it")
      try first.save(archive(1))
    }
  }

  @Test func `the lock goes with the job`() throws {
    try withTemporaryDirectory { directory in
      try save(1...1, in: directory)
      try save(2...2, in: directory)
    }
  }
}
