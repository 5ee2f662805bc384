import Glibc

/// Directories: what is in them, and changes that are durable when they return.
enum Folder {
    /// Makes it, durably, unless it is there.
    static func make(_ path: String) throws(DriveError) {
        guard mkdir(path, 0o700) == 0 else {
            if errno == EEXIST { return }
            throw .last("mkdir", path)
        }
        try sync(parent(of: path))
    }

    static func sync(_ path: String) throws(DriveError) {
        try File(path, O_RDONLY | O_DIRECTORY).sync()
    }

    /// Durable when it returns; both lie in the same folder.
    static func rename(_ old: String, to new: String) throws(DriveError) {
        guard Glibc.rename(old, new) == 0 else { throw .last("rename to \(new)", old) }
        try sync(parent(of: new))
    }

    static func exists(_ path: String) throws(DriveError) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        if errno == ENOENT { return false }
        throw .last("stat", path)
    }

    /// The names in it, sorted.
    static func names(in path: String) throws(DriveError) -> [String] {
        guard let stream = opendir(path) else { throw .last("open", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .last("read", path) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes a folder of files, as far as an earlier try has left it; durably.
    static func remove(_ path: String) throws(DriveError) {
        for name in try names(in: path) {
            let file = path + "/" + name
            guard unlink(file) == 0 || errno == ENOENT else { throw .last("unlink", file) }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .last("rmdir", path) }
        try sync(parent(of: path))
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
