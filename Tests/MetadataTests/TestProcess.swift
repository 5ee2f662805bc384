import Foundation
import Synchronization
import Testing

/// A `metadata-test-process`: what it says, line by line, and the power over its life.
final class TestProcess: Sendable {
    private let process: Process
    let lines: AsyncStream<String>

    /// The test bundle and the program lie in the same folder.
    private static var program: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("metadata-test-process")
    }

    init(_ arguments: String...) throws {
        let output = Pipe()
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let data = output.fileHandleForReading.availableData
                if data.isEmpty { break }
                rest += data
                while let end = rest.firstIndex(of: 10) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            continuation.finish()
        }
    }

    /// A test that failed leaves nothing behind.
    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var id: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(id, number) }

    /// Everything it says until it ends. 0 is success, -9 a SIGKILL.
    func finish() async -> (lines: [String], status: Int32) {
        var all: [String] = []
        for await line in lines { all.append(line) }
        let status = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [process] in
                process.waitUntilExit()
                let status = process.terminationStatus
                let isExit = process.terminationReason == .exit
                continuation.resume(returning: isExit ? status : -status)
            }
        }
        return (all, status)
    }

    /// The first line for which `isWanted`; nil if the process ends before it.
    func line(where isWanted: (String) -> Bool) async -> String? {
        for await line in lines where isWanted(line) { return line }
        return nil
    }
}
