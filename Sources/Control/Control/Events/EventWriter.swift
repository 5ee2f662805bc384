import FoundationEssentials
import Logging
import Metadata
import Records
import Units

/// Writes this node's events into the metadata service, in order, and to the log.
///
/// While the service is away they wait; when too many wait, the newest are only logged.
actor EventWriter {
    private let store: any MetadataStore
    private let node: NodeID
    private let retry: Duration
    private let logger: Logger
    private var queue: [EventRecord] = []
    private var writer: Task<Void, Never>?

    init(store: any MetadataStore, node: NodeID, retry: Duration, logger: Logger) {
        self.store = store
        self.node = node
        self.retry = retry
        self.logger = logger
    }

    func write(_ code: EventCode, _ text: String) {
        logger.log(level: code.level, "event: \(text)", metadata: ["code": "\(code.rawValue)"])
        guard queue.count < ControlLimits.eventsQueuedMax else { return }
        queue.append(EventRecord(
            time: Date().timeIntervalSince1970, category: code.category, module: code.module,
            text: text, code: code.rawValue, node: node))
        if writer == nil { writer = Task { await drain() } }
    }

    /// Waits until everything is written, or the time is over.
    func flush(atMost limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while writer != nil, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private func drain() async {
        while !queue.isEmpty, !Task.isCancelled {
            let batch = Array(queue.prefix(ControlLimits.eventsAtOnce))
            do throws(MetadataError) {
                try await append(batch)
                queue.removeFirst(batch.count)
            } catch {
                if error.kind == .closed { break }
                logger.warning("events wait: \(error)")
                try? await Task.sleep(for: retry)
            }
        }
        writer = nil
    }

    /// Takes the next ids and puts the events under them, in one transaction. (A lost reply leads
    /// to events that stand there twice, which harms nobody.)
    private func append(_ batch: [EventRecord]) async throws(MetadataError) {
        while true {
            let next: Stored<UInt64>? = try await store.record(Keys.nextEvent)
            let first = next?.record ?? 1
            var operations: [Transaction.Operation] = []
            for (index, event) in batch.enumerated() {
                operations.append(try .put(Keys.event(first + UInt64(index)), record: event))
            }
            let end = first + UInt64(batch.count)
            operations.append(try .put(Keys.nextEvent, record: end))
            let result = try await store.transaction(Transaction(
                if: [.unchanged(Keys.nextEvent, since: next?.entry)], then: operations))
            guard result.succeeded else { continue }
            try await trim(from: first, to: end)
            return
        }
    }

    /// Whoever passes a multiple of `eventsTrimmed` removes the oldest that many.
    private func trim(from first: UInt64, to end: UInt64) async throws(MetadataError) {
        let step = ControlLimits.eventsTrimmed
        let multiple = end / step * step
        guard multiple > first, multiple > ControlLimits.eventsMax + step else { return }
        let newest = multiple - ControlLimits.eventsMax
        let keys = (newest - step..<newest).map { Transaction.Operation.delete(Keys.event($0)) }
        _ = try await store.transaction(Transaction(then: keys))
    }
}

extension EventCode {
    fileprivate var level: Logger.Level {
        switch category {
        case .info: .info
        case .warning: .warning
        case .alert: .error
        }
    }
}
