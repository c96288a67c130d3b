internal import Glibc

/// Files that are there whole, or as they were before.
package enum DurableFile {
  /// What a file is called while it is being written: left behind by a crash, replaced by the next
  /// write.
  package static let partialSuffix = ".partial"

  /// Replaces a file: writes it aside, makes it durable, renames it, makes the rename durable.
  ///
  /// A crash at any moment leaves the old content or the new one. One writer at a time per path.
  ///
  /// - Throws: `system` when the disk is full or the directory cannot be written; the old content
  ///   stays.
  package static func write(_ parts: [UInt8]..., to path: String) throws(MillraceError) {
    let aside = path + partialSuffix
    do throws(MillraceError) {
      try create(aside, parts)
      guard rename(aside, path) == 0 else { throw MillraceError.system("cannot replace", path) }
    } catch {
      unlink(aside)
      throw error
    }
    try Directory.synchronize(Directory.parent(of: path))
  }

  /// Replaces a file like `write`; the directory is made where there is none.
  package static func writeMakingDirectory(_ text: String, to path: String) throws(MillraceError) {
    try Directory.create(Directory.parent(of: path))
    try write(Array(text.utf8), to: path)
  }

  /// Writes a file and makes its content, not yet its name, durable.
  package static func create(_ path: String, _ parts: [[UInt8]]) throws(MillraceError) {
    let file = try FileDescriptor(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    for part in parts { try file.write(part) }
    try file.synchronize()
  }

  /// Writes an archive as a file and makes its content, not yet its name, durable.
  static func create(_ path: String, _ archive: TensorArchive) throws(MillraceError) {
    let file = try FileDescriptor(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    try archive.withParts { (part) throws(MillraceError) in try file.write(part) }
    try file.synchronize()
  }

  /// A whole file.
  ///
  /// - Throws: `system` when it is missing, a directory, or cannot be read.
  package static func read(_ path: String) throws(MillraceError) -> [UInt8] {
    try FileDescriptor(path, flags: O_RDONLY).readToEnd()
  }
}

/// Directories and what is in them.
package enum Directory {
  /// Creates a directory, and those above it, where there is none; durable.
  ///
  /// - Throws: `system` when one cannot be created or is a file.
  package static func create(_ path: String) throws(MillraceError) {
    guard !exists(path) else { return }
    let parent = parent(of: path)
    try create(parent)
    guard mkdir(path, 0o755) == 0 || (errno == EEXIST && exists(path)) else {
      throw .system("cannot create directory", path)
    }
    try synchronize(parent)
  }

  /// Whether there is a directory at `path`.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a directory, sorted.
  ///
  /// - Throws: `system` when it is missing or cannot be read.
  package static func entries(_ path: String) throws(MillraceError) -> [String] {
    guard let stream = opendir(path) else { throw .system("cannot read directory", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Renames a directory to a name beside it; durable.
  ///
  /// - Throws: `system` when it cannot be renamed, as to one that is there.
  package static func move(_ path: String, to target: String) throws(MillraceError) {
    guard rename(path, target) == 0 else { throw .system("cannot create", target) }
    try synchronize(parent(of: target))
  }

  /// Removes a file.
  ///
  /// - Throws: `system` when it cannot be removed.
  package static func removeFile(_ path: String) throws(MillraceError) {
    guard unlink(path) == 0 else { throw .system("cannot remove", path) }
  }

  /// Removes a directory and the files in it.
  ///
  /// - Throws: `system` when something in it cannot be removed.
  package static func remove(_ path: String) throws(MillraceError) {
    for name in try entries(path) {
      try removeFile("\(path)/\(name)")
    }
    guard rmdir(path) == 0 else { throw .system("cannot remove", path) }
  }

  /// Removes a directory with all that is in it; of a symbolic link, the link.
  ///
  /// - Throws: `system` when something in it cannot be removed.
  static func removeTree(_ path: String) throws(MillraceError) {
    if unlink(path) == 0 { return }
    guard errno == EISDIR else { throw .system("cannot remove", path) }
    for name in try entries(path) { try removeTree("\(path)/\(name)") }
    guard rmdir(path) == 0 else { throw .system("cannot remove", path) }
  }

  /// Makes the names in a directory durable.
  ///
  /// - Throws: `system` when it cannot be opened or the disk refuses.
  package static func synchronize(_ path: String) throws(MillraceError) {
    try FileDescriptor(path, flags: O_RDONLY | O_DIRECTORY).synchronize()
  }

  /// The last part of a path.
  static func name(of path: String) -> String {
    let trimmed = path.reversed().drop { $0 == "/" }
    return String(trimmed.prefix { $0 != "/" }.reversed())
  }

  /// A path from the root without symbolic links; the part that is not there is left as it is.
  static func resolved(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    let parent = parent(of: path)
    return parent == path ? path : "\(resolved(parent))/\(name(of: path))"
  }

  /// The way to a path from a directory: `../models`. The same when both were moved together.
  static func relative(_ path: String, to directory: String) -> String {
    let target = resolved(path).split(separator: "/")
    let start = resolved(directory).split(separator: "/")
    let shared = zip(target, start).prefix { $0 == $1 }.count
    return (start.dropFirst(shared).map { _ in ".." } + target.dropFirst(shared))
      .joined(separator: "/")
  }

  static func parent(of path: String) -> String {
    let trimmed = path.reversed().drop { $0 == "/" }
    let parent = String(trimmed.drop { $0 != "/" }.drop { $0 == "/" }.reversed())
    if parent.isEmpty { return path.hasPrefix("/") ? "/" : "." }
    return parent
  }
}
