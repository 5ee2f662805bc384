import Records
import Units
import WireFormat

@testable import Replication

/// A replica of 64 regions and its drive, led by hand.
final class ReplicaScript {
    static let timing = Timing()

    var machine: ReplicaMachine
    var now = Instant(nanoseconds: 1_000_000_000_000)
    var replies: [ReplicaReply] = []
    var greeted: [LinkID] = []
    var closed: [LinkID] = []
    /// What the drive has been asked for and has not done.
    var pages: [Int] = []
    var states: [ReplicaState] = []
    var performing: [ReplicaSlot] = []

    var isIntact: Bool { machine.isIntact }
    var isFaulty: Bool { machine.isFaulty }
    var durable: ReplicaState { machine.durable }
    func stamp(_ region: UInt64) -> Stamp { machine.map[region] }

    init(state: ReplicaState = ReplicaState(), boot: UInt64 = 1) {
        machine = ReplicaMachine(
            state: state, map: RegionMap(regionCount: 64), boot: Identifier(high: 0, low: boot),
            timing: Self.timing, now: now)
    }

    func ask(_ request: ReplicaRequest, by owner: UInt64? = nil, on link: LinkID) {
        if let owner {
            machine.connected(link, instance: Identifier(high: 1, low: owner), now: now)
        }
        _ = machine.received(request, on: link, now: now)
        drain()
    }

    /// A promise to its end.
    func promise(_ epoch: Epoch, by owner: UInt64, on link: LinkID) {
        ask(ReplicaRequest(.promise, id: 1, epoch: epoch), by: owner, on: link)
        writeStates()
    }

    func pass(_ span: Span) {
        now = now + span
        machine.tick(now: now)
        drain()
    }

    func writeStates() {
        while !states.isEmpty {
            machine.stateWritten(states.removeFirst(), isDurable: true, now: now)
            drain()
        }
    }

    func writePages() {
        while !pages.isEmpty {
            machine.pageWritten(pages.removeFirst(), isDurable: true, now: now)
            drain()
        }
    }

    func performAll() {
        while !performing.isEmpty {
            machine.performed(performing.removeFirst(), .ok, now: now)
            drain()
        }
    }

    func drain() {
        while let action = machine.actions.next() {
            switch action {
            case .answerHello(let link): greeted.append(link)
            case .closeLink(let link): closed.append(link)
            case .writeState(let state): states.append(state)
            case .writePage(let page): pages.append(page)
            case .perform(let slot): performing.append(slot)
            case .reply(_, let reply, _): replies.append(reply)
            case .wake: break
            }
        }
    }
}
