import Logging
import Metadata
import Records
import Synchronization
import Units

/// Keeps a `RecordsView` up to date, and rings the bells of whoever decides by it.
final class ViewBoard: Sendable {
    private struct State {
        var view = RecordsView()
        var bells: [Bell] = []
        /// Views published so far. (The store's own revision goes back when it is restored.)
        var published = Revision.zero
    }

    private let state = Mutex(State())
    private let signal = RevisionSignal(latest: .zero)
    private let store: any MetadataStore
    private let logger: Logger
    private let retry: Duration
    /// Everything of cio but its events, which nothing is decided by.
    private static let prefix = "cio/"

    init(store: any MetadataStore, retry: Duration, logger: Logger) {
        self.store = store
        self.retry = retry
        self.logger = logger
    }

    var view: RecordsView { state.withLock { $0.view } }

    private var latest: (view: RecordsView, published: Revision) {
        state.withLock { ($0.view, $0.published) }
    }

    func add(_ bell: Bell) { state.withLock { $0.bells.append(bell) } }
    func remove(_ bell: Bell) { state.withLock { $0.bells.removeAll { $0 === bell } } }

    /// Waits until the view holds what was written in a revision.
    func wait(for revision: Revision) async {
        while !Task.isCancelled, !signal.isClosed {
            let latest = latest
            if latest.view.revision >= revision { return }
            await signal.wait(past: latest.published)
        }
    }

    /// Waits for a view in which `condition` gives something, until the time is over.
    func wait<Value: Sendable>(
        atMost limit: Duration, _ condition: (RecordsView) throws -> Value?
    ) async throws -> Value? {
        let deadline = ContinuousClock.now + limit
        let alarm = Task { [signal] in
            try? await Task.sleep(until: deadline)
            // Again and again: a waiter may be just about to go to sleep.
            while !Task.isCancelled {
                signal.wakeAll()
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { alarm.cancel() }
        while true {
            let latest = latest
            if let value = try condition(latest.view) { return value }
            guard ContinuousClock.now < deadline, !Task.isCancelled, !signal.isClosed
            else { return nil }
            await signal.wait(past: latest.published)
        }
    }

    /// Follows the store until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(MetadataError) {
                try await follow()
                return
            } catch {
                logger.warning("the cluster's records cannot be read: \(error)")
            }
            try? await Task.sleep(for: retry)
        }
        signal.close()
    }

    /// Reads everything, then takes over changes; ends when the store is closed.
    private func follow() async throws(MetadataError) {
        let snapshot = try await store.range(prefix: Self.prefix)
        var view = RecordsView()
        for entry in snapshot.entries { take(.put(entry), into: &view) }
        publish(view, at: snapshot.revision)
        var batches = store.watch(prefix: Self.prefix, after: snapshot.revision)
            .makeAsyncIterator()
        while let batch = try await batches.next() {
            for change in batch.changes { take(change, into: &view) }
            publish(view, at: batch.revision)
        }
    }

    private func take(_ change: Change, into view: inout RecordsView) {
        if let error = view.apply(change) { logger.error("a record is left out: \(error)") }
    }

    private func publish(_ view: RecordsView, at revision: Revision) {
        let (bells, published) = state.withLock { state in
            state.view = view
            state.view.revision = revision
            state.published = state.published.next
            return (state.bells, state.published)
        }
        signal.advance(to: published)
        for bell in bells { bell.ring() }
    }
}
