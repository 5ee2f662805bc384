import FoundationEssentials
import Metadata
import Synchronization

/// What is written into a slot: which run of the store, which of its operations, which branch.
struct OperationMark: Equatable, Sendable {
    enum Branch: String { case then, otherwise }

    /// Of this run of the store, random.
    let instance: UInt64
    /// Counts the run's operations; 0 is taking the slots.
    let number: UInt64

    func value(_ branch: Branch) -> Data {
        Data("\(String(instance, radix: 16)) \(number) \(branch.rawValue)".utf8)
    }

    /// Nil for what no store has written.
    static func read(_ value: Data) -> (mark: OperationMark, branch: Branch)? {
        let parts = String(decoding: value, as: UTF8.self).split(separator: " ")
        guard parts.count == 3, let instance = UInt64(parts[0], radix: 16),
            let number = UInt64(parts[1]), let branch = Branch(rawValue: String(parts[2]))
        else { return nil }
        return (OperationMark(instance: instance, number: number), branch)
    }
}

/// A key by which one transaction at a time is made to happen once; see `GuardedTransaction`.
struct OperationSlot: Equatable, Sendable {
    let key: Data
    /// At which it was written last, as far as is known.
    var revision: Revision

    /// The slots of one client lie together, above every key that is text.
    static func prefix(client: String) -> Data { [0xFF] + Data("cio/operations/\(client)/".utf8) }

    static func key(client: String, _ index: Int) -> Data {
        prefix(client: client) + Data("\(index)".utf8)
    }
}

/// The slots of a store, lent one by one in the order in which they are asked for.
///
/// They are few and stay for good, under the client's name, so that nothing has to be cleared up
/// after a crash. Taking them at the start also puts an end to what an earlier run of the same
/// client may still have under way.
final class OperationSlots: Sendable {
    private struct State {
        var free: [OperationSlot]
        /// The first is the next; a queue, short as long as etcd answers.
        var waiters: [CheckedContinuation<OperationSlot, Never>] = []
        var number: UInt64 = 0
    }

    let instance: UInt64
    private let state: Mutex<State>

    init(instance: UInt64, _ slots: [OperationSlot]) {
        self.instance = instance
        state = Mutex(State(free: slots))
    }

    func newMark() -> OperationMark {
        state.withLock { state in
            state.number += 1
            return OperationMark(instance: instance, number: state.number)
        }
    }

    /// `giveBack` has to follow.
    func take() async -> OperationSlot {
        await withCheckedContinuation { continuation in
            let slot = state.withLock { state -> OperationSlot? in
                if let slot = state.free.popLast() { return slot }
                state.waiters.append(continuation)
                return nil
            }
            if let slot { continuation.resume(returning: slot) }
        }
    }

    func giveBack(_ slot: OperationSlot) {
        let waiter = state.withLock { state -> CheckedContinuation<OperationSlot, Never>? in
            guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
            state.free.append(slot)
            return nil
        }
        waiter?.resume(returning: slot)
    }
}
