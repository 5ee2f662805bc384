import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// An owner of a small volume, with replicas and a metadata service that do what a test tells them.
///
/// Replica N lies on node N, the owner on node 1. Time stands still unless it is passed.
final class OwnerScript {
    static let timing = Timing()

    var machine: OwnerMachine
    var now = Instant(nanoseconds: 1_000_000_000_000)
    /// What has been sent and not answered, in order.
    private(set) var sent: [(peer: PeerIndex, request: ReplicaRequest, slot: OwnerSlot?)] = []
    private(set) var completed: [UInt64: ClientStatus] = [:]
    private(set) var notices: [OwnerNotice] = []
    private(set) var opening: [PeerIndex] = []
    private(set) var end: OwnerEnd?
    private(set) var proposals = 0

    init(copies: Int, epoch: Epoch = 4, stale: Set<Int> = []) {
        let replicas = (1...copies).map { number in
            ReplicaRecord(
                id: Self.replica(number), node: Identifier(high: 1, low: UInt64(number)),
                drive: Identifier(high: 2, low: UInt64(number)),
                state: stale.contains(number) ? .stale : .inSync)
        }
        let record = VolumeConfiguration(
            volume: Identifier(high: 9, low: 9), epoch: epoch, owner: nil, released: true,
            nonce: .zero, replicas: replicas)
        machine = OwnerMachine(
            recorded: record, node: Identifier(high: 1, low: 1),
            instance: Identifier(high: 3, low: 3), sizeBytes: 16 * Geometry.regionBytes,
            timing: Self.timing, now: now)
        drain()
    }

    static func replica(_ number: Int) -> ReplicaID { Identifier(high: 4, low: UInt64(number)) }

    var isServing: Bool { machine.isServing }
    var change: ConfigurationChange? { machine.change }
    var recorded: VolumeConfiguration { machine.recorded }
    var epoch: Epoch { machine.currentEpoch }

    // MARK: The metadata service

    func record(_ answer: ChangeAnswer = .recorded) {
        machine.configurationAnswered(answer, now: now)
        drain()
    }

    // MARK: Replicas, by their number from 1 on

    func greet(_ number: Int, boot: UInt64 = 1) {
        machine.linkUp(
            number - 1, incarnation: Identifier(high: boot, low: UInt64(number)),
            boot: Identifier(high: 7, low: boot), now: now)
        opening.removeAll { $0 == number - 1 }
        drain()
    }

    func cut(_ number: Int) {
        machine.linkDown(number - 1, now: now)
        sent.removeAll { $0.peer == number - 1 }
        drain()
    }

    /// Answers the oldest request of this kind that the replica was sent.
    func answer(
        _ number: Int, _ kind: RequestKind, _ status: ReplyStatus = .ok,
        holding: Holding = Holding(intact: true, sameBoot: true), epoch: Epoch? = nil
    ) {
        guard let index = sent.firstIndex(where: { $0.peer == number - 1 && $0.request.kind == kind })
        else {
            Issue.record("replica \(number) was sent no \(kind)")
            return
        }
        let request = sent.remove(at: index).request
        let reply = ReplicaReply(
            kind, id: request.id, status: status, epoch: epoch ?? request.epoch, holding: holding)
        machine.replied(number - 1, reply, now: now)
        drain()
    }

    /// Answers the oldest list request with these regions, all of them.
    func answerList(_ number: Int, _ entries: [RegionEntry] = []) {
        guard let index = sent.firstIndex(where: { $0.peer == number - 1 && $0.request.kind == .list })
        else {
            Issue.record("replica \(number) was sent no list")
            return
        }
        let reply = ReplicaReply(
            .list, id: sent.remove(at: index).request.id, status: .ok, epoch: machine.currentEpoch,
            nextRegion: ReplicaReply.listEnd)
        entries.withUnsafeBufferPointer {
            machine.listed(number - 1, reply, entries: $0, now: now)
        }
        drain()
    }

    func asked(_ number: Int) -> [RequestKind] {
        sent.filter { $0.peer == number - 1 }.map(\.request.kind)
    }

    // MARK: Clients

    func submit(_ request: ClientRequest, _ token: UInt64) {
        #expect(machine.submit(request, token: token, now: now) != nil)
        drain()
    }

    func write(_ token: UInt64, region: UInt64 = 0) {
        submit(
            .write(
                ByteRange(offset: region * Geometry.regionBytes, length: 4096),
                forceUnitAccess: false), token)
    }

    func command(_ body: (inout OwnerMachine, Instant) -> Bool) -> Bool {
        defer { drain() }
        return body(&machine, now)
    }

    func pass(_ span: Span) {
        now = now + span
        machine.tick(now: now)
        drain()
    }

    // MARK: Beginnings

    /// To where it serves, with every in-sync replica empty, intact and told that it is whole.
    func serve() {
        record()
        let numbers = opening.map { $0 + 1 }
        for number in numbers { greet(number) }
        for number in numbers { answer(number, .promise) }
        while let list = sent.first(where: { $0.request.kind == .list }) { answerList(list.peer + 1) }
        for number in numbers { answer(number, .whole) }
    }

    private func drain() {
        while let action = machine.actions.next() {
            switch action {
            case .changeConfiguration: proposals += 1
            case .openLink(let peer): opening.append(peer)
            case .closeLink(let peer): sent.removeAll { $0.peer == peer }
            case .send(let peer, let request, let slot): sent.append((peer, request, slot))
            case .complete(let token, let status, _): completed[token] = status
            case .notify(let notice): notices.append(notice)
            case .ended(let reason): end = reason
            case .merge, .release, .wake: break
            }
        }
    }
}
