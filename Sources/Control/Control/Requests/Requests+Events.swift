import API
import Metadata
import Records
import Units

// Events, read from the metadata service itself.
extension Requests {
    /// The newest `count`, the oldest first.
    public func events(newest count: Int) async throws -> EventList {
        let (list, _) = try await eventsAndRevision(newest: count)
        return EventList(events: list)
    }

    /// The newest `count`, and then every new one as it is written, until the task is cancelled.
    public func eventStream(
        newest count: Int
    ) -> AsyncThrowingStream<EventView, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let (list, revision) = try await eventsAndRevision(newest: count)
                    for event in list { continuation.yield(event) }
                    for try await batch in context.store.watch(
                        prefix: Keys.events, after: revision)
                    {
                        for case .put(let entry) in batch.changes {
                            continuation.yield(show(try Stored(decoding: entry)))
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: failure(error, of: "Follow events"))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func eventsAndRevision(
        newest count: Int
    ) async throws -> ([EventView], Revision) {
        do {
            let (stored, revision) = try await context.store.records(
                prefix: Keys.events, as: EventRecord.self)
            return (stored.suffix(count).map(show), revision)
        } catch {
            throw failure(error, of: "Read events")
        }
    }

    private func show(_ stored: Stored<EventRecord>) -> EventView {
        let event = stored.record
        let id = stored.entry.key.split(separator: "/").last.flatMap { UInt64($0) } ?? 0
        return EventView(
            id: id, time: event.time, category: event.category.rawValue, module: event.module,
            text: event.text, code: event.code, nodeid: event.node.short)
    }
}
