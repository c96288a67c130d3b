internal import Dispatch
internal import Glibc
internal import Synchronization

/// A directory of models: `STORE/NAME/VERSION/{model.safetensors, manifest.json}`.
///
/// A version appears whole (written aside, made durable, renamed) and never changes afterwards.
/// An alias is a small file beside the versions, replaced atomically; its first line is the version
/// it points to, the lines below are those it pointed to before. A version's number is not given to
/// another one, also when it was deleted. Any number of processes may read; those that write wait
/// for each other.
public struct ModelStore: Sendable {
  /// The store's directory.
  public let path: String

  /// A store in a directory, which need not exist yet.
  public init(path: String) { self.path = path }

  private static let modelFile = "model.safetensors"
  private static let manifestFile = "manifest.json"

  // MARK: - What there is

  /// The names of the models, sorted.
  ///
  /// - Throws: `store` when the store is missing or cannot be read.
  public func names() throws(MillraceError) -> [String] {
    do throws(MillraceError) {
      return try Directory.entries(path).filter {
        ModelStore.isValid(name: $0) && Directory.exists("\(path)/\($0)")
      }
    } catch {
      throw MillraceError(.store, "model store '\(path)' cannot be read: \(error.message)")
    }
  }

  /// Whether there is a model of this name.
  ///
  /// - Throws: `configuration` for a name that is not one.
  func hasModel(_ name: String) throws(MillraceError) -> Bool {
    Directory.exists(try directory(of: name))
  }

  /// The versions of a model, ascending; whether they are whole is not looked at.
  ///
  /// - Throws: `store` when there is no such model, naming those there are.
  public func versions(of name: String) throws(MillraceError) -> [Int] {
    let directory = try directory(of: name)
    guard Directory.exists(directory) else {
      let others = try names().joined(separator: ", ")
      throw MillraceError(
        .store,
        "there is no model '\(name)' in '\(path)'; "
          + (others.isEmpty ? "the store is empty" : "there are: \(others)"))
    }
    return try Directory.entries(directory).compactMap(ModelStore.version).sorted()
  }

  /// Where an alias points; `nil` when it is not set.
  ///
  /// - Throws: `store` when the alias file cannot be read or is damaged.
  public func target(
    of alias: ModelAlias, of name: String
  ) throws(MillraceError) -> ModelVersion? {
    try history(of: alias, of: name).first.map { ModelVersion(name: name, version: $0) }
  }

  /// The version that `NAME`, `NAME@VERSION` or `NAME@ALIAS` stands for.
  ///
  /// A name alone is its champion, or its newest version when it has none.
  ///
  /// - Throws: `store` when there is no such model, version or alias, naming those there are.
  public func resolve(_ reference: String) throws(MillraceError) -> ModelVersion {
    let parts = reference.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let versions = try versions(of: name)
    let found: Int?
    let wanted: String
    if parts.count == 1 {
      found = try target(of: .champion, of: name)?.version ?? versions.last
      wanted = "version"
    } else if let alias = ModelAlias(rawValue: String(parts[1])) {
      found = try target(of: alias, of: name)?.version
      wanted = "alias '\(alias.rawValue)'"
    } else {
      found = ModelStore.version(String(parts[1]))
      wanted = "version '\(parts[1])'"
    }
    guard let found, versions.contains(found) else {
      let others = versions.map(String.init).joined(separator: ", ")
      throw MillraceError(
        .store,
        "model '\(name)' has no \(wanted); its versions are: \(others.isEmpty ? "none" : others)")
    }
    return ModelVersion(name: name, version: found)
  }

  /// The number of the next version: no version had it, also none that was deleted, so that an
  /// alias's past never means another version.
  ///
  /// - Throws: `configuration` for a name that is not one; `store` when the model cannot be read.
  func nextVersion(of name: String) throws(MillraceError) -> Int {
    guard try hasModel(name) else { return 1 }
    var numbers = try versions(of: name) + versions(listedIn: deletedPath(of: name))
    for alias in ModelAlias.allCases { numbers += try history(of: alias, of: name) }
    return (numbers.max() ?? 0) + 1
  }

  /// The directory of a version.
  public func path(of version: ModelVersion) -> String {
    "\(path)/\(version.name)/\(version.version)"
  }

  /// The manifest of a version.
  ///
  /// - Throws: `store` with the reason when it is missing or damaged.
  public func manifest(of version: ModelVersion) throws(MillraceError) -> Manifest {
    _ = try directory(of: version.name)
    do throws(MillraceError) {
      return try Manifest(
        decoding: DurableFile.read("\(path(of: version))/\(ModelStore.manifestFile)"))
    } catch {
      throw refusal(version, error)
    }
  }

  /// A version's manifest and content, checked against its digest.
  ///
  /// - Throws: `store` with the reason when it is partial or damaged.
  public func load(
    _ version: ModelVersion
  ) throws(MillraceError) -> (manifest: Manifest, archive: TensorArchive) {
    let manifest = try manifest(of: version)
    do throws(MillraceError) {
      let bytes = try DurableFile.read("\(path(of: version))/\(ModelStore.modelFile)")
      let digest = try SHA256.hexDigest(of: bytes[...])
      guard digest == manifest.sha256 else {
        throw MillraceError(
          .store,
          "the SHA-256 of \(ModelStore.modelFile) is \(digest); "
            + "the manifest says \(manifest.sha256)")
      }
      return (manifest, try TensorArchive(decoding: bytes))
    } catch {
      throw refusal(version, error)
    }
  }

  func refusal(_ version: ModelVersion, _ reason: MillraceError) -> MillraceError {
    MillraceError(
      .store, "version \(version) in '\(path)' is damaged or partial: \(reason.message)")
  }

  // MARK: - Publishing and removing

  /// Stores a version: whole and durable when this returns, or not there.
  ///
  /// - Parameters:
  ///   - archive: the content.
  ///   - manifest: what is known of it; its digest is filled in.
  ///   - name: the model's name: letters, digits, `.`, `_`, `-`.
  ///   - expectedVersion: the version that a job which starts again may have published before: the
  ///     one there is returned when it has the same content. It is written when that place is
  ///     free; `nil`, or a place taken by other content, is `nextVersion(of:)`.
  ///   - alias: what points to it from now on.
  /// - Throws: `configuration` for a name that is not one; `system` when it cannot be written.
  public func publish(
    _ archive: TensorArchive, manifest: Manifest, as name: String, expectedVersion: Int? = nil,
    alias: ModelAlias? = nil
  ) throws(MillraceError) -> ModelVersion {
    let directory = try directory(of: name)
    try Directory.create(directory)
    let lock = try lock(name)
    defer { lock.unlock() }
    let version = try write(archive, manifest, in: directory, as: name, expectedVersion)
    if let alias { try point(alias, toWhole: version) }
    return version
  }

  private func write(
    _ archive: TensorArchive, _ manifest: Manifest, in directory: String, as name: String,
    _ expectedVersion: Int?
  ) throws(MillraceError) -> ModelVersion {
    let aside = "\(directory)/\(ModelStore.publishing)"
    if Directory.exists(aside) { try Directory.remove(aside) }
    try Directory.create(aside)
    var manifest = manifest
    manifest.sha256 = try write(archive, to: "\(aside)/\(ModelStore.modelFile)")

    let versions = try versions(of: name)
    var version = ModelVersion(name: name, version: try nextVersion(of: name))
    if let expectedVersion, expectedVersion > 0 {
      let expected = ModelVersion(name: name, version: expectedVersion)
      if !versions.contains(expectedVersion) {
        version = expected
      } else if let found = try? load(expected), found.manifest.sha256 == manifest.sha256 {
        try Directory.remove(aside)
        return expected
      }
    }

    try DurableFile.create("\(aside)/\(ModelStore.manifestFile)", [manifest.encoded()])
    try Directory.synchronize(aside)
    try Directory.move(aside, to: path(of: version))
    return version
  }

  /// Writes an archive, and works out its digest meanwhile.
  private func write(_ archive: TensorArchive, to path: String) throws(MillraceError) -> String {
    let digest = Mutex(Result<String, MillraceError>.success(""))
    let file = Mutex(Result<Void, MillraceError>.success(()))
    DispatchQueue.concurrentPerform(iterations: 2) { part in
      if part == 0 {
        let done = Result { () throws(MillraceError) in try DurableFile.create(path, archive) }
        file.withLock { $0 = done }
      } else {
        let done = Result { () throws(MillraceError) in try SHA256.hexDigest(of: archive) }
        digest.withLock { $0 = done }
      }
    }
    try file.withLock { $0 }.get()
    return try digest.withLock { $0 }.get()
  }

  /// Removes a version.
  ///
  /// - Throws: `store` when an alias points to it, or there is no such version.
  public func delete(_ version: ModelVersion) throws(MillraceError) {
    let lock = try lock(version.name)
    defer { lock.unlock() }
    _ = try resolve(version.description)
    for alias in ModelAlias.allCases where try target(of: alias, of: version.name) == version {
      throw MillraceError(
        .store,
        "version \(version) is the \(alias.rawValue) and cannot be deleted; "
          + "promote another version or roll back first")
    }
    if try version.version == nextVersion(of: version.name) - 1 {
      try write([version.version], to: deletedPath(of: version.name))
    }
    try remove(version)
  }

  /// Removes the oldest versions beyond the newest `keep`, but none that an alias points to or
  /// that `rollback` would return to.
  ///
  /// - Returns: the versions that were removed.
  /// - Throws: `store` when there is no such model; `system` when one cannot be removed.
  @discardableResult
  public func prune(_ name: String, keeping keep: Int) throws(MillraceError) -> [Int] {
    let lock = try lock(name)
    defer { lock.unlock() }
    let versions = try versions(of: name)
    var needed = Set(versions.suffix(max(keep, 1)))
    for alias in ModelAlias.allCases {
      let history = try history(of: alias, of: name).filter(versions.contains)
      needed.formUnion(history.prefix(alias == .champion ? 2 : 1))
    }
    let removed = versions.filter { !needed.contains($0) }
    for version in removed { try remove(ModelVersion(name: name, version: version)) }
    return removed
  }

  /// Renamed first: half a version is never seen.
  private func remove(_ version: ModelVersion) throws(MillraceError) {
    let aside = "\(try directory(of: version.name))/\(ModelStore.removing)"
    if Directory.exists(aside) { try Directory.remove(aside) }
    try Directory.move(path(of: version), to: aside)
    try Directory.remove(aside)
  }

  // MARK: - Aliases

  /// Makes a version the champion.
  ///
  /// - Throws: `store` when it is not there, or is damaged.
  public func promote(_ version: ModelVersion) throws(MillraceError) {
    try point(.champion, to: version)
  }

  /// Points an alias to a version.
  ///
  /// - Throws: `store` when it is not there, or is damaged.
  public func point(_ alias: ModelAlias, to version: ModelVersion) throws(MillraceError) {
    let lock = try lock(version.name)
    defer { lock.unlock() }
    _ = try load(resolve(version.description))
    try point(alias, toWhole: version)
  }

  private func point(
    _ alias: ModelAlias, toWhole version: ModelVersion
  ) throws(MillraceError) {
    let history = try history(of: alias, of: version.name)
    guard history.first != version.version else { return }
    try write([version.version] + history, of: alias, of: version.name)
  }

  /// Takes an alias away; nothing happens when it is not set.
  ///
  /// - Throws: `system` when it cannot be removed.
  public func remove(_ alias: ModelAlias, of name: String) throws(MillraceError) {
    let lock = try lock(name)
    defer { lock.unlock() }
    guard try !history(of: alias, of: name).isEmpty else { return }
    try Directory.removeFile(aliasPath(alias, of: name))
  }

  /// Returns the champion to the version that was champion before.
  ///
  /// - Returns: the version that is champion now.
  /// - Throws: `store` when there was none before, or it is no longer there or damaged.
  public func rollback(_ name: String) throws(MillraceError) -> ModelVersion {
    let versions = try versions(of: name)
    let lock = try lock(name)
    defer { lock.unlock() }
    let history = try history(of: .champion, of: name)
    let earlier = history.dropFirst().drop { !versions.contains($0) }
    guard let previous = earlier.first else {
      throw MillraceError(.store, "model '\(name)' has no earlier champion to return to")
    }
    let version = ModelVersion(name: name, version: previous)
    _ = try load(version)
    try write(Array(earlier), of: .champion, of: name)
    return version
  }

  /// The file whose change tells that an alias has moved.
  func aliasPath(_ alias: ModelAlias, of name: String) -> String {
    "\(path)/\(name)/\(alias.rawValue)"
  }

  /// The versions an alias pointed to, the present one first; empty when it is not set.
  private func history(of alias: ModelAlias, of name: String) throws(MillraceError) -> [Int] {
    _ = try directory(of: name)
    return try versions(listedIn: aliasPath(alias, of: name))
  }

  private func write(
    _ history: [Int], of alias: ModelAlias, of name: String
  ) throws(MillraceError) {
    try write(Array(history.prefix(ModelStore.historyLimit)), to: aliasPath(alias, of: name))
  }

  /// The newest version that was deleted, where it was the newest of all.
  private func deletedPath(of name: String) -> String { "\(path)/\(name)/.deleted" }

  /// The versions in a file, one a line; none when it is not there.
  private func versions(listedIn file: String) throws(MillraceError) -> [Int] {
    guard access(file, F_OK) == 0 else { return [] }
    let text = String(decoding: try DurableFile.read(file), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    let versions = lines.compactMap { ModelStore.version(String($0)) }
    guard !versions.isEmpty, versions.count == lines.count else {
      throw MillraceError(.store, "'\(file)' is damaged; expected a version on each line")
    }
    return versions
  }

  private func write(_ versions: [Int], to file: String) throws(MillraceError) {
    try DurableFile.write(Array(versions.map { "\($0)\n" }.joined().utf8), to: file)
  }

  // MARK: - Names

  private static let publishing = ".publishing"
  private static let removing = ".removing"
  private static let historyLimit = 100

  /// One writer at a time per model.
  private func lock(_ name: String) throws(MillraceError) -> FileLock {
    _ = try versions(of: name)
    return try FileLock(waitingFor: "\(path)/\(name)/.lock")
  }

  private func directory(of name: String) throws(MillraceError) -> String {
    guard ModelStore.isValid(name: name) else {
      throw .setting(
        "model", name,
        expected:
          "a name of up to 100 letters, digits, '.', '_', '-', the first a letter or a digit")
    }
    return "\(path)/\(name)"
  }

  private static func isValid(name: String) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard let first = name.utf8.first, isAlphanumeric(first) else { return false }
    return name.utf8.count <= 100
      && name.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
  }

  /// A version as it is written: digits without a leading zero.
  private static func version(_ text: String) -> Int? {
    guard let version = Int(text), version > 0, version < Int.max, String(version) == text else {
      return nil
    }
    return version
  }
}
