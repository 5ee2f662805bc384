import Foundation

/// Finds out which process holds a store's write lock, so that an error can name it.
///
/// The kernel's list of locks tells. Opening the file to ask with F_GETLK would not do: closing it
/// again would give up all POSIX locks that this process has on it.
enum LockHolder {
    /// SQLite's write lock in WAL mode: one byte of the -shm file, see os_unix.c
    /// (`UNIX_SHM_BASE`, (22 + SQLITE_SHM_NLOCK) * 4) and wal.c (`WAL_WRITE_LOCK`, 0).
    private static let writeLockByte = "120"

    /// ": process 12 (ciod, stopped)", or nothing when it cannot be told.
    static func describe(of path: String) -> String {
        guard let process = find(path) else { return "" }
        let name = read("/proc/\(process)/comm") ?? "unknown"
        let isStopped = read("/proc/\(process)/status")?.contains("State:\tT") ?? false
        return ": process \(process) (\(name)\(isStopped ? ", stopped" : ""))"
    }

    private static func find(_ path: String) -> Int32? {
        var file = stat()
        guard stat(path + "-shm", &file) == 0, let locks = read("/proc/locks") else { return nil }
        for line in locks.split(separator: "\n") {
            // 1: POSIX ADVISORY WRITE <pid> <major>:<minor>:<inode> <first> <last>, see proc(5)
            let fields = line.split(separator: " ")
            guard fields.count >= 8, fields[3] == "WRITE", fields[6] == writeLockByte,
                fields[5].hasSuffix(":\(file.st_ino)")
            else { continue }
            return Int32(fields[4])
        }
        return nil
    }

    private static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines)
        }
    }
}
