import Synchronization
import Units

/// Volumes that somebody uses on this node in ways that the kernel does not show at their mount
/// point: a container keeps its own copy of the mount, and unmounting ours would not disturb it.
/// A volume that is held is neither unmounted nor given away, unless it is lost or the node ends.
final class VolumeHolds: Sendable {
    private let held = Mutex<Set<VolumeID>>([])

    func contains(_ volume: VolumeID) -> Bool { held.withLock { $0.contains(volume) } }

    /// All of them from now on.
    func set(_ volumes: Set<VolumeID>) { held.withLock { $0 = volumes } }
}
