import Records
import Units

/// Where this node stands with a volume's ownership.
///
///     closed ── openOwner ──▶ opening ── serving(epoch) ──▶ serving
///       ▲                        │                             │
///       │                        └────────── closeOwner ───────┤
///       └──── ownerEnded ──── closing ◀────────────────────────┘
///
/// `ownerEnded` may come in every state but closed.
enum OwnerSession: Equatable {
    case closed
    case opening(InstanceID)
    case serving(InstanceID)
    case closing(InstanceID)

    var instance: InstanceID? {
        switch self {
        case .closed: nil
        case .opening(let instance), .serving(let instance), .closing(let instance): instance
        }
    }

    var isServing: Bool { if case .serving = self { true } else { false } }
}

/// What this node offers of a volume. Made from the top down, and taken down from the bottom up.
struct FrontEnd {
    var disk: MountedDisk?
    var device: BlockDevice?
    /// The device's, as the kernel was told.
    var deviceSize: ByteCount?
    var mountPoint: String?
    /// The engine has been told to let go of the disk, and has not answered.
    var isClosing = false
    /// The disk is being unmounted: its end is no surprise.
    var isEnding = false
    /// The node ends, and all of this stays for its next `ciod`.
    var isLeft = false

    var isThere: Bool { disk != nil || device != nil || mountPoint != nil }
}

/// Why a volume's device or filesystem cannot be had: one line.
struct AttachError: Error, Equatable, CustomStringConvertible {
    var description: String
}
