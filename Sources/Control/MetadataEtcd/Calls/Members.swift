import Metadata
import Synchronization

/// The endpoints of one etcd cluster: which one is asked now, and what is known of the others.
final class Members: Sendable {
    private struct State {
        var current = 0
        /// The cluster that answered first. Another one at any endpoint is a mistake, or was put
        /// in its place while we looked away.
        var cluster: UInt64?
        /// The highest term of a leader that was heard of.
        var term: UInt64 = 0
        var heard: [ContinuousClock.Instant?]
        var failures: [Revision]
        /// Those that have said that they are an etcd that we can use.
        var known: Set<Int> = []
    }

    let endpoints: [EtcdEndpoint]
    private let state: Mutex<State>
    /// By endpoint: the count of its failures, so that watches can move away.
    private let signals: [RevisionSignal]

    init(_ endpoints: [EtcdEndpoint]) {
        self.endpoints = endpoints
        state = Mutex(State(
            heard: endpoints.map { _ in nil }, failures: endpoints.map { _ in .zero }))
        signals = endpoints.map { _ in RevisionSignal(latest: .zero) }
    }

    var current: Int { state.withLock { $0.current } }

    func isKnown(_ index: Int) -> Bool { state.withLock { $0.known.contains(index) } }
    func setKnown(_ index: Int) { state.withLock { _ = $0.known.insert(index) } }

    /// When the endpoint last answered.
    func lastHeard(_ index: Int) -> ContinuousClock.Instant? {
        state.withLock { $0.heard[index] }
    }

    /// Takes note of an answer. A failure if it must not be believed: it comes from another
    /// cluster, or (where that matters) from one who has not heard of the newest leader.
    func accept(
        _ header: ResponseHeader, from index: Int, onlyNewestTerm: Bool
    ) throws(AttemptFailure) {
        let (cluster, term) = (header.cluster?.value ?? 0, header.term?.value ?? 0)
        let failure = state.withLock { state -> AttemptFailure? in
            let expected = state.cluster ?? cluster
            state.cluster = expected
            guard cluster == expected else {
                return AttemptFailure(
                    reason: "another etcd cluster answers there"
                        + " (\(String(cluster, radix: 16)), not \(String(expected, radix: 16)))",
                    mayHaveArrived: false, isForeign: true)
            }
            if onlyNewestTerm, term < state.term {
                return AttemptFailure(
                    reason: "it has not heard of the leader yet", mayHaveArrived: true)
            }
            state.term = max(state.term, term)
            state.heard[index] = .now
            return nil
        }
        if let failure { throw failure }
    }

    /// The endpoint cannot be used now: the next one is asked, and watches leave it.
    func failed(_ index: Int) {
        let count = state.withLock { state in
            if state.current == index { state.current = (index + 1) % endpoints.count }
            state.failures[index] = state.failures[index].next
            return state.failures[index]
        }
        signals[index].advance(to: count)
    }

    /// The endpoint did what others could not: it is asked first from now on.
    func prefer(_ index: Int) { state.withLock { $0.current = index } }

    /// To be given to `waitForFailure`.
    func failures(of index: Int) -> Revision { state.withLock { $0.failures[index] } }

    /// Returns when the endpoint has failed since, `close` was called, the task is cancelled, or
    /// without a reason.
    func waitForFailure(of index: Int, past seen: Revision) async {
        await signals[index].wait(past: seen)
    }

    /// Ends all waiting.
    func close() { for signal in signals { signal.close() } }
}
