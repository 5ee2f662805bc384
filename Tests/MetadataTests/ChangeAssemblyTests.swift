import Metadata
import Testing

@testable import MetadataEtcd

struct ChangeAssemblyTests {
    private func change(_ revision: Int64, _ key: String = "k") -> Change {
        .delete(key: key, revision: Revision(rawValue: revision))
    }

    private func batches(_ assembly: inout ChangeAssembly) -> [[Int64]] {
        var all: [[Int64]] = []
        while let batch = assembly.nextBatch {
            assembly.drop(batch)
            all.append(batch.changes.map(\.revision.rawValue))
            #expect(batch.revision.rawValue == all.last?.last)
        }
        return all
    }

    @Test func whatCameBeforeIsLeftOut() {
        var assembly = ChangeAssembly(after: Revision(rawValue: 5))
        assembly.take([change(5), change(6)], isFragment: false)
        assembly.take([change(6), change(7)], isFragment: false)
        #expect(batches(&assembly) == [[6, 7]])
        #expect(assembly.received.rawValue == 7)
    }

    @Test func aRevisionThatIsCutWaitsForItsEnd() {
        var assembly = ChangeAssembly(after: .zero)
        assembly.take([change(1), change(2, "a")], isFragment: true)
        #expect(batches(&assembly) == [[1]])
        assembly.take([change(2, "b")], isFragment: true)
        #expect(batches(&assembly) == [])
        assembly.take([change(2, "c"), change(3)], isFragment: false)
        #expect(batches(&assembly) == [[2, 2, 2, 3]])
    }

    @Test func aRevisionWhoseEndDidNotComeComesAgain() {
        var assembly = ChangeAssembly(after: .zero)
        assembly.take([change(1), change(2, "a")], isFragment: true)
        assembly.interrupt()
        #expect(assembly.received.rawValue == 1)
        assembly.take([change(1), change(2, "a"), change(2, "b")], isFragment: false)
        #expect(batches(&assembly) == [[1, 2, 2]])
    }

    @Test func batchesEndWithARevision() {
        var assembly = ChangeAssembly(after: .zero, changesMax: 2, bytesMax: 1 << 20)
        assembly.take(
            [1, 2, 2, 2, 3, 4, 5].map { change($0) }, isFragment: false)
        #expect(batches(&assembly) == [[1, 2, 2, 2], [3, 4], [5]])
    }

    @Test func bytesCountToo() {
        var assembly = ChangeAssembly(after: .zero, changesMax: 100, bytesMax: 20)
        let long = String(repeating: "k", count: 15)
        assembly.take((1...5).map { change($0, long) }, isFragment: false)
        #expect(batches(&assembly) == [[1, 2], [3, 4], [5]])
    }

    @Test func whatWasNotDroppedStays() {
        var assembly = ChangeAssembly(after: .zero)
        assembly.take([change(1)], isFragment: false)
        #expect(assembly.nextBatch == assembly.nextBatch)
        assembly.interrupt()
        #expect(batches(&assembly) == [[1]])
    }
}
