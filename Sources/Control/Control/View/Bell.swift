import Synchronization

/// Wakes one loop. Rings while it is busy are kept, as one.
final class Bell: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { continuation.yield() }

    /// Rings after a while; for steps that are to be tried again.
    func ring(after delay: Duration) {
        Task { [weak self] in
            try? await Task.sleep(for: delay)
            self?.ring()
        }
    }

    /// Calls `step` for every ring, one after the other, until the task is cancelled.
    func forEachRing(
        isolation: isolated (any Actor)? = #isolation, _ step: () async -> Void
    ) async {
        var rings = stream.makeAsyncIterator()
        while await rings.next(isolation: isolation) != nil {
            if Task.isCancelled { return }
            await step()
        }
    }
}
