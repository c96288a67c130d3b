internal import Glibc
package import Millrace
internal import Synchronization

/// Where a command's output goes: results to standard output; messages and the progress line to
/// standard error.
package final class Terminal: Sendable {
  /// Messages for people.
  package let logger: Logger
  /// Whether `--json` was given: the last line of standard output is then one JSON object.
  package let wantsJSON: Bool
  /// What was typed, without the folder of the program.
  package let commandLine = ["millrace"] + CommandLine.arguments.dropFirst()
  private let progressLine: ProgressLine?

  /// A terminal as the command line asks for.
  package init(_ arguments: Arguments) {
    wantsJSON = arguments[CommonOptions.json]
    let showsProgress = !arguments[CommonOptions.quiet] && isatty(STDERR_FILENO) == 1
    let progressLine = showsProgress ? ProgressLine() : nil
    self.progressLine = progressLine
    logger = Logger(
      level: arguments[CommonOptions.logLevel], format: arguments[CommonOptions.logFormat]
    ) { line in
      progressLine?.erase()
      Terminal.writeError(line)
    }
  }

  /// Writes to standard output.
  ///
  /// - Throws: `system` when it does not get there.
  package func print(_ text: String) throws(MillraceError) {
    progressLine?.erase()
    try Terminal.write(text.hasSuffix("\n") ? text : text + "\n")
  }

  /// Writes the result: as one line of JSON with `--json`, else as `text` says it.
  ///
  /// - Throws: `system` when it does not get there.
  package func report(
    _ result: some Encodable, text: () -> String
  ) throws(MillraceError) {
    guard wantsJSON else { return try print(text()) }
    try print(String(decoding: JSONCoding.encodeForOthers(result), as: UTF8.self))
  }

  /// Shows how far the work is, in the place of what was shown before; at most ten times a second,
  /// and not at all where nobody looks.
  package func progress(_ text: @autoclosure () -> String) { progressLine?.show(text) }

  /// Removes the progress line.
  package func endProgress() { progressLine?.erase() }

  /// Straight to the file: nothing is lost when the process ends, and lines stay whole.
  static func write(_ text: String) throws(MillraceError) {
    try FileDescriptor(duplicating: STDOUT_FILENO, "standard output").write(Array(text.utf8))
  }

  /// Where messages cannot be written, there is nobody left to be told.
  static func writeError(_ text: String) {
    try? FileDescriptor(duplicating: STDERR_FILENO, "standard error").write(Array(text.utf8))
  }
}

/// The line at the bottom of the terminal that is written over again and again.
private final class ProgressLine: Sendable {
  private struct State {
    var isShown = false
    var nextTime = ContinuousClock.now
  }

  private let state = Mutex(State())
  private static let interval = Duration.milliseconds(100)
  private static let eraseLine = "\r\u{1B}[K"

  func show(_ text: () -> String) {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now >= state.nextTime else { return }
      state.nextTime = now + Self.interval
      state.isShown = true
      Terminal.writeError(Self.eraseLine + text().prefix(Self.columns))
    }
  }

  func erase() {
    state.withLock { state in
      if state.isShown { Terminal.writeError(Self.eraseLine) }
      state.isShown = false
    }
  }

  /// A longer line would wrap, and only its last part be written over.
  private static var columns: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
      ? Int(size.ws_col) - 1 : 79
  }
}
