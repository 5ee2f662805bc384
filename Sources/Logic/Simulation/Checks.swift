import Records
import Replication
import Units

/// The invariants that can be seen from outside, checked where they could first break.
extension World {
    private func files(_ record: ReplicaRecord) -> SimulatedReplicaFiles? {
        node(record.node).files(record.id)
    }

    /// Invariants 1 and 2: what is acknowledged is on every replica that the record names in sync.
    func checkAcknowledged(_ operation: ClientOperation, _ owner: OwnerHost) {
        let record = store.configuration
        guard record.owner == owner.machine.me, !operation.sectors.isEmpty else { return }
        let expected = operation.isWrite ? SectorValue(operation.number) : 0
        for replica in record.inSync {
            guard let files = files(replica) else { continue }
            // A machine that lost power since may have lost it: that is another rule's matter.
            if node(replica.node).lastPowerLoss >= operation.askedAt { continue }
            for sector in operation.sectors where files.sectors[sector] != expected {
                fail(
                    "write \(operation.number) acknowledged, but sector \(sector) on node "
                        + "\(short(replica.node)) holds \(files.sectors[sector])")
                return
            }
        }
    }

    /// Invariant 8: when nothing is in flight, in-sync replicas are equal byte for byte.
    func checkEqual() {
        let copies = store.configuration.inSync
        guard let first = copies.first.flatMap({ files($0) }) else {
            fail("no copy is in sync at the end")
            return
        }
        for record in copies.dropFirst() {
            guard let other = files(record) else {
                fail("node \(short(record.node)) has lost its replica")
                return
            }
            for sector in first.sectors.indices where first.sectors[sector] != other.sectors[sector] {
                fail(
                    "sector \(sector) differs: \(first.sectors[sector]) on node "
                        + "\(short(copies[0].node)), \(other.sectors[sector]) on \(short(record.node))")
                return
            }
        }
    }

    /// Everything up to the checkpoint is durable.
    func checkCheckpoints() {
        for record in store.configuration.inSync {
            guard let files = files(record) else { continue }
            for region in 0..<Shape.regions where files.stamps[region] <= files.state.checkpoint {
                for sector in 0..<Shape.sectorsPerRegion {
                    let index = region * Shape.sectorsPerRegion + sector
                    if files.durableValue(index) == nil {
                        fail("sector \(index) on node \(short(record.node)) is below the checkpoint and not durable")
                        return
                    }
                }
            }
        }
    }
}
