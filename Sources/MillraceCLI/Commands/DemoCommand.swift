import Millrace

/// `millrace demo`: the main job on a stream whose truth is known.
struct DemoCommand: Command {
  static let directory = Option(
    "directory", "DIR", .path, default: "demo", help: "Where everything goes.")

  let name = "demo"
  let summary = "Follow a drifting log, find the drift, retrain, swap, and leave a report."
  let example = "millrace demo"
  let options: [any CommandOption] = [directory]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    StopRequest.listen()
    let demonstration = Demonstration(directory: arguments[Self.directory])
    try demonstration.run(
      shouldStop: { StopRequest.isMade }, progress: { terminal.progress($0.line) }
    ) { (sight) throws(MillraceError) in
      switch sight {
      case .stream(let rows, let driftRow, let path):
        try terminal.print(
          "\(path): \(rows) records; the truth changes at row \(driftRow). Writing them to"
            + " \(demonstration.directory)/events/ while a model follows …")
      case .finished(let result, let reportPath):
        terminal.endProgress()
        if terminal.wantsJSON { terminal.logger.log(.info, "look at \(reportPath)") }
        try terminal.report(result) { "\(result.text)\n\nLook at \(reportPath)" }
      }
    }
    return .done
  }
}
