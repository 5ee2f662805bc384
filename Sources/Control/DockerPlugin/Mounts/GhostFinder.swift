/// Which references nobody holds any more: their container is gone, and Docker, which should have
/// said so with Unmount, was dead at that time and will never say it.
///
/// A reference is a ghost when it is old enough that its container would be seen, and the kernel
/// shows no other mount namespace with the volume's folder, and Docker, where it can be asked,
/// lists no container that runs with the volume. What is taken for a ghost by mistake does no
/// harm later than the start of its container: until then Mount was not answered, or only just.
enum GhostFinder {
    /// What is known of a volume's users besides its references.
    struct Sightings: Equatable, Sendable {
        /// Mount namespaces that hold its folder.
        var namespaces: Set<String> = []
        /// Whether Docker lists a container that runs with it; nil where it cannot be asked.
        var isListed: Bool?
    }

    /// The ids to be freed. Times in seconds since boot.
    ///
    /// - Parameter quietSince: when the last Mount of any volume ended; nil while one is under
    ///   way. A container starts after the last of its volumes is mounted.
    static func ghosts(
        among ids: [String: Double], seen: Sightings, quietSince: Double?, now: Double
    ) -> [String] {
        // Which namespace belongs to which id cannot be told. While any is there, only those that
        // stand for a namespace can be told apart.
        guard seen.namespaces.isEmpty else {
            return ids.keys.filter { id in
                guard id.hasPrefix(ReferenceSet.foundPrefix) else { return false }
                return !seen.namespaces.contains(
                    String(id.dropFirst(ReferenceSet.foundPrefix.count)))
            }.sorted()
        }
        if seen.isListed == true { return [] }
        let youth = seconds(seen.isListed == nil ? Limits.youthWithoutList : Limits.youth)
        return ids.filter { _, noted in
            if now - noted >= seconds(Limits.age) { return true }
            guard let quietSince else { return false }
            return now - max(noted, quietSince) >= youth
        }.keys.sorted()
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds)
    }
}
