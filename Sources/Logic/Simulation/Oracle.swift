/// What clients may see: per sector, the writes whose value it may hold now.
///
/// A write under way, or one whose owner died, may have happened or not; once a read or a later
/// acknowledged write has settled it, it stays so. Where every replica of a recorded in-sync set
/// has lost power, writes that no flush covers may be gone: what they had replaced may come back.
struct Oracle {
    private struct Entry {
        /// The number of the write.
        let write: Int
        /// What a read sees of it: its number, or 0 where it wrote zeros.
        let value: SectorValue
        let submittedAt: UInt64
        let session: Int
        /// When it was acknowledged or given up; nil while it is under way.
        var endedAt: UInt64?
        /// When it stopped being possible; nil while it is.
        var removedAt: UInt64?
        /// When the write that took its place was asked for: if that one is lost, this is back.
        var replacedBy: UInt64 = 0
    }

    /// Per sector, in the order of submission.
    private var histories: [[Entry]]

    /// Every replica of a recorded in-sync set has lost power at or after this moment.
    private var horizon: UInt64 = 0

    init(sectors: Int) {
        histories = Array(
            repeating: [Entry(write: 0, value: 0, submittedAt: 0, session: 0, endedAt: 0, removedAt: nil)], count: sectors)
    }

    mutating func submitted(_ write: Int, _ value: SectorValue, at sectors: [Int], session: Int, now: UInt64) {
        for sector in sectors {
            histories[sector].append(
                Entry(
                    write: write, value: value, submittedAt: now,
                    session: session, endedAt: nil, removedAt: nil))
        }
    }

    mutating func acknowledged(_ write: Int, at sectors: [Int], now: UInt64) {
        for sector in sectors {
            guard let index = position(of: write, in: sector) else { continue }
            histories[sector][index].endedAt = now
            let write = histories[sector][index]
            // The replicas had it before they lost power; only the answer came after.
            if write.submittedAt < horizon { continue }
            for other in histories[sector].indices where other != index {
                let entry = histories[sector][other]
                guard entry.removedAt == nil, let ended = entry.endedAt else { continue }
                // Of two owners' writes at the same time nobody can tell the order.
                guard ended <= write.submittedAt || (entry.session == write.session && other < index)
                else { continue }
                histories[sector][other].removedAt = now
                histories[sector][other].replacedBy = write.submittedAt
            }
        }
    }

    /// It failed, or its owner ended: it may have happened.
    mutating func abandoned(_ write: Int, at sectors: [Int], now: UInt64) {
        for sector in sectors {
            guard let index = position(of: write, in: sector) else { continue }
            histories[sector][index].endedAt = now
        }
    }

    private func position(of write: Int, in sector: Int) -> Int? {
        histories[sector].lastIndex { $0.write == write }
    }

    /// - Returns: what is wrong with a read that saw this value; nil if nothing is.
    mutating func read(
        _ value: SectorValue, at sector: Int, askedAt asked: UInt64, now: UInt64
    ) -> String? {
        guard
            // Of several writes of zeros the first: what follows it may still come.
            let seen = histories[sector].firstIndex(where: {
                $0.value == value && $0.removedAt == nil
            })
        else {
            let known = histories[sector].contains { $0.value == value }
            return known
                ? "an older value came back: write \(value), possible are \(possible(sector))"
                : "a value that was never written, or is long gone: \(value), possible are \(possible(sector))"
        }
        for index in histories[sector].indices where index != seen {
            let entry = histories[sector][index]
            // It may have come, or still come, after this read.
            if entry.endedAt.map({ $0 > asked }) ?? true { continue }
            // Of equal values nobody can tell which was seen.
            if entry.value == value { continue }
            if entry.removedAt == nil {
                histories[sector][index].removedAt = now
                histories[sector][index].replacedBy = histories[sector][seen].submittedAt
            }
        }
        return nil
    }

    func possible(_ sector: Int) -> [SectorValue] {
        histories[sector].filter { $0.removedAt == nil }.map(\.value)
    }

    /// A flush that was asked for at `asked` is acknowledged: what was replaced before it stays so.
    mutating func flushed(askedAt asked: UInt64) {
        for sector in histories.indices {
            histories[sector].removeAll { $0.removedAt.map { $0 < asked } ?? false }
        }
    }

    /// A write with forced unit access is acknowledged: what it replaced does not come back.
    mutating func durable(_ write: Int, at sectors: [Int]) {
        for sector in sectors {
            guard let index = position(of: write, in: sector) else { continue }
            for older in (0..<index).reversed() where histories[sector][older].removedAt != nil {
                histories[sector].remove(at: older)
            }
        }
    }

    /// Writes asked for before `time` that no flush covers may be gone.
    mutating func mayLose(before time: UInt64) {
        horizon = max(horizon, time)
        for sector in histories.indices {
            for index in histories[sector].indices {
                if histories[sector][index].replacedBy < time {
                    histories[sector][index].removedAt = nil
                }
            }
        }
    }
}
