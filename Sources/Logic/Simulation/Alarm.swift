import Units

/// The one deadline that a machine has: the earliest it has asked for since its last tick.
final class Alarm {
    private var due: Instant?

    func set(_ instant: Instant, on node: SimulatedNode, _ ring: @escaping () -> Void) {
        if let due, due <= instant { return }
        due = instant
        node.world.schedule.add(at: node.worldTime(of: instant)) { [self] in
            guard due == instant else { return }
            due = nil
            ring()
        }
    }
}
