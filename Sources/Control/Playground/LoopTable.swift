import FoundationEssentials

/// Loop devices, as /sys tells them, without touching any.
enum LoopTable {
    private static let folder = "/sys/block"

    /// The names of those over a file below a folder.
    ///
    /// The kernel tells the file's path as long as it is mounted in some namespace; of a file
    /// whose mount namespace is gone it only says `/`.
    static func below(_ path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { name in
            name.hasPrefix("loop") && backingPath(name)?.hasPrefix(path + "/") ?? false
        }.sorted()
    }

    /// Whether it is attached to anything.
    static func isAttached(_ name: String) -> Bool { backingPath(name) != nil }

    private static func backingPath(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(folder)/\(name)/loop/backing_file")
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
