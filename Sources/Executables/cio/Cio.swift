import ArgumentParser
import CLI
import Glibc

/// `cio`: the one command for people and scripts.
@main
struct Cio: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cio",
        abstract: "Replicated virtual disks that follow the container that uses them.",
        discussion: """
            It asks the ciod of this machine, or the one whose socket CIO_HOST names.

            Example:
              cio playground up
              eval "$(cio playground env v1)"
              cio volume create db -c 10 -l 3
              cio volume attach db --mount
              cio volume ls
            """,
        subcommands: [
            NodeCommand.self, VolumeCommand.self, ProfileCommand.self, EventsCommand.self, InfoCommand.self,
            PlaygroundCommand.self, VersionCommand.self,
        ])

    static func main() async {
        Glibc.exit(await CommandRunner.run(Cio.self, Array(CommandLine.arguments.dropFirst())))
    }
}
