import EngineCommands
import NBDProtocol
import Units

/// What an NBD connection keeps in its transmission phase.
struct NBDState {
    var structuredReplies = false
    var requestsUnderWay = 0
    /// The write whose payload is being received; -1 for none.
    var writing: Int32 = -1
    /// Its piece that is being received.
    var piece = RequestPiece(
        request: -1, operation: .flush, range: ByteRange(offset: 0, length: 0))
    /// The client has said goodbye, or is to be sent away: what is under way is answered first.
    var isLeaving = false
    /// Writes that were answered may be lost, and the client has not heard of it (rule 20).
    var failsNextFlush = false
}

/// A question that control has to answer before a client goes on.
struct ExportQuestion {
    var connection: Int
    var generation: UInt32
    var name: String
}
