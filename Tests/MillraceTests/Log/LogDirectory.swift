import FoundationEssentials
import Glibc

/// A new directory for logs, removed when it goes.
final class LogDirectory: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID())").path()
    mkdir(path, 0o700)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in it.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Appends to a file, which is made if need be.
  func append(_ text: String, to name: String) { append(Array(text.utf8), to: name) }

  func append(_ bytes: [UInt8], to name: String) {
    let descriptor = open(file(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    precondition(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  /// A file's content; empty where there is none.
  func content(_ name: String) -> String {
    guard let file = fopen(file(name), "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
