import Dispatch
import Glibc
import Millrace
import Synchronization
import Testing

@Suite struct `Model store` {
  private static let manifest = Manifest(
    schema: Schema(
      task: .binary, columns: [.init(name: "amount", kind: .numeric)], label: "fraud",
      classes: ["no", "yes"]),
    settings: LearnerSettings(),
    metrics: ["progressive.logLoss": 0.31, "progressive.auc": .nan, "gate": -.infinity],
    lineage: .init(
      source: "events/", positions: [0: 1_000, 1: 2_000], parent: 2, reason: "drift"),
    rows: 500)

  private func archive(_ value: Int) -> TensorArchive {
    var archive = TensorArchive()
    archive.set(value, as: "value")
    return archive
  }

  @discardableResult
  private func publish(
    _ value: Int, in store: ModelStore, as name: String = "elec", expected: Int? = nil
  ) throws -> ModelVersion {
    try store.publish(
      archive(value), manifest: Self.manifest, as: name, expectedVersion: expected)
  }

  /// Runs `body` with a store that has `elec` in versions 1 to `count`, the last one champion.
  private func withStore(_ count: Int, _ body: (ModelStore) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let store = ModelStore(path: "\(directory)/models")
      for value in 0..<count { try store.promote(publish(value + 1, in: store)) }
      try body(store)
    }
  }

  @Test func `what is published is loaded`() throws {
    try withStore(2) { store in
      let version = try store.resolve("elec")
      #expect(version.description == "elec@2")
      let (manifest, archive) = try store.load(version)
      #expect(try archive.integer("value") == 2)
      #expect(manifest.schema == Self.manifest.schema)
      #expect(manifest.settings == Self.manifest.settings)
      #expect(manifest.lineage == Self.manifest.lineage)
      #expect(manifest.rows == 500 && manifest.createdAt == Self.manifest.createdAt)
      #expect(manifest.metrics["progressive.logLoss"] == 0.31)
      #expect(manifest.metrics["progressive.auc"]?.isNaN == true)
      #expect(manifest.metrics["gate"] == -.infinity)
      let bytes = try DurableFile.read("\(store.path)/elec/2/model.safetensors")
      #expect(try manifest.sha256 == SHA256.hexDigest(of: bytes[...]))
    }
  }

  @Test func `what is published is pointed to where an alias is asked for`() throws {
    try withStore(1) { store in
      let version = try store.publish(
        archive(2), manifest: Self.manifest, as: "elec", alias: .challenger)
      #expect(try store.target(of: .challenger, of: "elec") == version)
      #expect(try store.target(of: .champion, of: "elec")?.version == 1)
      _ = try store.publish(archive(3), manifest: Self.manifest, as: "elec", alias: .champion)
      #expect(try store.resolve("elec").version == 3)
      #expect(try store.rollback("elec").version == 1)
    }
  }

  @Test func `a job that starts again finds the version it had published`() throws {
    try withStore(2) { store in
      #expect(try publish(2, in: store, expected: 2).version == 2)
      #expect(try store.versions(of: "elec") == [1, 2])
      // Another content has taken the place.
      #expect(try publish(7, in: store, expected: 2).version == 3)
      // It was pruned since.
      try store.delete(store.resolve("elec@1"))
      #expect(try publish(1, in: store, expected: 1).version == 1)
      #expect(try store.versions(of: "elec") == [1, 2, 3])
    }
  }

  @Test func `what a crash left half published is replaced`() throws {
    try withStore(1) { store in
      try Directory.create("\(store.path)/elec/.publishing")
      try DurableFile.write([1], to: "\(store.path)/elec/.publishing/model.safetensors")
      #expect(try store.versions(of: "elec") == [1])
      #expect(try publish(2, in: store).version == 2)
      #expect(try Directory.entries("\(store.path)/elec") == [".lock", "1", "2", "champion"])
    }
  }

  @Test func `a reference is resolved or says what there is`() throws {
    try withStore(3) { store in
      try publish(1, in: store, as: "demo")
      #expect(try store.names() == ["demo", "elec"])
      #expect(try store.resolve("elec@1").version == 1)
      #expect(try store.resolve("elec@champion").version == 3)
      #expect(try store.resolve("demo").version == 1)  // the newest: it has no champion
      #expect(
        errorMessage(.store) { try store.resolve("elek") }
          == "there is no model 'elek' in '\(store.path)'; there are: demo, elec")
      for wanted in ["9", "0", "-1", "01", "x", "", "1@2"] {
        #expect(
          errorMessage(.store) { try store.resolve("elec@\(wanted)") }
            == "model 'elec' has no version '\(wanted)'; its versions are: 1, 2, 3")
      }
      #expect(
        errorMessage(.store) { try store.resolve("elec@challenger") }
          == "model 'elec' has no alias 'challenger'; its versions are: 1, 2, 3")
    }
  }

  @Test(arguments: ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a b", "é", "a\0b", "-x"])
  func `a name cannot leave the store`(name: String) throws {
    try withStore(1) { store in
      #expect(
        errorMessage(.configuration) { try store.resolve(name) }.contains("expected a name of"))
      #expect(
        errorMessage(.configuration) { try publish(1, in: store, as: name) }
          .contains("expected a name of"))
    }
  }

  @Test func `a store that cannot be read says so`() throws {
    try withTemporaryDirectory { directory in
      let none = ModelStore(path: "\(directory)/none")
      #expect(
        errorMessage(.store) { try none.resolve("elec") }
          == "model store '\(directory)/none' cannot be read: "
          + "cannot read directory '\(directory)/none': No such file or directory")
      try DurableFile.write([], to: "\(directory)/file")
      let file = ModelStore(path: "\(directory)/file")
      #expect(errorMessage(.store) { try file.names() }.contains("Not a directory"))
      #expect(errorMessage(.system) { try publish(1, in: file) }.contains("File exists"))
    }
  }

  @Test(arguments: [
    "model.safetensors cut", "model.safetensors flipped", "model.safetensors missing",
    "manifest.json cut", "manifest.json missing", "manifest.json of another format",
  ])
  func `a damaged version is refused with its reason`(damage: String) throws {
    try withStore(2) { store in
      let parts = damage.split(separator: " ", maxSplits: 1)
      let path = "\(store.path)/elec/1/\(parts[0])"
      var bytes = try DurableFile.read(path)
      let reason: String
      switch parts[1] {
      case "cut":
        bytes.removeLast(bytes.count / 2)
        reason = parts[0] == "manifest.json" ? "it is not a manifest" : "the SHA-256 of model"
      case "flipped":
        bytes[bytes.count / 2] ^= 1
        reason = "the SHA-256 of model"
      case "missing": reason = "No such file or directory"
      default:
        bytes = Array(#"{"format": 1}"#.utf8)
        reason = "it is in format 1; millrace \(Millrace.version) reads format 5"
      }
      try DurableFile.write(bytes, to: path)
      if parts[1] == "missing" { unlink(path) }

      let version = try store.resolve("elec@1")
      let message = errorMessage(.store) { try store.load(version) }
      #expect(
        message.hasPrefix("version elec@1 in '\(store.path)' is damaged or partial: ")
          && message.contains(reason))
      // It does not become champion either.
      #expect(errorMessage(.store) { try store.promote(version) } == message)
      #expect(errorMessage(.store) { try store.rollback("elec") } == message)
      #expect(try store.target(of: .champion, of: "elec")?.version == 2)
    }
  }

  @Test func `rolling back returns to the champion before, again and again`() throws {
    try withStore(4) { store in
      try store.delete(store.resolve("elec@2"))
      #expect(try store.rollback("elec").version == 3)
      #expect(try store.rollback("elec").version == 1)
      #expect(
        errorMessage(.store) { try store.rollback("elec") }
          == "model 'elec' has no earlier champion to return to")
      #expect(try store.target(of: .champion, of: "elec")?.version == 1)
      try store.promote(store.resolve("elec@4"))
      #expect(try store.rollback("elec").version == 1)
    }
  }

  @Test func `a damaged alias is an error, not another version`() throws {
    try withStore(2) { store in
      try DurableFile.write(Array("two\n".utf8), to: "\(store.path)/elec/champion")
      #expect(
        errorMessage(.store) { try store.resolve("elec") }
          == "'\(store.path)/elec/champion' is damaged; expected a version on each line")
    }
  }

  @Test func `an aliased version is not deleted`() throws {
    try withStore(3) { store in
      try store.point(.challenger, to: store.resolve("elec@1"))
      for (reference, alias) in [("elec@3", "champion"), ("elec@1", "challenger")] {
        let version = try store.resolve(reference)
        #expect(errorMessage(.store) { try store.delete(version) }.contains("is the \(alias)"))
      }
      try store.remove(.challenger, of: "elec")
      try store.delete(store.resolve("elec@1"))
      #expect(try store.versions(of: "elec") == [2, 3])
      #expect(try Directory.entries("\(store.path)/elec") == [".lock", "2", "3", "champion"])
    }
  }

  @Test func `a number is not given twice`() throws {
    try withStore(2) { store in
      // It was champion: to return to it must not be to return to another.
      try store.promote(store.resolve("elec@1"))
      try store.delete(store.resolve("elec@2"))
      #expect(try publish(3, in: store).version == 3)
      #expect(
        errorMessage(.store) { try store.resolve("elec@2") }.contains("its versions are: 1, 3"))
      #expect(try store.rollback("elec").version == 1)
      // No alias ever pointed to these.
      try store.delete(store.resolve("elec@3"))
      try publish(4, in: store)
      try publish(5, in: store)
      try store.delete(store.resolve("elec@4"))
      try store.delete(store.resolve("elec@5"))
      #expect(try publish(6, in: store).version == 6)
      #expect(try store.versions(of: "elec") == [1, 6])
    }
  }

  @Test func `pruning keeps the newest, the aliased and the one to roll back to`() throws {
    try withStore(3) { store in
      try store.point(.challenger, to: store.resolve("elec@1"))
      for value in 4...8 { try publish(value, in: store) }
      #expect(try store.prune("elec", keeping: 2) == [4, 5, 6])
      #expect(try store.versions(of: "elec") == [1, 2, 3, 7, 8])
      #expect(try store.rollback("elec").version == 2)
    }
  }

  @Test func `many publish at once and none is lost`() throws {
    try withStore(0) { store in
      let versions = Mutex<Set<Int>>([])
      DispatchQueue.concurrentPerform(iterations: 40) { value in
        guard let version = try? publish(value, in: store) else { return }
        versions.withLock { _ = $0.insert(version.version) }
      }
      #expect(versions.withLock(\.self) == Set(1...40))
    }
  }
}
