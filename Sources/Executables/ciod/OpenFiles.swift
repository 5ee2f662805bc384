import Glibc

/// Who has a file open.
enum OpenFiles {
    /// Whether a mount holds the block device, or a process has it open.
    static func hold(_ device: String) -> Bool {
        let file = open(device, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK)
        if file < 0 { return errno == EBUSY }
        close(file)
        return names(in: "/proc").contains { process in
            guard Int(process) != nil else { return false }
            let folder = "/proc/\(process)/fd"
            return names(in: folder).contains { target(of: "\(folder)/\($0)") == device }
        }
    }

    /// A process may end while it is looked at.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }

    private static func target(of link: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { buffer in
            readlink(link, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
