import Synchronization

/// Lets watches sleep until the store has a revision that they have not seen.
public final class RevisionSignal: Sendable {
    private struct State {
        var latest: Revision
        var isClosed = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var waitersEver: UInt64 = 0
    }

    private let state: Mutex<State>

    public init(latest: Revision) {
        state = Mutex(State(latest: latest))
    }

    public var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Says that the store has reached `revision`. A lower one than before is ignored.
    public func advance(to revision: Revision) {
        wake { state in
            guard revision > state.latest else { return false }
            state.latest = revision
            return true
        }
    }

    /// Sends every watch to look for itself: after a failure, each finds its own.
    public func wakeAll() {
        wake { _ in true }
    }

    /// Ends all waiting, now and in the future.
    public func close() {
        wake { state in
            state.isClosed = true
            return true
        }
    }

    /// Returns when the latest revision is above `seen`, the signal is closed, the task is
    /// cancelled, or without a reason.
    public func wait(past seen: Revision) async {
        let ticket = state.withLock { state in
            state.waitersEver += 1
            return state.waitersEver
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // A cancellation handler that has already run found no continuation to resume.
                    guard !state.isClosed, state.latest <= seen, !Task.isCancelled else {
                        return false
                    }
                    state.waiters[ticket] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    private func wake(if change: (inout State) -> Bool) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard change(&state) else { return [] }
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in woken { waiter.resume() }
    }
}
