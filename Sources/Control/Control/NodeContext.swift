import Logging
import Metadata
import Records
import Synchronization
import Units

/// What every keeper of this node works with.
struct NodeContext: Sendable {
    let settings: ControlSettings
    let store: any MetadataStore
    let engine: any EnginePort
    let storage: any NodeStorage
    let devices: any NodeDevices
    let board: ViewBoard
    let events: EventWriter
    let liveness: LivenessKeeper
    let failovers: FailoverNotes
    let holds = VolumeHolds()
    let logger: Logger

    var node: NodeID { settings.node }
    var view: RecordsView { board.view }

    func event(_ code: EventCode, _ text: String) async { await events.write(code, text) }

    /// Something that a dead process of this node has left cannot be taken away.
    func toldLeftover(_ failure: String) async {
        await event(.leftovers, "node \(node.short): left by a dead process: \(failure)")
    }

    /// A dead node's volume is offered elsewhere, or nowhere: it cannot tell so itself.
    func volumeLeft(_ volume: WantedVolume, deadNode: NodeID) async {
        await event(.volumeRemoved, "\(volume.eventName) removed on node \(deadNode.short)")
    }

    /// `volume NAME (vdN)`, as events name it.
    func name(of volume: VolumeID) -> String {
        guard let wanted = view.wanted[volume]?.record else { return "volume \(volume.short)" }
        return wanted.eventName
    }
}

extension WantedVolume {
    var eventName: String { "volume \(name) (vd\(vdisk))" }
}

/// One node's failure moves many volumes, and is told once by each node that takes some of them.
final class FailoverNotes: Sendable {
    private let told = Mutex<[NodeID: ContinuousClock.Instant]>([:])
    /// A second failure of the same node within this time counts as the same one.
    private static let memory = Duration.seconds(30)

    func isNew(_ node: NodeID) -> Bool {
        let now = ContinuousClock.now
        return told.withLock { told in
            if let last = told[node], now < last + Self.memory { return false }
            told[node] = now
            return true
        }
    }
}
