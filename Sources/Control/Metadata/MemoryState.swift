/// What a memory store holds: a value, which knows no clock and no task.
struct MemoryState: TransactionTarget, Sendable {
    private struct LeaseTime {
        var ttl: Duration
        var deadline: Duration
    }

    var revision = Revision.initial
    private(set) var history: MemoryHistory
    /// In the order of their keys' bytes.
    private var sorted: [(key: KeyBytes, entry: Entry)] = []
    private var leases: [LeaseID: LeaseTime] = [:]
    /// The time now, since some moment in the past.
    var now = Duration.zero

    init(limits: HistoryLimits) { history = MemoryHistory(limits: limits) }

    func entry(at key: String) -> Entry? {
        let key = KeyBytes(key)
        let index = firstIndex(from: key)
        guard index < sorted.count, sorted[index].key == key else { return nil }
        return sorted[index].entry
    }

    func entries(prefix: String) -> [Entry] {
        let prefix = KeyBytes(prefix)
        return sorted[firstIndex(from: prefix)...]
            .prefix { $0.key.hasPrefix(prefix) }
            .map(\.entry)
    }

    func entries(lease: LeaseID) -> [Entry] {
        sorted.compactMap { $0.entry.lease == lease ? $0.entry : nil }
    }

    mutating func put(_ entry: Entry) {
        let key = KeyBytes(entry.key)
        let index = firstIndex(from: key)
        if index < sorted.count, sorted[index].key == key {
            sorted[index].entry = entry
        } else {
            sorted.insert((key, entry), at: index)
        }
        history.append(.put(entry))
    }

    mutating func remove(_ entry: Entry, at revision: Revision) {
        sorted.remove(at: firstIndex(from: KeyBytes(entry.key)))
        history.append(.delete(key: entry.key, revision: revision))
    }

    mutating func trimHistory() { history.trim() }

    /// The index of the first entry whose key is not below `key`.
    private func firstIndex(from key: KeyBytes) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = low + (high - low) / 2
            if sorted[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension MemoryState {
    /// When the next lease runs out.
    var earliestDeadline: Duration? { leases.values.map(\.deadline).min() }

    func hasLease(_ lease: LeaseID) -> Bool { leases[lease] != nil }

    /// Those that ran out first come first.
    func expiredLeases() -> [LeaseID] {
        leases.filter { $0.value.deadline <= now }
            .sorted { ($0.value.deadline, $0.key.rawValue) < ($1.value.deadline, $1.key.rawValue) }
            .map(\.key)
    }

    mutating func removeLease(_ lease: LeaseID) { leases[lease] = nil }

    mutating func grant(_ lease: LeaseID, ttl: Duration) {
        leases[lease] = LeaseTime(ttl: ttl, deadline: now + ttl)
    }

    /// The lease's time, begun afresh; nil when there is no such lease.
    mutating func renew(_ lease: LeaseID) -> Duration? {
        guard let ttl = leases[lease]?.ttl else { return nil }
        leases[lease]?.deadline = now + ttl
        return ttl
    }
}
