import Metadata
import Testing

struct RevisionSignalTests {
    @Test func waitingEndsWhenTheRevisionIsReached() async {
        let signal = RevisionSignal(latest: .zero)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { await signal.wait(past: .zero) } }
            signal.advance(to: .initial)
        }
        // What is already past does not wait.
        await signal.wait(past: .zero)
    }

    @Test func cancellationEndsWaiting() async {
        let signal = RevisionSignal(latest: .zero)
        for _ in 0..<100 {
            let waiting = Task { await signal.wait(past: .initial) }
            waiting.cancel()
            await waiting.value
        }
    }

    @Test func closingEndsWaitingForGood() async {
        let signal = RevisionSignal(latest: .zero)
        async let waiting: Void = signal.wait(past: .initial)
        signal.close()
        await waiting
        await signal.wait(past: .initial)
        #expect(signal.isClosed)
    }
}
