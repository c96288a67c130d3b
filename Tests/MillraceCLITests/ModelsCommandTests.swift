import Foundation
import Millrace
import MillraceCLI
import Testing

@Suite struct `millrace models` {
  /// Runs `body` with a store that has `elec` in versions 1 to 3, the second one champion.
  private func withStore(_ body: (ModelStore) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = ModelStore(path: directory.path)
    for value in 1...3 {
      let schema = Schema(
        task: .binary, columns: [.init(name: "load", kind: .numeric)], label: "price",
        classes: ["DOWN", "UP"])
      var archive = TensorArchive()
      try Model(schema: schema, settings: LearnerSettings()).encode(into: &archive)
      let version = try store.publish(
        archive,
        manifest: Manifest(
          schema: schema, settings: LearnerSettings(), metrics: ["progressive.rmse": 0.5],
          lineage: .init(source: "events/", positions: [0: 99], reason: "batch"), rows: value),
        as: "elec")
      if value <= 2 { try store.promote(version) }
    }
    try body(store)
  }

  private func json(_ text: String) throws -> [String: Any] {
    let line = try #require(text.split(separator: "\n").last)
    return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  @Test func `list and show tell what there is`() throws {
    try withStore { store in
      let list = try run(millrace, "models", "list", "--store", store.path)
      #expect(list.status == 0 && list.errors == "")
      let lines = list.output.split(separator: "\n").map {
        $0.split(separator: " ").map(String.init)
      }
      #expect(lines[0] == ["VERSION", "ALIAS", "CREATED", "ROWS", "LEARNER", "REASON"])
      #expect(lines.dropFirst().map { $0[0] } == ["elec@1", "elec@2", "elec@3"])
      #expect(lines[2][1] == "champion")

      let models = try json(
        run(millrace, "models", "list", "elec", "--store", store.path, "--json").output)
      let model = try #require((models["models"] as? [[String: Any]])?.first)
      let versions = try #require(model["versions"] as? [[String: Any]])
      #expect(versions.map { $0["version"] as? Int } == [1, 2, 3])
      #expect(versions.map { $0["aliases"] as? [String] } == [[], ["champion"], []])

      let show = try run(millrace, "models", "show", "elec", "--store", store.path)
      #expect(show.output.contains("elec@2 (champion)"))
      #expect(show.output.contains("progressive.rmse"))
      #expect(show.output.contains("EXPERT") && show.output.contains("WITHOUT LABELS"))
      let details = try json(
        run(millrace, "models", "show", "elec@1", "--store", store.path, "--json").output)
      let manifest = try #require(details["manifest"] as? [String: Any])
      #expect(manifest["rows"] as? Int == 1 && details["name"] as? String == "elec")
      let explanation = try #require(details["explanation"] as? [String: Any])
      let experts = try #require(explanation["experts"] as? [[String: Any]])
      let shares = experts.compactMap { $0["immediate"] as? Double }
      #expect(shares.count == experts.count && abs(shares.reduce(0, +) - 1) < 1e-5)
      let effects = try #require(explanation["coefficients"] as? [[String: Any]])
      #expect(effects.map { $0["name"] as? String } == ["load"])
    }
  }

  @Test func `promote, rollback and delete change what is served`() throws {
    try withStore { store in
      func champion() throws -> Int? { try store.target(of: .champion, of: "elec")?.version }
      let promote = try run(millrace, "models", "promote", "elec", "--store", store.path)
      #expect(promote.output == "elec@3 is champion\n")
      #expect(try champion() == 3)
      let rollback = try run(
        millrace, "models", "rollback", "elec", "--store", store.path, "--json")
      #expect(try json(rollback.output)["version"] as? Int == 2)
      #expect(try champion() == 2)
      try store.point(.challenger, to: store.resolve("elec@1"))
      _ = try run(millrace, "models", "promote", "elec", "--store", store.path)
      #expect(try champion() == 1)
      #expect(try run(millrace, "models", "delete", "elec@2", "--store", store.path).status == 0)
      #expect(try store.versions(of: "elec") == [1, 3])
    }
  }

  @Test func `verify finds the damaged version`() throws {
    try withStore { store in
      #expect(try run(millrace, "models", "verify", "--store", store.path).status == 0)
      let file = URL(fileURLWithPath: "\(store.path)/elec/2/model.safetensors")
      try Data([1, 2, 3]).write(to: file)
      let result = try run(millrace, "models", "verify", "elec", "--store", store.path)
      #expect(result.status == 1)
      #expect(result.output.hasPrefix("elec@1 ok\nelec@2 version elec@2 in "))
      #expect(result.errors.contains("error 1 of 3 versions are damaged"))
      let logged = try run(
        millrace, "models", "verify", "elec@2", "--store", store.path, "--log-format", "json")
      let message = try json(logged.errors)
      #expect(message["level"] as? String == "error")
      #expect(message["message"] as? String == "1 of 1 versions are damaged")
    }
  }

  @Test func `mistakes exit with 2, failures with 1, both with a reason`() throws {
    try withStore { store in
      let none = try run(millrace)
      #expect(none.status == 2 && none.output == "" && none.errors.contains("usage: millrace"))
      let unknown = try run(millrace, "modles")
      #expect(unknown.status == 2)
      #expect(
        unknown.errors
          == "millrace: there is no command \"modles\" (did you mean models?). "
          + "See 'millrace --help'\n")
      #expect(try run(millrace, "models", "show", "--store", store.path).status == 2)
      #expect(try run(millrace, "models", "delete", "elec", "--store", store.path).status == 2)
      let missing = try run(millrace, "models", "show", "elek", "--store", store.path)
      #expect(missing.status == 1 && missing.output == "")
      #expect(
        missing.errors
          == "millrace: there is no model 'elek' in '\(store.path)'; there are: elec\n")
      let aliased = try run(millrace, "models", "delete", "elec@2", "--store", store.path)
      #expect(aliased.status == 1 && aliased.errors.contains("is the champion"))
    }
  }

  @Test func `help and version exit with 0`() throws {
    for words in [["--help"], ["-h"], ["help"]] {
      let result = try run(millrace, words[0])
      #expect(result.status == 0 && result.output.contains("\n  models "))
    }
    #expect(try run(millrace, "--version").output == Millrace.version + "\n")
    #expect(
      try run(millrace, "help", "models").output == run(millrace, "models", "--help").output)
  }
}
