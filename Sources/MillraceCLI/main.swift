internal import Glibc

let commands = CommandSet([
  TrainCommand(), RunCommand(), ReplayCommand(), PredictCommand(), DriftCommand(), ModelsCommand(),
  GenerateCommand(), DemoCommand(),
])
exit(commands.run(Array(CommandLine.arguments.dropFirst())).rawValue)
