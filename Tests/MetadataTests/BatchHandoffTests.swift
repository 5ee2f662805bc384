import Metadata
import Testing

@testable import MetadataEtcd

@Suite(.timeLimit(.minutes(1)))
struct BatchHandoffTests {
    private func batch(_ revision: Int64) -> ChangeBatch {
        ChangeBatch(changes: [], revision: Revision(rawValue: revision))
    }

    @Test func everyBatchIsHandedOverOnceAndInOrder() async throws {
        let handoff = BatchHandoff()
        let giving = Task {
            for number in 1...1_000 { #expect(await handoff.give(batch(Int64(number)))) }
            handoff.finish(.success(()))
        }
        var seen: [Int64] = []
        while let next = try await handoff.next() { seen.append(next.revision.rawValue) }
        #expect(seen == Array(1...1_000))
        await giving.value
        #expect(try await handoff.next() == nil)
    }

    @Test func whoIsCancelledWhileGivingKnowsThatItWasNotTaken() async throws {
        let handoff = BatchHandoff()
        #expect(await handoff.give(batch(1)))
        let giving = Task { await handoff.give(batch(2)) }
        giving.cancel()
        #expect(await giving.value == false)
        #expect(try await handoff.next()?.revision.rawValue == 1)
        #expect(await handoff.give(batch(2)))
        #expect(try await handoff.next()?.revision.rawValue == 2)
    }

    @Test func aReaderThatIsCancelledGetsNothing() async throws {
        let handoff = BatchHandoff()
        let reading = Task { try await handoff.next() }
        reading.cancel()
        #expect(try await reading.value == nil)
    }

    @Test func theErrorComesAfterWhatWasGiven() async throws {
        let handoff = BatchHandoff()
        #expect(await handoff.give(batch(1)))
        let error = MetadataError.compacted(prefix: "", after: .zero, oldest: .initial)
        handoff.finish(.failure(error))
        #expect(try await handoff.next()?.revision.rawValue == 1)
        await expectError(error.kind) { _ = try await handoff.next() }
    }
}
