import Glibc
import NBDProtocol
import Replication
import Units
import WireFormat

/// A socket and what is under way on it.
///
///     connecting ──▶ open ──▶ closing ──▶ (removed when nothing of it is under way)
struct Connection: ~Copyable {
    enum Role: UInt8 {
        /// A data connection that was accepted: its hello is awaited.
        case stranger
        /// Its hello was taken; it is answered when the replica is open and says so.
        case awaitingReplica
        /// From an owner to a replica here.
        case replicaLink
        /// From an owner here: connecting, its hello sent, greeted.
        case ownerLink
        case heartbeat
        /// A client of the NBD server before and in its transmission phase.
        case handshake
        case nbd
    }

    enum State: UInt8 { case connecting, open, closing }

    let socket: Int32
    var role: Role
    var state: State
    /// What it belongs to: a replica, a volume, or a node's row, by the role.
    var host = -1
    var hostGeneration: UInt32 = 0
    /// ownerLink: the peer's index in the owner.
    var peer = -1
    /// replicaLink: what the replica knows it by.
    var link: LinkID = 0

    var isReceiving = false
    var isSending = false
    var isClosingSocket = false
    var isSocketClosed = false
    /// Nothing is received until memory is free, or the replica is less busy.
    var isPaused = false
    /// In the list of connections that have something to send.
    var isDirty = false
    var closesAfterSending = false

    var input = Input()
    var payload = Payload()
    /// Filled while `sending` is on its way.
    var output = Output()
    var sending = Output()
    var piecesSending = 0
    var bytesSending = 0
    let vectors: UnsafeMutablePointer<iovec>
    let message: UnsafeMutablePointer<msghdr>
    /// Where `connect` finds the address.
    let address: UnsafeMutablePointer<sockaddr_in>
    /// A data frame whose payload is being received, and the prefix that came with it.
    var frame = FrameHeader(.heartbeat, version: WireVersion.ofHello)
    let prefix: UnsafeMutableRawPointer
    /// What may arrive, and the version spoken.
    var expectation = FrameExpectation.hello
    var version = WireVersion.ofHello

    /// ownerLink: who is at the other end. Others: who said hello.
    var hello: Hello?
    var handshake: NBDHandshake?
    var nbd = NBDState()

    init(socket: Int32, role: Role, state: State) {
        self.socket = socket
        self.role = role
        self.state = state
        vectors = .allocate(capacity: EngineLimits.sendPiecesMax)
        message = .allocate(capacity: 1)
        message.initialize(to: msghdr())
        address = .allocate(capacity: 1)
        address.initialize(to: sockaddr_in())
        prefix = .allocate(byteCount: WireLimits.checksumBytesMax, alignment: 8)
    }

    deinit {
        // The engine ends as in a crash; a close that is under way comes to its end all the same.
        if !isSocketClosed && !isClosingSocket { close(socket) }
        vectors.deallocate()
        message.deallocate()
        address.deallocate()
        prefix.deallocate()
    }
}

/// A payload that is being received into the memory it belongs in.
struct Payload {
    var memory = MemoryID.none
    var address: UnsafeMutableRawPointer?
    var length = 0
    var received = 0
    /// A receive straight into it is under way.
    var isDirect = false
    /// Bytes to be thrown away instead.
    var skipping = 0

    var isActive: Bool { address != nil }
    var missing: Int { length - received }
}
