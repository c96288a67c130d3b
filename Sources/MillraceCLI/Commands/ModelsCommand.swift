import Millrace

/// `millrace models`: what is in a store, and which version is served.
struct ModelsCommand: Command {
  enum Action: String, CaseIterable, Sendable {
    case list, show, promote, rollback, verify, delete
  }

  static let action = Option<Action>(
    argument: "ACTION", .choice,
    help: "What to do: list what there is; show a version; promote a version to champion (without "
      + "a version the challenger, or else the newest); rollback to the champion before; verify "
      + "digests; delete a version.")
  static let model = Option<String?>(
    optionalArgument: "MODEL", .text,
    help: "NAME, NAME@VERSION, NAME@champion or NAME@challenger. list and verify do without.")

  let name = "models"
  let summary = "List, inspect, promote, roll back, verify and delete stored versions."
  let example = """
    millrace models list
    millrace models promote elec@3     # serve version 3
    millrace models rollback elec      # serve what was served before
    """
  let options: [any CommandOption] = [action, model, StoreOptions.store]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    let store = ModelStore(path: arguments[StoreOptions.store])
    let model = arguments[Self.model]
    let action = arguments[Self.action]
    switch action {
    case .list:
      try list(store, only: model, on: terminal)
    case .verify:
      return try verify(store, only: model, on: terminal)
    case .show, .promote, .rollback, .delete:
      guard let model else {
        throw MillraceError(
          .configuration, "models \(action.rawValue) needs MODEL: \(Self.model.help)")
      }
      switch action {
      case .show: try show(store.resolve(model), in: store, on: terminal)
      case .promote: try promote(model, in: store, on: terminal)
      case .rollback:
        let version = try store.rollback(model)
        try report(version, in: store, done: "is champion again", on: terminal)
      default: try delete(model, in: store, on: terminal)
      }
    }
    return .done
  }

  private func list(
    _ store: ModelStore, only name: String?, on terminal: Terminal
  ) throws(MillraceError) {
    var models: [ModelSummary] = []
    let names = if let name { [name] } else { try store.names() }
    for name in names {
      var versions: [VersionSummary] = []
      for version in try store.versions(of: name) {
        versions.append(try VersionSummary(ModelVersion(name: name, version: version), in: store))
      }
      models.append(ModelSummary(name: name, versions: versions))
    }
    try terminal.report(["models": models]) {
      let rows = models.flatMap { $0.versions.map(\.row) }
      return rows.isEmpty
        ? "the store '\(store.path)' is empty" : table([VersionSummary.header] + rows)
    }
  }

  private func show(
    _ version: ModelVersion, in store: ModelStore, on terminal: Terminal
  ) throws(MillraceError) {
    let (manifest, archive) = try store.load(version)
    let model = try store.model(version)
    let details = VersionDetails(
      name: version.name, version: version.version, path: store.path(of: version),
      aliases: try store.aliases(of: version), manifest: manifest,
      tensors: archive.names, explanation: model.explanation(),
      bankConstants: try model.bankConstants())
    try terminal.report(details) { details.text }
  }

  private func promote(
    _ model: String, in store: ModelStore, on terminal: Terminal
  ) throws(MillraceError) {
    var version = try store.resolve(model)
    if model == version.name {
      let newest = try store.versions(of: model).last.map { ModelVersion(name: model, version: $0) }
      version = try store.target(of: .challenger, of: model) ?? newest ?? version
    }
    try store.promote(version)
    try report(version, in: store, done: "is champion", on: terminal)
  }

  private func delete(
    _ model: String, in store: ModelStore, on terminal: Terminal
  ) throws(MillraceError) {
    let version = try store.resolve(model)
    guard model != version.name else {
      throw MillraceError(.configuration, "delete needs a version: \(model)@VERSION")
    }
    let summary = try VersionSummary(version, in: store)
    try store.delete(version)
    try terminal.report(summary) { "\(version) is deleted" }
  }

  private func report(
    _ version: ModelVersion, in store: ModelStore, done: String, on terminal: Terminal
  ) throws(MillraceError) {
    let summary = try VersionSummary(version, in: store)
    try terminal.report(summary) { "\(version) \(done)" }
  }

  private func verify(
    _ store: ModelStore, only model: String?, on terminal: Terminal
  ) throws(MillraceError) -> ExitStatus {
    var versions: [ModelVersion] = []
    if let model, model.contains("@") {
      versions.append(try store.resolve(model))
    } else {
      let names = if let model { [model] } else { try store.names() }
      for name in names {
        versions += try store.versions(of: name).map { ModelVersion(name: name, version: $0) }
      }
    }
    var findings: [Finding] = []
    for version in versions {
      do throws(MillraceError) {
        _ = try store.model(version)
        findings.append(Finding(name: version.name, version: version.version, ok: true))
      } catch {
        findings.append(
          Finding(name: version.name, version: version.version, ok: false, reason: error.message))
      }
    }
    try terminal.report(["versions": findings]) {
      findings.map { "\($0.name)@\($0.version) \($0.reason ?? "ok")" }.joined(separator: "\n")
    }
    let damaged = findings.filter { !$0.ok }.count
    guard damaged == 0 else {
      terminal.logger.log(.error, "\(damaged) of \(findings.count) versions are damaged")
      return .failed
    }
    return .done
  }
}

// MARK: - Results

private struct ModelSummary: Encodable {
  var name: String
  var versions: [VersionSummary]
}

/// A version in a list; a damaged one says so instead of what its manifest would.
private struct VersionSummary: Encodable {
  var name: String
  var version: Int
  var path: String
  var aliases: [String]
  var createdAt: String?
  var rows: Int?
  var learner: String?
  var reason: String?
  var damage: String?

  static let header = ["VERSION", "ALIAS", "CREATED", "ROWS", "LEARNER", "REASON"]

  init(_ version: ModelVersion, in store: ModelStore) throws(MillraceError) {
    name = version.name
    self.version = version.version
    path = store.path(of: version)
    aliases = try store.aliases(of: version)
    do throws(MillraceError) {
      let manifest = try store.manifest(of: version)
      createdAt = manifest.createdAt
      rows = manifest.rows
      learner = manifest.settings.learner.rawValue
      reason = manifest.lineage.reason
    } catch {
      damage = error.message
    }
  }

  var row: [String] {
    [
      "\(name)@\(version)", aliases.joined(separator: ","), createdAt ?? "",
      rows.map(String.init) ?? "", learner ?? "", reason ?? damage ?? "",
    ]
  }
}

private struct VersionDetails: Encodable {
  var name: String
  var version: Int
  var path: String
  var aliases: [String]
  var manifest: Manifest
  var tensors: [String]
  var explanation: ModelExplanation
  var bankConstants: [String: [Double]]

  var text: String {
    var rows = [
      ["version", "\(name)@\(version)" + aliases.map { " (\($0))" }.joined()],
      ["path", path],
      ["sha256", manifest.sha256],
      ["created", manifest.createdAt],
      ["task", manifest.schema.task.rawValue],
      ["learner", manifest.settings.learner.rawValue],
      ["rows", "\(manifest.rows)"],
      ["label", manifest.schema.label],
      [
        "features",
        manifest.schema.sparseWidth.map { "\($0), sparse" }
          ?? manifest.schema.featureNames.joined(separator: ", "),
      ],
      ["learnt from", manifest.lineage.source],
      ["reason", manifest.lineage.reason],
    ]
    if let parent = manifest.lineage.parent { rows.append(["parent", "\(name)@\(parent)"]) }
    for (partition, position) in manifest.lineage.positions.sorted(by: { $0.key < $1.key }) {
      rows.append(["partition \(partition)", "up to \(position)"])
    }
    for (metric, value) in manifest.metrics.sorted(by: { $0.key < $1.key }) {
      rows.append([metric, "\(value)"])
    }
    return ([table(rows)] + explanation.tables).joined(separator: "\n\n")
  }
}

extension ModelExplanation {
  /// Lines of each table: the largest.
  private static let shownLines = 15

  /// The experts, the columns and what is beyond them, as tables for people.
  fileprivate var tables: [String] {
    func percent(_ share: Double) -> String { "\(shown(100 * share)) %" }
    func lines(_ rows: [[String]]) -> String {
      let omitted = rows.count - 1 - Self.shownLines
      return table(Array(rows.prefix(Self.shownLines + 1)))
        + (omitted > 0 ? "\nand \(omitted) more, all of them with --json" : "")
    }
    var tables: [String] = []
    let weighty = experts.sorted { max($0.immediate, $0.never) > max($1.immediate, $1.never) }
    if !experts.isEmpty {
      tables.append(
        lines(
          [["EXPERT", "LEARNING", "WITHOUT LABELS"]]
            + weighty.map { [$0.name, percent($0.immediate), percent($0.never)] }))
    }
    for (heading, part) in [("COLUMN", coefficients), ("BEYOND THE COLUMNS", basis)]
    where !part.isEmpty {
      tables.append(
        lines(
          [[heading, "PER DEVIATION", "PER UNIT"]]
            + part.map { effect in
              [
                effect.name + (effect.output.map { " (\($0))" } ?? ""),
                shown(effect.standardized), effect.perUnit.map(shown) ?? "",
              ]
            }))
    }
    return tables
  }
}

private struct Finding: Encodable {
  var name: String
  var version: Int
  var ok: Bool
  var reason: String?
}

extension ModelStore {
  /// The names of the aliases that point to a version.
  fileprivate func aliases(of version: ModelVersion) throws(MillraceError) -> [String] {
    var names: [String] = []
    for alias in ModelAlias.allCases where try target(of: alias, of: version.name) == version {
      names.append(alias.rawValue)
    }
    return names
  }
}
