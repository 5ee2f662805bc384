import Records
import Scheduling
import Units

extension RecordsView {
    /// The records as the scheduler takes them.
    func forScheduling(
        times: ControlTimes, silence: (NodeID) -> Duration
    ) -> Scheduling.ClusterView {
        let nodes = nodesByNumber.map { node in
            Scheduling.NodeView(
                record: node, isAlive: isAlive(node.id), silentFor: silence(node.id).span)
        }
        let volumes = volumesByNumber.compactMap { wanted -> Scheduling.VolumeView? in
            guard let record = configurations[wanted.id]?.record else { return nil }
            return Scheduling.VolumeView(
                wanted: wanted, configuration: record, status: statuses[wanted.id],
                allocated: allocated(record))
        }
        return Scheduling.ClusterView(
            nodes: nodes, volumes: volumes,
            settings: SchedulerSettings(
                rebuildDelay: times.rebuildDelay.span, roleDelay: times.roleDelay.span))
    }

    /// What the largest copy takes, of those that have been reported.
    func allocated(_ record: VolumeConfiguration) -> ByteCount? {
        record.replicas.compactMap { copies[$0.id]?.allocated }.max()
    }
}

extension Duration {
    /// Zero for what is negative.
    var span: Span {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return Span(nanoseconds: 0) }
        let nanoseconds = UInt64(attoseconds) / 1_000_000_000
        return Span(nanoseconds: UInt64(seconds) * 1_000_000_000 + nanoseconds)
    }
}
