import Glibc
import Synchronization
import Testing

@testable import Ring

@Suite struct EngineThreadTests {
    @Test func joiningWaitsForTheFunction() throws {
        let done = Mutex(false)
        let waker = try Waker()
        func run() throws {
            let thread = try EngineThread(name: "test") {
                waker.wait()
                done.withLock { $0 = true }
            }
            #expect(!done.withLock { $0 })
            waker.wake()
            thread.join()
            #expect(done.withLock { $0 })
            thread.join()
        }
        try run()
    }

    @Test func theThreadHasItsNameCutToFifteenBytes() throws {
        let name = Mutex("")
        let thread = try EngineThread(name: "cio-engine-number-1") {
            let file = open("/proc/thread-self/comm", O_RDONLY)
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(file, &bytes, 64)
            close(file)
            name.withLock { $0 = String(decoding: bytes.prefix(max(count - 1, 0)), as: UTF8.self) }
        }
        thread.join()
        #expect(name.withLock { $0 } == "cio-engine-numb")
    }
}
