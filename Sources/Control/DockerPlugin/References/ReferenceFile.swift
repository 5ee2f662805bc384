import FoundationEssentials
import Glibc

/// Keeps the references in the node's state folder: durable before Docker hears of a change.
struct ReferenceFile: Sendable {
    let path: String

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Those of this boot, and what an earlier one left to do. A file that cannot be read is put
    /// aside and told: what is really in use is found out from the mounts.
    func load(boot: String, told: (String) -> Void) -> ReferenceSet {
        let empty = ReferenceSet(boot: boot)
        guard let data = FileManager.default.contents(atPath: path) else { return empty }
        guard let set = try? JSONDecoder().decode(ReferenceSet.self, from: data) else {
            let aside = path + ".unreadable"
            rename(path, aside)
            told("\(path) cannot be read and is now \(aside); references are found anew")
            return empty
        }
        return set.boot == boot ? set : set.afterReboot(boot: boot)
    }

    /// Writes beside it, syncs, renames, and syncs the folder: after a crash it is the old one or
    /// the new one.
    func save(_ set: ReferenceSet) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        guard let data = try? encoder.encode(set) else {
            throw Failure(description: "references cannot be written as JSON")
        }
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("make", new) }
        defer { close(file) }
        let bytes = Array(data)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0,
            rename(new, path) == 0
        else { throw failure("write", path) }
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", parent) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync", parent) }
    }

    private func failure(_ operation: String, _ object: String) -> Failure {
        Failure(description: "cannot \(operation) \(object): \(String(cString: strerror(errno)))")
    }
}
