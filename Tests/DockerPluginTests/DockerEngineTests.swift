import Foundation
import Testing

@testable import DockerPlugin

@Suite struct DockerEngineTests {
    /// `GET /containers/json?all=1` of Docker 20.10, shortened.
    @Test func volumesOfContainersThatRunAreInUse() throws {
        let list = """
            [{"Id":"1","State":"running","Mounts":[
                {"Type":"volume","Name":"db","Source":"/x","Driver":"cio","RW":true},
                {"Type":"volume","Name":"local","Source":"/y","Driver":"local"},
                {"Type":"bind","Source":"/etc","Destination":"/etc"}]},
             {"Id":"2","State":"exited","Mounts":[{"Type":"volume","Name":"old","Driver":"cio"}]},
             {"Id":"3","State":"created","Mounts":[{"Type":"volume","Name":"new","Driver":"cio"}]},
             {"Id":"4","State":"restarting","Mounts":[{"Name":"web","Driver":"cio"}]},
             {"Id":"5","State":"paused","Mounts":[{"Name":"log","Driver":"cio"}]},
             {"Id":"6","State":"dead"}]
            """
        #expect(try DockerEngine.volumes(in: Data(list.utf8)) == ["db", "web", "log"])
    }

    @Test func whoListensIsThere() throws {
        let path = NSTemporaryDirectory() + "/cio-engine-\(UUID().uuidString.prefix(8)).sock"
        let engine = DockerEngine(socketPath: path)
        #expect(engine.sign() == .absent)
        let socket = try ListeningSocket.make(at: path)
        #expect(engine.sign() == .there)
        close(socket.descriptor)
        // The file stays behind, as after a kill.
        #expect(engine.sign() == .absent)
        unlink(path)
        #expect(DockerEngine(socketPath: "/" + String(repeating: "x", count: 200)).sign() == .unclear)
    }

    @Test func whereThereIsNoDockerNothingIsKnown() async {
        #expect(await DockerEngine(socketPath: "/nowhere/docker.sock").volumesInUse() == nil)
    }
}
