import Millrace

/// `millrace manual`: the manual page, made from the same table as the help.
struct ManualCommand: Command {
  let name = "manual"
  let summary = "Print the manual page."
  let example = "millrace manual | man -l -"
  let options: [any CommandOption] = []
  let others: [any Command]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    try terminal.print(manualPage(CommandSet(others).commands))
    return .done
  }
}

private func manualPage(_ commands: [any Command]) -> String {
  var page = """
    .TH MILLRACE 1 "" "millrace \(Millrace.version)"
    .SH NAME
    millrace \\- learn from a log
    .SH SYNOPSIS
    .B millrace
    .I COMMAND
    [options]
    .SH COMMANDS

    """
  for command in commands {
    page += ".SS \(escaped(command.usage))\n\(escaped(command.summary))\n"
    page += command.options.map(entry).joined()
    page += ".PP\nExample:\n.PP\n.EX\n"
    page += command.example.split(separator: "\n").map { "\(escaped(String($0)))\n" }.joined()
    page += ".EE\n"
  }
  page += ".SH OPTIONS OF EVERY COMMAND\n" + CommonOptions.all.map(entry).joined()
  page += """
    .SH EXIT STATUS
    0 when done; 1 when the job failed; 2 when the command line or the configuration is wrong;
    3 when too many records were bad; 4 when there is drift and \\-\\-fail\\-on\\-drift was given.

    """
  return page
}

private func entry(_ option: any CommandOption) -> String {
  ".TP\n.B \(escaped(option.usage))\n\(escaped(option.fullHelp))\n"
}

/// Text as roff shows it: no escapes, no requests, dashes that can be copied.
private func escaped(_ text: String) -> String {
  var result = text.first == "." || text.first == "'" ? "\\&" : ""
  for character in text {
    switch character {
    case "\\": result += "\\e"
    case "-": result += "\\-"
    default: result.append(character)
    }
  }
  return result
}
