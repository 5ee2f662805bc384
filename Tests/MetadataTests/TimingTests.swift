import Synchronization
import Testing

@testable import MetadataEtcd

@Suite struct TimingTests {
    @Test func whatIsInTimeIsReturned() async {
        #expect(await within(.seconds(60)) { 7 } == 7)
    }

    /// Somebody else's code may be deaf: a call has its bound all the same.
    @Test func whoDoesNotHearOfTheEndIsNotWaitedFor() async {
        let waiting = Mutex<CheckedContinuation<Void, Never>?>(nil)
        let answer = await within(.milliseconds(10)) {
            await withCheckedContinuation { continuation in
                waiting.withLock { $0 = continuation }
            }
        }
        #expect(answer == nil)
        while waiting.withLock({ $0 == nil }) { await Task.yield() }
        waiting.withLock { $0?.resume() }
    }

    @Test func whoIsCancelledGetsNothing() async {
        let (starts, started) = AsyncStream<Void>.makeStream()
        let task = Task {
            await within(.seconds(60)) {
                started.yield()
                try? await Task.sleep(for: .seconds(60))
            }
        }
        for await _ in starts { break }
        task.cancel()
        #expect(await task.value == nil)
    }
}
