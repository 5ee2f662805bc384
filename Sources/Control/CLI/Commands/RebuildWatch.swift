import API
import APIClient

/// Shows a volume's rebuilds until every copy is in sync and no copy is left over.
struct RebuildWatch {
    let client: APIClient
    let volume: String
    /// The node that is to hold a copy in sync at the end; nil when any will do.
    let target: String?

    /// What a look at the volume says.
    enum Progress: Equatable {
        case running(RebuildView)
        /// Nothing is copied now, and why.
        case waiting(String)
        case finished
    }

    /// A person sees five looks a second as motion.
    private static let pause = Duration.milliseconds(200)

    static func progress(of volume: VolumeView, target: String?) -> Progress {
        if let rebuild = volume.rebuild { return .running(rebuild) }
        let isAtTarget =
            target.map { target in
                volume.copies.contains { $0.node == target && $0.state == "in sync" }
            } ?? true
        if isAtTarget, volume.copiesInSync >= volume.redundancy,
            volume.copies.count <= volume.redundancy
        {
            return .finished
        }
        guard let wait = volume.wait else { return .waiting("no rebuild has begun yet") }
        return .waiting("waits for \(wait.forWhat); ends with \(wait.endsWith)")
    }

    /// Returns what was reached, for the result line.
    func untilDone() async throws -> String {
        var shown = ""
        while true {
            let volume = try await client.volume(volume)
            let progress = Self.progress(of: volume, target: target)
            let line = Self.line(progress, volume, onTerminal: Output.isTerminal)
            if line != shown, !line.isEmpty {
                if Output.isTerminal { Output.replaceLine(line) } else { Output.line(line) }
                shown = line
            }
            if progress == .finished {
                if Output.isTerminal { Output.replaceLine("") }
                return "Rebuild \(volume.vdisk): "
                    + "\(volume.copiesInSync) of \(volume.redundancy) copies in sync"
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// A bar for a terminal; elsewhere a line for every tenth of the way, so that a log of it
    /// stays short.
    static func line(_ progress: Progress, _ volume: VolumeView, onTerminal: Bool) -> String {
        switch progress {
        case .finished: return ""
        case .waiting(let why): return "\(volume.name) (\(volume.vdisk)): \(why)"
        case .running(let rebuild):
            guard onTerminal else {
                let tenth = RebuildLine.percent(rebuild) / 10 * 10
                return "\(volume.name) (\(volume.vdisk)): rebuild to \(rebuild.to), \(tenth)%"
            }
            return "\(volume.name) \(RebuildLine.bar(rebuild)) \(RebuildLine.text(rebuild))"
        }
    }
}
