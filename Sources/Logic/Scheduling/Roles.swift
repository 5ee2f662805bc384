import Records
import Units

/// Who leads and who is next in line.
///
///     sds ── backup1 ── backup2        three voters, the first of them leads
///      │ dead: moves to the end of the line, the live ones move up at once
///      └──────────────────▶ backup2, silent for the role delay: a live standard node takes over
///
/// A dead backup keeps its role until the delay has passed: to change who votes is work for the
/// metadata service, and most nodes come back. Who comes back does not claim its old role.
func planRoles(_ nodes: [NodeView], delay: Span) -> [SchedulerChange] {
    guard nodes.contains(where: \.isAlive) else { return [] }
    let line = lineOfVoters(nodes, delay: delay)
    var demoted: [SchedulerChange] = []
    for (position, node) in nodes.enumerated()
    where node.record.role != .standard && !line.contains(position) {
        demoted.append(.setRole(node.record.id, .standard))
    }
    var raised: [SchedulerChange] = []
    for (position, role) in zip(line, voterRoles) where nodes[position].record.role != role {
        raised.append(.setRole(nodes[position].record.id, role))
    }
    return demoted + raised
}

private let voterRoles: [NodeRecord.Role] = [.sds, .backup1, .backup2]

/// Positions of the nodes that should be sds, backup1 and backup2, in this order.
private func lineOfVoters(_ nodes: [NodeView], delay: Span) -> [Int] {
    let isAlive = { (position: Int) in nodes[position].isAlive }
    var line: [Int] = []
    for role in voterRoles {
        let holders = nodes.indices.filter { nodes[$0].record.role == role }
        line += holders.filter { isAlive($0) || role != .sds }
    }
    if let first = line.first, !isAlive(first) {
        line = line.filter(isAlive) + line.filter { !isAlive($0) }
    }
    line += nodes.indices.filter { nodes[$0].record.role == .sds && !isAlive($0) }

    var takers = nodes.indices.filter {
        nodes[$0].record.role == .standard && isAlive($0) && nodes[$0].record.duty == .normal
    }[...]
    // Somebody has to schedule, however many are gone, and be it a cordoned node.
    if !line.contains(where: isAlive),
        let leader = takers.popFirst() ?? nodes.indices.first(where: isAlive)
    {
        line.insert(leader, at: 0)
    }
    while line.count > voterRoles.count {
        line.remove(at: line.lastIndex { !isAlive($0) } ?? line.count - 1)
    }
    for place in line.indices
    where !isAlive(line[place]) && !(nodes[line[place]].silentFor < delay) {
        if let taker = takers.popFirst() { line[place] = taker }
    }
    while line.count < voterRoles.count, let taker = takers.popFirst() { line.append(taker) }
    return line
}
