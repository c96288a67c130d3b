import Millrace

/// Lines filled up to a width, each but the first after an indentation.
package func wrapped(_ text: String, width: Int, indent: Int) -> String {
  var lines = [""]
  for word in text.split(separator: " ") {
    let last = lines[lines.count - 1]
    if last.isEmpty {
      lines[lines.count - 1] = String(word)
    } else if last.count + 1 + word.count <= width - indent {
      lines[lines.count - 1] += " \(word)"
    } else {
      lines.append(String(word))
    }
  }
  return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
}

extension CommandOption {
  /// The help with what is allowed and the default.
  package var fullHelp: String {
    var text = help
    if case .choices(let choices) = completion {
      text += " One of \(choices.joined(separator: ", "))."
    }
    if let defaultText { text += " Default: \(defaultText)." }
    if isRequired, !isPositional { text += " Required." }
    return text
  }
}

extension Command {
  /// `millrace train DATA --label COL [options]`.
  package var usage: String {
    let parts = options.filter { $0.isPositional || $0.isRequired }
      .map { $0.isRequired ? $0.usage : "[\($0.usage)]" }
    return (["millrace", name] + parts + ["[options]"]).joined(separator: " ")
  }

  /// What `--help` shows.
  package var helpText: String {
    var text = "\(wrapped(summary, width: helpWidth, indent: 0))\n\nusage: \(usage)\n"
    let (arguments, flags) = (options.filter(\.isPositional), options.filter { !$0.isPositional })
    text += section("arguments", arguments)
    text += section("options", flags)
    text += section("options of every command", CommonOptions.all)
    text += "\nexample:\n"
    for line in example.split(separator: "\n") { text += "  \(line)\n" }
    return text
  }

  private func section(_ title: String, _ options: [any CommandOption]) -> String {
    guard !options.isEmpty else { return "" }
    let column = 28
    return options.reduce("\n\(title):\n") { text, option in
      let left = "  \(option.usage)"
      let gap =
        left.count + 2 <= column
        ? String(repeating: " ", count: column - left.count)
        : "\n" + String(repeating: " ", count: column)
      return text + left + gap + wrapped(option.fullHelp, width: helpWidth, indent: column) + "\n"
    }
  }
}

private let helpWidth = 90

extension CommandSet {
  /// What `millrace --help` shows.
  package var overview: String {
    let width = commands.map(\.name.count).max() ?? 0
    let lines = commands.map { command in
      let padding = String(repeating: " ", count: width + 2 - command.name.count)
      return "  \(command.name)\(padding)\(command.summary)\n"
    }
    return """
      Millrace \(Millrace.version) learns from a log: it scores each record, learns from it, \
      watches for
      drift, and swaps the better model in while it is being served.

      usage: millrace COMMAND [options]

      commands:
      \(lines.joined())
      'millrace COMMAND --help' tells what a command can be told, with an example.

      """
  }
}

/// Rows in columns as wide as their widest cell.
package func table(_ rows: [[String]]) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
  }
  return rows.map { row in
    var line = ""
    for (cell, width) in zip(row, widths) {
      line += cell + String(repeating: " ", count: width - cell.count + 2)
    }
    while line.last == " " { line.removeLast() }
    return line
  }.joined(separator: "\n")
}
