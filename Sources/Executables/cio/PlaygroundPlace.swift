import API
import ArgumentParser
import BlockDevices
import Glibc
import Playground

/// Where a playground lies.
struct PlaygroundPlace: ParsableArguments {
    @Option(help: "The folder of the playground.")
    var dir = "/var/lib/cio-playground"

    func validate() throws {
        guard !dir.isEmpty else { throw ValidationError("--dir needs a folder") }
    }

    func open() throws -> Playground {
        guard geteuid() == 0 else {
            throw APIError(
                what: "Open the playground in \(dir)", why: "it mounts devices, which needs root",
                next: "run it as root")
        }
        return Playground(
            folder: dir, program: try Self.neighbour("ciod"),
            clearDevices: { folder in
                guard access(folder, F_OK) == 0 else { return [] }
                do { return try Leftovers.find(under: folder).clear().map { "\($0)" } } catch {
                    return ["\(error)"]
                }
            },
            findMounts: { folder in
                guard access(folder, F_OK) == 0, let found = try? Leftovers.find(under: folder)
                else { return [] }
                return found.filesystems + found.disks.map(\.path)
            },
            releaseMountPoints: { MountPoint.release(in: $0).map { "\($0)" } })
    }

    /// A program beside this one: of the same build.
    private static func neighbour(_ name: String) throws -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw APIError(what: "Find \(name)", why: String(cString: strerror(errno)))
        }
        defer { free(path) }
        let own = String(cString: path)
        let program = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/\(name)"
        guard access(String(program), X_OK) == 0 else {
            throw APIError(
                what: "Find \(name)", why: "there is no \(program)",
                next: "build it: scripts/build")
        }
        return String(program)
    }
}
