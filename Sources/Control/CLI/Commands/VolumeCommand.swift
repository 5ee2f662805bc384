import ArgumentParser

/// `cio volume`.
package struct VolumeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Replicated virtual disks.",
        discussion: example("cio volume create db -c 10 -l 3 -n v1", "cio volume ls"),
        subcommands: [
            VolumeCreate.self, VolumeList.self, VolumeInfo.self, VolumeAttach.self,
            VolumeDetach.self, VolumeMove.self, VolumeUpdate.self, VolumeRebuild.self, VolumeRemove.self,
        ])

    package init() {}
}
