import EngineCommands
import NBDProtocol
import Units
import WireFormat

/// What reaches a loop from other threads.
enum LoopMessage: Sendable {
    case command(EngineCommand)
    /// End as in a crash.
    case die
    /// A data connection whose hello names a volume of this loop.
    case adoptLink(socket: Int32, Hello, version: UInt16)
    /// An NBD client that has asked for a volume of this loop: its export is accepted.
    case adoptClient(socket: Int32, NBDHandshake, EngineCommands.NBDExport, name: String)
    /// The files of a replica are open, or are not to be had.
    case replicaOpened(number: Int, generation: UInt32, ReplicaOpening)
    /// Loop 0 keeps the heartbeats: another loop has begun or ceased to use a node.
    case nodeIsUsed(NodeID)
    case nodeIsUnused(NodeID)
    /// To the other loops: links to the node are down.
    case nodeIsSilent(NodeID)
}
