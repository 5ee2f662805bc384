import Records
import Units

/// What has to change in the metadata service now: run by the node that leads, again and again.
///
/// It goes by levels, not by events: whatever happened, was lost or was done half, the present
/// records say what is wrong with them. A plan for its own result is empty.
///
/// The cost is linear in nodes and volumes; each copy that has to go to a new place looks at every
/// node once more.
public func plan(_ view: ClusterView) -> [SchedulerChange] {
    let table = NodeTable(view.nodes, rebuildDelay: view.settings.rebuildDelay)
    var changes = planRoles(view.nodes, delay: view.settings.roleDelay)
    var parking = ParkingPlanner(table, view.volumes)
    for volume in view.volumes {
        if volume.wanted.isDeleting {
            if let change = planRemoval(volume, table) { changes.append(change) }
        } else if let change = parking.plan(volume) {
            changes.append(change)
        }
    }
    var placement = PlacementPlanner(view, table)
    changes += placement.plan()
    return changes
}

/// A volume that is being deleted goes as soon as no live node offers its device; the node of a
/// dead one deletes its replica by the tombstone when it is back.
private func planRemoval(_ volume: VolumeView, _ table: NodeTable) -> SchedulerChange? {
    if let status = volume.status, status.isAttached || status.isMounted,
        table.isAlive(status.node)
    {
        return nil
    }
    let id = volume.wanted.id
    let stones = volume.configuration.replicas.map {
        Tombstone(volume: id, replica: $0.id, node: $0.node, drive: $0.drive)
    }
    return .removeRecords(id, stones)
}
