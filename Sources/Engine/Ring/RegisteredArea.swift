/// Memory that the kernel has pinned for a ring, so that operations need not do it each time.
///
/// A hint: operations on memory inside the area may name it, and work just as well without.
public struct RegisteredArea: Hashable, Sendable {
    let index: Int32

    public static let none = RegisteredArea(index: -1)

    var isNone: Bool { index < 0 }
}
