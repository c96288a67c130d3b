internal import Glibc

/// The files of a job and what it does with each, so that none is both read and written, or
/// written twice.
///
/// Files are told apart by device and inode: another path, a symbolic or a hard link is the same
/// file. One that is not there yet is known by the directory it would be in.
package struct FileUses {
  /// What is done with a file.
  package enum Use: Sendable {
    /// It is read; a directory's partitions are.
    case read
    /// It is overwritten or appended to; a directory's partitions are.
    case written
    /// It is a model store, whose models' folders are nobody else's.
    case store
  }

  private struct File {
    let name: String
    let path: String
    let use: Use
    /// The file; for a directory its partitions too.
    var places: Set<Place> = []
    /// For a directory, where it is.
    var directory: Place?
    /// For what is named like a partition, the directory in which it would be one.
    var siblings: Place?
  }

  /// Where a path leads: the nearest that there is, and how the path goes on from there.
  private struct Place: Hashable {
    var identity: FileStatus.Identity
    var rest = ""

    /// `nil` for a device or a pipe, which many may use.
    init?(_ path: String) {
      if path == "-" { return nil }
      var (path, names) = (path, [String]())
      while true {
        if let status = FileStatus(path: path) {
          guard status.isRegular || status.isDirectory else { return nil }
          identity = status.identity
          rest = names.reversed().joined(separator: "/")
          return
        }
        let parent = Directory.parent(of: path)
        guard parent != path else { return nil }
        names.append(Directory.name(of: path))
        path = parent
      }
    }

    /// The file that standard input or output was redirected to.
    init?(descriptor: Int32) {
      guard let file = try? FileDescriptor(duplicating: descriptor, "-"),
        let status = try? file.status(), status.isRegular
      else { return nil }
      identity = status.identity
    }
  }

  private var files: [File] = []

  /// No files.
  package init() {}

  /// Notes a file.
  ///
  /// - Parameters:
  ///   - path: a file, a directory of partitions, or `-` for standard input or output.
  ///   - name: what it is called in messages: `--predictions`.
  package mutating func add(_ use: Use, _ path: String, as name: String) {
    var file = File(name: name, path: path, use: use)
    if path == "-" {
      let standard = Place(descriptor: use == .read ? STDIN_FILENO : STDOUT_FILENO)
      file.places.formUnion([standard].compactMap(\.self))
    } else if !path.contains("://"), let place = Place(path) {
      file.places.insert(place)
      let isDirectory = Directory.exists(path)
      if isDirectory || path.hasSuffix("/") { file.directory = place }
      let partitions = isDirectory ? (try? PartitionFile.list(in: path)) ?? [] : []
      file.places.formUnion(partitions.compactMap { Place($0.path) })
      let parent = Directory.parent(of: path)
      if PartitionFile(Directory.name(of: path), in: parent) != nil {
        file.siblings = Place(parent)
      }
    }
    files.append(file)
  }

  /// Checks what was noted; nothing is opened.
  ///
  /// - Throws: `configuration` with the file that would be written, and what else it is.
  package func check() throws(MillraceError) {
    for (index, output) in files.enumerated() where output.use == .written {
      for (other, file) in files.enumerated() where other != index {
        switch file.use {
        case .store:
          guard !Self.isInModel(output, of: file) else {
            throw .setting(
              output.name, output.path,
              expected: "a file outside the models in \(file.name) '\(file.path)'")
          }
        case .read, .written:
          guard !Self.share(output, file) else {
            let use = file.use == .read ? "read" : "written too"
            throw .setting(
              output.name, output.path,
              expected: "another file than \(file.name) '\(file.path)', which is \(use)")
          }
        }
      }
    }
  }

  /// Whether two are one file, or one has the other for a partition. Standard output may take the
  /// lines of several sinks.
  private static func share(_ output: File, _ other: File) -> Bool {
    if output.path == "-", other.path == "-", other.use == .written { return false }
    return !output.places.isDisjoint(with: other.places)
      || output.siblings != nil && output.siblings == other.directory
      || other.siblings != nil && other.siblings == output.directory
  }

  /// Whether a path leads into the folder of a model.
  private static func isInModel(_ output: File, of store: File) -> Bool {
    guard let place = store.places.first, output.path != "-" else { return false }
    var folder = Directory.parent(of: output.path)
    while folder != "." && folder != "/" {
      folder = Directory.parent(of: folder)
      if Place(folder) == place { return true }
    }
    return false
  }
}
