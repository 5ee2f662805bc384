import Foundation
import Glibc
import Testing

@testable import DockerPlugin

@Suite struct ListeningSocketTests {
    private let folder = NSTemporaryDirectory() + "/cio-ls-\(UUID().uuidString.prefix(8))"
    private var path: String { folder + "/plugins/cio.sock" }

    private func cleared(_ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body()
    }

    @Test func itIsItsOwnersAloneInFoldersThatAreMade() throws {
        try cleared {
            let made = try ListeningSocket.make(at: path)
            defer { close(made.descriptor) }
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(made.path == path)
        }
    }

    @Test func oneOfADeadProcessIsReplacedAndOneInUseIsNot() throws {
        try cleared {
            let first = try ListeningSocket.make(at: path)
            #expect(throws: ListeningSocket.Failure.self) { try ListeningSocket.make(at: path) }
            close(first.descriptor)
            let second = try ListeningSocket.make(at: path)
            close(second.descriptor)
        }
    }

    @Test func aPathThatNoSocketCanHaveIsRefused() {
        #expect(throws: ListeningSocket.Failure.self) {
            try ListeningSocket.make(at: "/" + String(repeating: "x", count: 200))
        }
    }

    /// As systemd leaves them: from a number on, one after the other.
    private func inherit(
        _ descriptors: [Int32], names: String? = nil, process: pid_t = getpid()
    ) -> ListeningSocket? {
        let first: Int32 = 700
        for (index, descriptor) in descriptors.enumerated() {
            #expect(dup2(descriptor, first + Int32(index)) >= 0)
        }
        defer { for index in descriptors.indices { close(first + Int32(index)) } }
        var environment = ["LISTEN_PID": "\(process)", "LISTEN_FDS": "\(descriptors.count)"]
        environment["LISTEN_FDNAMES"] = names
        return ListeningSocket.inherited(environment: environment, first: first)
    }

    @Test func theSocketAmongWhatIsHandedOverIsFound() throws {
        try cleared {
            let socket = try ListeningSocket.make(at: path)
            defer { close(socket.descriptor) }
            let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            #expect(inherit([socket.descriptor])?.descriptor == 700)
            #expect(inherit([file, socket.descriptor])?.descriptor == 701)
            #expect(inherit([file, socket.descriptor], names: "disk-vd1:docker")?.descriptor == 701)
            #expect(inherit([socket.descriptor], names: "cio-docker.socket")?.path == nil)
            #expect(inherit([socket.descriptor], names: "something else") == nil)
            #expect(inherit([file]) == nil)
            #expect(inherit([]) == nil)
            #expect(inherit([socket.descriptor], process: getpid() + 1) == nil)
            #expect(ListeningSocket.inherited(environment: [:]) == nil)
        }
    }
}

extension ListeningSocket: Equatable {
    public static func == (one: Self, other: Self) -> Bool {
        one.descriptor == other.descriptor && one.path == other.path
    }
}
