import Synchronization
import Units

/// Volumes that somebody uses on this node in ways that the kernel does not show at their mount
/// point: a container keeps its own copy of the mount, and unmounting ours would not disturb it.
/// A volume that is held is neither unmounted nor given away, unless it is lost or the node ends.
final class VolumeHolds: Sendable {
    private let held = Mutex<Set<VolumeID>>([])
    private let question = Mutex<@Sendable () async -> EngineLife>({ .lives })

    func contains(_ volume: VolumeID) -> Bool { held.withLock { $0.contains(volume) } }

    /// All of them from now on.
    func set(_ volumes: Set<VolumeID>) { held.withLock { $0 = volumes } }

    func ask(_ question: @escaping @Sendable () async -> EngineLife) {
        self.question.withLock { $0 = question }
    }

    /// Of the engine whose containers hold them.
    func engineLife() async -> EngineLife { await question.withLock { $0 }() }
}

/// Whether a node's container engine is there, which alone could end its containers in order.
public enum EngineLife: Equatable, Sendable {
    /// Also where it cannot be told.
    case lives
    /// It was there, and is not now: it may be about to start again.
    case missing
    /// It has been missing for long.
    case gone
}
