import DriveFormat
import Foundation
import Replication
import Units

@testable import DriveStore

/// A directory of its own for a test, gone with it.
final class Scratch {
    /// Of a filesystem that does direct I/O; another one than /tmp's can be named.
    private static let root = ProcessInfo.processInfo.environment["CIO_TEST_DIRECTORY"] ?? "/tmp"

    let path: String

    init() {
        var template = Array((Scratch.root + "/cio-drive-test-XXXXXX").utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The directory as it is now: what a process that dies here leaves behind.
    func copy() throws -> Scratch {
        let copy = Scratch()
        try FileManager.default.removeItem(atPath: copy.path)
        try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        return copy
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    var names: [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: path).sorted()) ?? []
    }
}

enum Sample {
    static let identity = DriveIdentity(cluster: id(1), drive: id(2))
    static let volume = id(3)
    static let replica = id(4)
    /// Two pages of the checksum table and a bit; the last region is short.
    static let size: UInt64 = 9 << 20 | 8192
    static let expectation = ReplicaExpectation(
        cluster: id(1), volume: volume, replica: replica, sizeBytes: size)

    static func id(_ byte: UInt64) -> Identifier {
        Identifier(high: byte * 0x0101_0101_0101_0101, low: byte)
    }

    /// A drive with an empty replica on it.
    static func drive(at scratch: Scratch, size: UInt64 = size) throws -> Drive {
        let drive = try Drive.create(at: scratch.path + "/drive", identity)
        try drive.create(volume: volume, replica: replica, sizeBytes: size)
        return drive
    }

    /// Waits while it is in use: a process that another test starts keeps every lock of this one
    /// until it has closed what it inherited.
    static func open(_ drive: Drive, size: UInt64 = size) throws(DriveError) -> OpenReplica {
        while true {
            do throws(DriveError) {
                return try tryToOpen(drive, size: size)
            } catch {
                guard case .inUse = error else { throw error }
                sched_yield()
            }
        }
    }

    static func tryToOpen(_ drive: Drive, size: UInt64 = size) throws(DriveError) -> OpenReplica {
        var wanted = expectation
        wanted.sizeBytes = size
        return try ReplicaFiles.open(drive.directory(of: volume), expecting: wanted)
    }
}

func driveError<Value: ~Copyable>(_ body: () throws(DriveError) -> Value) -> DriveError? {
    do throws(DriveError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// Makes the next slot of the state durable, as the engine does.
/// - Returns: where in the file it went.
@discardableResult
func putState(
    _ state: ReplicaState, checksummed: Stamp? = nil, to files: inout ReplicaFiles
) -> UInt64 {
    let memory = AlignedMemory(count: 4096)
    let offset = files.encodeState(state, checksummed: checksummed, to: memory.bytes)
    guard pwrite(files.state, memory.bytes, 4096, off_t(offset)) == 4096 else {
        fatalError("pwrite: \(String(cString: strerror(errno)))")
    }
    return offset
}

/// Writes as the engine does: aligned, whole, through the replica's own descriptor.
func put(_ descriptor: Int32, at offset: UInt64, _ fill: (UnsafeMutableRawPointer) -> Void) {
    let memory = AlignedMemory(count: 4096)
    fill(memory.bytes)
    guard pwrite(descriptor, memory.bytes, 4096, off_t(offset)) == 4096 else {
        fatalError("pwrite: \(String(cString: strerror(errno)))")
    }
}
