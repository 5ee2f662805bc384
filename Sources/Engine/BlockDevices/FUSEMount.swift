import CBlockDevices
import FUSEProtocol
import Glibc

/// A FUSE connection, mounted over a plain file: the file *is* the disk.
///
/// From `mount` on somebody must read the descriptor and answer (module FUSEProtocol), or
/// everything that touches the file waits. The connection lives as long as a descriptor of it
/// is open anywhere.
public struct FUSEMount: Sendable, Equatable {
    /// The connection's open /dev/fuse, non-blocking. Its owner closes it.
    public let descriptor: Int32
    public let path: String
    /// The connection's name under /sys/fs/fuse/connections.
    public let connection: UInt32

    /// What the mount table shows as the source of every disk of cio.
    public static let source = "cio"
    static let connections = "/sys/fs/fuse/connections"

    /// Mounts over `path`, an absolute path without links. The file is made if it is missing.
    /// Returns without waiting for the first answer.
    public static func mount(at path: String) throws(BlockDeviceError) -> FUSEMount {
        _ = try Descriptor(path, O_RDONLY | O_CREAT | O_NOFOLLOW, mode: 0o600).number
        let device = try Descriptor("/dev/fuse", O_RDWR | O_NONBLOCK)
        let options =
            "fd=\(device.number),rootmode=100000,user_id=0,group_id=0,allow_other,"
            + "max_read=\(FUSELimits.payloadBytesMax)"
        let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
        try Mounting.mount(source, at: path, type: "fuse", flags: flags, options: options)
        guard let entry = try MountTable.entry(at: path), entry.filesystem == "fuse" else {
            throw .mountVanished(path)
        }
        return FUSEMount(descriptor: device.take(), path: path, connection: entry.minor)
    }

    /// Reads the kernel's first request, which offers what it can do, and accepts what a disk
    /// needs. Before anybody else reads the descriptor.
    public func negotiate() throws(BlockDeviceError) -> FUSEAgreement {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.firstRequestBytesMax, alignment: 8)
        defer { bytes.deallocate() }
        var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&readable, 1, Self.firstRequestPatience) < 0, errno == EINTR {}
        let count = read(descriptor, bytes.baseAddress!, bytes.count)
        guard count > 0 else { throw .last("read the first request of", path) }
        let request = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        guard case .answer(let answer) = FUSERequest.parse(request, diskBytes: 0) else {
            throw .system(operation: "agree on", object: path, errno: EPROTO)
        }
        let length = FUSEReply.encode(answer, diskBytes: 0, into: bytes.baseAddress!)
        guard write(descriptor, bytes.baseAddress!, length) == length else {
            throw .last("answer the first request of", path)
        }
        // Where it is an error, the kernel is too old: it has just been told so.
        guard case .agreement(let agreement) = answer.content else {
            throw .system(operation: "agree on", object: path, errno: EPROTO)
        }
        return agreement
    }

    /// The kernel refuses to read requests into less than 8 KiB.
    private static let firstRequestBytesMax = 16 << 10
    /// In milliseconds. It is there already when `mount` returns.
    private static let firstRequestPatience: Int32 = 5_000

    /// Unmounts at once, in use or not. To be done after the loop device over it is detached:
    /// of an unmounted file the kernel only says "/", and nobody could tell whose device it is.
    public func unmountLazily() throws(BlockDeviceError) { try Mounting.unmountLazily(path) }

    /// Ends a connection: every request that waits, and every later one, fails. The one way
    /// out for processes that hang on a disk that nobody serves.
    public static func abort(connection: UInt32) throws(BlockDeviceError) {
        if KernelFile.names(in: connections).isEmpty {
            // Not mounted in containers and on small systems.
            try Mounting.mount("fusectl", at: connections, type: "fusectl")
        }
        let path = "\(connections)/\(connection)/abort"
        try Descriptor(path, O_WRONLY).write("1", to: path)
    }
}
