import Control
import Glibc

/// This machine.
struct LinuxHost: PluginHost {
    let docker: DockerEngine

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    func prepare(_ folder: String) async throws {
        let failure: Failure? = await Blocking.run {
            // Docker gives it the owner and mode of the image's folder, when it is empty.
            if mkdir(folder, 0o755) == 0 {
                return chmod(folder, 0o755) == 0 ? nil : Self.failure("set the mode of", folder)
            }
            guard errno == EEXIST else { return Self.failure("make", folder) }
            var status = stat()
            guard lstat(folder, &status) == 0 else { return Self.failure("look at", folder) }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                return Failure(description: "\(folder) is no folder")
            }
            return nil
        }
        if let failure { throw failure }
    }

    private static func failure(_ operation: String, _ path: String) -> Failure {
        Failure(description: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }

    func holders(of volumes: [VolumeStanding]) async -> [String: Set<String>] {
        await Blocking.run {
            var ids: [ContainerMounts.Device: String] = [:]
            for volume in volumes {
                guard let device = volume.mountPoint.flatMap(ContainerMounts.mounted)
                    ?? volume.device.flatMap(ContainerMounts.device)
                else { continue }
                ids[device] = volume.id
            }
            guard !ids.isEmpty else { return [:] }
            let found = ContainerMounts.holders(ofFolder: "/" + Plugin.folder, on: Set(ids.keys))
            return Dictionary(uniqueKeysWithValues: found.map { (ids[$0.key]!, $0.value) })
        }
    }

    func listedVolumes() async -> Set<String>? { await docker.volumesInUse() }

    var enginePath: String { docker.socketPath }

    func engineSign() async -> EngineSign { docker.sign() }

    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
