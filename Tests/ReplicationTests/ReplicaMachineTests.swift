import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// State × event: what a replica answers to each request, by where it stands.
@Suite struct ReplicaMachineTests {
    enum Standing: String, Sendable, CaseIterable {
        /// Has promised epoch 5 to owner 1, on link 1.
        case promised
        /// Promises epoch 6 to owner 2; the state is not durable yet.
        case promising
        /// As `promised`, but a mark could not be made durable.
        case faulty
    }

    enum Answer: Equatable, Sendable {
        case ok, refused, invalid, ioError
        /// Taken; answered when the drive has done something.
        case taken
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var standing: Standing
        var request: ReplicaRequest
        var answer: Answer
        var testDescription: String { "\(standing): \(request.kind) of epoch \(request.epoch)" }
    }

    static let block = ByteRange(offset: 0, length: 4096)

    static func request(_ kind: RequestKind, _ epoch: Epoch) -> ReplicaRequest {
        ReplicaRequest(
            kind, id: 9, epoch: epoch, generation: 1, range: block, stamp: Stamp(epoch - 1, 1))
    }

    static let data: [RequestKind] = [.read, .write, .flush, .list, .checkpoint]

    static var cases: [Case] {
        var cases: [Case] = []
        for kind in data {
            cases.append(Case(standing: .promised, request: request(kind, 5), answer: .taken))
            cases.append(Case(standing: .promised, request: request(kind, 4), answer: .refused))
            // Nothing is done in an epoch before its promise.
            cases.append(Case(standing: .promised, request: request(kind, 6), answer: .invalid))
            cases.append(Case(standing: .promising, request: request(kind, 5), answer: .refused))
            cases.append(Case(standing: .faulty, request: request(kind, 5), answer: .ioError))
        }
        cases.append(Case(standing: .promised, request: request(.promise, 4), answer: .refused))
        cases.append(Case(standing: .promised, request: request(.promise, 6), answer: .taken))
        cases.append(Case(standing: .promised, request: request(.lease, 5), answer: .ok))
        cases.append(Case(standing: .promised, request: request(.giveLeaseBack, 5), answer: .ok))
        cases.append(Case(standing: .promising, request: request(.lease, 5), answer: .refused))
        cases.append(Case(standing: .faulty, request: request(.promise, 6), answer: .ioError))
        // A discard of what was never written has nothing to do.
        cases.append(Case(standing: .promised, request: request(.discard, 5), answer: .ok))
        var outside = request(.write, 5)
        outside.range = ByteRange(offset: 64 * Geometry.regionBytes, length: 4096)
        cases.append(Case(standing: .promised, request: outside, answer: .invalid))
        var crossing = request(.write, 5)
        crossing.range = ByteRange(offset: Geometry.regionBytes - 4096, length: 8192)
        cases.append(Case(standing: .promised, request: crossing, answer: .invalid))
        var partial = request(.read, 5)
        partial.range = ByteRange(offset: 512, length: 512)
        cases.append(Case(standing: .promised, request: partial, answer: .invalid))
        return cases
    }

    @Test(arguments: cases) func answersByItsStanding(_ given: Case) {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        switch given.standing {
        case .promised: break
        case .promising: script.ask(ReplicaRequest(.promise, id: 1, epoch: 6), by: 2, on: 2)
        case .faulty:
            script.ask(Self.request(.write, 5), on: 1)
            script.machine.pageWritten(0, isDurable: false, now: script.now)
            script.drain()
        }
        script.replies = []
        script.ask(given.request, on: 1)
        let answer: Answer =
            switch script.replies.first?.status {
            case nil: .taken
            case .ok: .ok
            case .refused: .refused
            case .invalid: .invalid
            default: .ioError
            }
        #expect(answer == given.answer)
    }
}
