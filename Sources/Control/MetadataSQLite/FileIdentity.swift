import Foundation
import Metadata

/// Which file a path leads to. When a store's file is moved, deleted or exchanged under a process
/// that uses it, that process would go on alone, and two owners of one volume could arise: each
/// access checks that the path still leads to the file that was opened.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    /// Nil when there is no such file. Does not open it: closing it again would give up every POSIX
    /// lock that this process has on it, those of SQLite included.
    init?(path: String) {
        var file = stat()
        guard stat(path, &file) == 0 else { return nil }
        device = UInt64(file.st_dev)
        inode = UInt64(file.st_ino)
    }

    static func checkUnchanged(
        _ identity: FileIdentity, _ context: OperationContext
    ) throws(MetadataError) {
        guard FileIdentity(path: context.path) != identity else { return }
        throw context.make(
            .replaced, "\(context.path) was moved, deleted or exchanged while it was in use",
            "put it back, or restart every ciod on this machine")
    }
}

/// Makes the file of a new store, for its owner only; SQLite gives its -wal and -shm the same mode.
/// Does nothing when the file exists.
func createStoreFile(_ context: OperationContext) throws(MetadataError) {
    let file = open(context.path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard file >= 0 else {
        // SQLite finds out, and says, what is wrong with a file that exists.
        if errno == EEXIST { return }
        throw context.make(
            errno == ENOSPC ? .full : .cannotOpen,
            "\(context.path): \(String(cString: strerror(errno)))",
            "check that the folder exists, has room, and that this user may write to it")
    }
    // No SQLite in this process can have locked a file that did not exist.
    close(file)
    try synchronizeFolder(of: context)
}

/// Makes the file's name as durable as its contents will be.
private func synchronizeFolder(of context: OperationContext) throws(MetadataError) {
    let folder = URL(fileURLWithPath: context.path).deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, fsync(descriptor) == 0 else {
        throw context.make(
            .ioFailed, "fsync \(folder): \(String(cString: strerror(errno)))",
            "look for disk errors in the kernel's log")
    }
}
