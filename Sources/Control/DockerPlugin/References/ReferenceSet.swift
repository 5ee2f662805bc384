/// Who uses which volume on this node: for each volume the ids that Docker gave with Mount and has
/// not taken back with Unmount.
///
/// A set, not a count: Docker may say the same thing twice, and says nothing at all when it dies.
struct ReferenceSet: Codable, Equatable, Sendable {
    /// The boot of the machine in which all of it was noted. No container outlives its machine,
    /// so the references of another boot are worth nothing.
    let boot: String
    private(set) var volumes: [String: Uses] = [:]
    /// The socket at which Docker was there in this boot.
    var engine: String?

    struct Uses: Codable, Equatable, Sendable {
        /// As Docker calls the volume.
        var name: String
        /// When each id was last given with Mount: seconds since boot.
        var ids: [String: Double] = [:]
        /// The volume came here for Docker's sake, and is let go after its last reference.
        var isBrought: Bool
    }

    /// What stands for a container whose id nobody knows, before the number of its mounts'
    /// namespace.
    static let foundPrefix = "found:"

    init(boot: String) { self.boot = boot }

    /// What is left of it in another boot: nobody uses anything, but what came here for Docker's
    /// sake is still to be let go.
    func afterReboot(boot: String) -> ReferenceSet {
        var set = ReferenceSet(boot: boot)
        set.volumes = volumes.filter(\.value.isBrought).mapValues {
            Uses(name: $0.name, isBrought: true)
        }
        return set
    }

    var isEmpty: Bool { volumes.isEmpty }

    /// Whether the id was not there before. Noted again, it becomes young again.
    @discardableResult
    mutating func insert(
        _ id: String, of volume: String, named name: String, isBrought: Bool, at time: Double
    ) -> Bool {
        var uses = volumes[volume] ?? Uses(name: name, isBrought: isBrought)
        let isNew = uses.ids.updateValue(time, forKey: id) == nil
        volumes[volume] = uses
        return isNew
    }

    /// Whether the id was there.
    @discardableResult
    mutating func remove(_ id: String, of volume: String) -> Bool {
        guard volumes[volume]?.ids.removeValue(forKey: id) != nil else { return false }
        tidy(volume)
        return true
    }

    /// The volume is not here any more, or nobody needs to let it go.
    mutating func leave(_ volume: String) {
        volumes[volume]?.isBrought = false
        tidy(volume)
    }

    /// Returns the number of references that were forgotten.
    @discardableResult
    mutating func forget(_ volume: String) -> Int {
        volumes.removeValue(forKey: volume)?.ids.count ?? 0
    }

    private mutating func tidy(_ volume: String) {
        guard let uses = volumes[volume], uses.ids.isEmpty, !uses.isBrought else { return }
        volumes[volume] = nil
    }

    func isUsed(_ volume: String) -> Bool { !(volumes[volume]?.ids.isEmpty ?? true) }

    /// A volume that was removed and made again may be there under both its ids.
    func volumes(named name: String) -> [String] {
        volumes.filter { $0.value.name == name }.keys.sorted()
    }

    /// Every volume with a reference.
    var used: Set<String> { Set(volumes.filter { !$0.value.ids.isEmpty }.keys) }
}
