import BlockDevices
import Foundation
import Glibc
import Testing

/// What the tests of real devices need: root, FUSE and loop devices.
let canMakeDevices =
    geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
    && access("/dev/loop-control", R_OK | W_OK) == 0

/// The tests of real devices. One at a time: they mount, and some of them let the disk under a
/// filesystem die.
@Suite(
    .serialized,
    .enabled(if: canMakeDevices, "needs root, /dev/fuse and /dev/loop-control"))
struct DeviceTests {}

/// A folder of one test, in which nothing is left at the end.
final class Scratch {
    let folder: String

    init() {
        // Of the test run, which clears what a killed one has left there.
        let parent = FileManager.default.temporaryDirectory.path
        var template = Array("\(parent)/cio-devices-XXXXXX".utf8CString)
        let made = mkdtemp(&template)!
        folder = String(cString: realpath(made, nil))
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    deinit {
        if let left = try? Leftovers.find(under: folder) {
            for failure in left.clear() { print("left behind: \(failure)") }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Bytes that are neither zeros nor alike.
func noise(_ count: Int) -> [UInt8] {
    var value: UInt64 = 0x9e37_79b9_7f4a_7c15
    return (0..<count).map { _ in
        value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: value >> 56)
    }
}

/// Writes a file and makes it durable.
func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(file >= 0, "open \(path): \(errno)")
    defer { close(file) }
    try #require(write(file, bytes, bytes.count) == bytes.count)
    try #require(fsync(file) == 0)
}

/// Makes what happened in a folder durable.
func syncFolder(_ path: String) throws {
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    try #require(folder >= 0)
    defer { close(folder) }
    try #require(fsync(folder) == 0)
}

func readFile(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
