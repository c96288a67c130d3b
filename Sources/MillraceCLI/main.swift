import Millrace
internal import Glibc

let commands = CommandSet([ModelsCommand()])
exit(commands.run(Array(CommandLine.arguments.dropFirst())).rawValue)
