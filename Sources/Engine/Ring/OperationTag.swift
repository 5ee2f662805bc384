/// What an operation is remembered by: the `user_data` of its submission and of its completion.
///
/// ```
///  63      56 55                    32 31                             0
/// ┌──────────┬────────────────────────┬────────────────────────────────┐
/// │ kind     │ generation             │ index                          │
/// └──────────┴────────────────────────┴────────────────────────────────┘
/// ```
///
/// `index` names a context in its owner's slab, `generation` tells a context from the one that
/// was there before it, and `kind` is what the loop dispatches on. The kind 0xFF is the ring's own.
public struct OperationTag: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt64

    /// The highest kind that is free for use.
    public static let kindMax: UInt8 = 0xFE
    /// Generations wrap around after this one.
    public static let generationMax: UInt32 = (1 << 24) - 1

    /// The tag of the completion that a `Waker` causes.
    public static let wake = OperationTag(rawValue: 0xFF << 56)
    /// The ring's own cancellations; never seen outside.
    static let cancellation = OperationTag(rawValue: 0xFF << 56 | 1)

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Only the low 24 bits of `generation` are kept.
    @inlinable public init(kind: UInt8, index: UInt32, generation: UInt32 = 0) {
        rawValue = UInt64(kind) << 56 | UInt64(generation & 0xFF_FFFF) << 32 | UInt64(index)
    }

    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }
    @inlinable public var generation: UInt32 {
        UInt32(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF
    }
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    var isOfRing: Bool { kind == 0xFF }
}

/// The end of an operation, or one of several results of an operation that goes on.
public struct Completion: Sendable {
    public var tag: OperationTag
    /// What the system call would have returned, or -errno.
    public var result: Int32
    /// Whether the operation goes on and will complete again (an accept does, until it fails).
    public var more: Bool

    @inlinable public init(tag: OperationTag, result: Int32, more: Bool = false) {
        self.tag = tag
        self.result = result
        self.more = more
    }

    @inlinable public var isWake: Bool { tag == .wake }
}
