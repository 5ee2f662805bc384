import Glibc
import Testing

@testable import BlockDevices

@Suite struct ToolTests {
    @Test func successIsSilent() throws {
        try Tool.run("true", [])
    }

    @Test func failuresTellStatusAndOutput() {
        #expect(
            throws: BlockDeviceError.tool(
                command: "sh -c echo one; echo two >&2; exit 7", status: .exited(7),
                output: "one\ntwo\n")
        ) { try Tool.run("sh", ["-c", "echo one; echo two >&2; exit 7"]) }
        #expect(
            throws: BlockDeviceError.tool(
                command: "sh -c kill -9 $$", status: .killed(signal: 9), output: "")
        ) { try Tool.run("sh", ["-c", "kill -9 $$"]) }
        #expect(throws: BlockDeviceError.missingTool("no-such-tool")) {
            try Tool.run("no-such-tool", [])
        }
    }

    @Test func onlyTheEndOfTheOutputIsKept() {
        do {
            try Tool.run("sh", ["-c", "yes | head -c 100000; echo end; exit 1"])
            Issue.record("exit status 1 went unseen")
        } catch .tool(_, _, let output) {
            #expect(output.utf8.count == Tool.outputBytesMax)
            #expect(output.hasSuffix("end\n"))
        } catch {
            Issue.record(error)
        }
    }

    @Test func inputIsEmptyAndNothingIsInherited() throws {
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        try Tool.run("sh", ["-c", "test -z \"$(cat)\" && test ! -e /proc/self/fd/\(file)"])
    }

    @Test func errorsReadWell() {
        #expect(
            BlockDeviceError.system(operation: "open", object: "/x", errno: ENOENT).description
                == "open /x: No such file or directory")
        #expect(
            BlockDeviceError.tool(command: "mkfs", status: .exited(1), output: "no").description
                == "mkfs: exit status 1: no")
    }
}
