import Millrace

/// `millrace completion`: a script that lets the shell complete commands, options and values.
struct CompletionCommand: Command {
  enum Shell: String, CaseIterable, Sendable { case bash, zsh, fish }

  static let shell = Option<Shell>(argument: "SHELL", .choice, help: "The shell.")

  let name = "completion"
  let summary = "Print a script that completes commands, options and values in a shell."
  let example = """
    source <(millrace completion bash)
    millrace completion fish > ~/.config/fish/completions/millrace.fish
    """
  let options: [any CommandOption] = [shell]
  let others: [any Command]

  func run(_ arguments: Arguments, on terminal: Terminal) throws(MillraceError) -> ExitStatus {
    let commands = CommandSet(others).commands
    let script =
      switch arguments[Self.shell] {
      case .bash: bashCompletion(commands)
      case .zsh: "autoload -Uz bashcompinit && bashcompinit\n" + bashCompletion(commands)
      case .fish: fishCompletion(commands)
      }
    try terminal.print(script)
    return .done
  }
}

/// For bash, and for zsh through its `bashcompinit`.
private func bashCompletion(_ commands: [any Command]) -> String {
  """
  _millrace() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words='' files=''
    if (( COMP_CWORD == 1 )); then
      words='\(commands.map(\.name).joined(separator: " ")) help'
    else
      case "${COMP_WORDS[1]}" in
  \(commands.map(bashCase).joined())    esac
    fi
    COMPREPLY=( $(compgen -W "$words" -- "$current") )
    if [[ $files ]]; then COMPREPLY+=( $(compgen -f -- "$current") ); fi
  }
  complete -o filenames -F _millrace millrace

  """
}

/// After an option its values; else the options after a dash; else what may stand by itself.
private func bashCase(_ command: any Command) -> String {
  let flags = command.allOptions.filter { !$0.isPositional }
  let values = flags.filter { $0.arity != .flag }.map { option in
    switch option.completion {
    case .choices(let choices):
      "          \(option.spelling)) words='\(choices.joined(separator: " "))' ;;\n"
    case .files: "          \(option.spelling)) files=1 ;;\n"
    case .none: "          \(option.spelling)) ;;\n"
    }
  }
  let arguments = command.options.filter(\.isPositional)
  let choices = arguments.flatMap { option in
    if case .choices(let choices) = option.completion { choices } else { [] as [String] }
  }
  let files = arguments.contains { $0.completion == .files } ? " files=1" : ""
  return """
          \(command.name))
            case "$previous" in
    \(values.joined())          *)
                if [[ $current == -* ]]; then
                  words='\(flags.map(\.spelling).joined(separator: " "))'
                else
                  words='\(choices.joined(separator: " "))'\(files)
                fi ;;
            esac ;;

    """
}

private func fishCompletion(_ commands: [any Command]) -> String {
  func quoted(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if character == "'" || character == "\\" { escaped.append("\\") }
      escaped.append(character)
    }
    return "'\(escaped)'"
  }
  var lines = ["complete -c millrace -f"]
  for command in commands {
    lines.append(
      "complete -c millrace -n __fish_use_subcommand -a \(command.name) -d "
        + quoted(command.summary))
    let condition = "complete -c millrace -n '__fish_seen_subcommand_from \(command.name)'"
    for option in command.allOptions {
      let flag = option.isPositional ? "" : " -l \(option.name) -d \(quoted(option.help))"
      let value =
        switch (option.completion, option.arity) {
        case (_, .flag): ""
        case (.choices(let choices), _): " -x -a \(quoted(choices.joined(separator: " ")))"
        case (.files, _): option.isPositional ? " -F" : " -r -F"
        case (.none, _): option.isPositional ? "" : " -x"
        }
      guard !flag.isEmpty || !value.isEmpty else { continue }
      lines.append(condition + flag + value)
    }
  }
  return lines.map { $0 + "\n" }.joined()
}
