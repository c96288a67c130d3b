import Foundation
import Millrace
import MillraceCLI
import Testing

/// Everything that follows from the table names every option.
@Suite struct `Help, completion and manual` {
  @Test func `the help shows each option, what is allowed and the default`() {
    let help = ExampleCommand().helpText
    for option in ExampleCommand().allOptions { #expect(help.contains("  \(option.usage)")) }
    #expect(help.contains("usage: millrace example DATA [OUTPUT] --label COL [options]\n"))
    #expect(help.contains("The seed of everything random. Default: 1.\n"))
    #expect(help.contains("Default: 100ms.") && help.contains("Default: 10000."))
    #expect(help.contains("The column to learn. Required."))
    #expect(help.contains("The learner. One of auto, sgd,"))
    #expect(help.contains("example:\n  millrace example data.csv --label class\n"))
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= 90 })
  }

  @Test func `text is filled to a width`() {
    #expect(wrapped("aa bb cc dd", width: 9, indent: 4) == "aa bb\n    cc dd")
    #expect(wrapped("a-very-long-word b", width: 9, indent: 4) == "a-very-long-word\n    b")
    #expect(wrapped("", width: 9, indent: 4) == "")
  }

  @Test func `a table has columns as wide as their widest cell`() {
    #expect(table([["a", "b"], ["long", ""], ["x"]]) == "a     b\nlong\nx")
  }

  @Test(arguments: [
    ("millrace mod", ["models"]),
    ("millrace models --l", ["--log-format", "--log-level"]),
    ("millrace models --log-format ", ["json", "text"]),
    ("millrace models pro", ["promote"]),
    ("millrace completion f", ["fish"]),
  ])
  func `bash completes commands, options and values`(line: String, completions: [String]) throws {
    // The script's own function, asked as bash asks it.
    let words = line.split(separator: " ", omittingEmptySubsequences: false).joined(
      separator: "' '")
    let script = """
      source <("$0" completion bash)
      COMP_WORDS=('\(words)') COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _millrace && printf '%s\\n' "${COMPREPLY[@]}"
      """
    let result = try run("/bin/bash", "-c", script, millrace)
    #expect(result.output.split(separator: "\n").map(String.init).sorted() == completions)
  }

  @Test func `each shell has its script and the manual its sections`() throws {
    let fish = try run(millrace, "completion", "fish").output
    #expect(fish.contains("-n '__fish_seen_subcommand_from models' -l store "))
    #expect(fish.contains(" -x -a 'list show promote rollback verify delete'\n"))
    let zsh = try run(millrace, "completion", "zsh").output
    #expect(zsh.hasPrefix("autoload -Uz bashcompinit && bashcompinit\n_millrace() {"))
    let manual = try run(millrace, "manual").output
    #expect(manual.contains(".SS millrace models ACTION [MODEL] [options]\n"))
    #expect(manual.contains(".B \\-\\-store DIR\n"))
  }
}
