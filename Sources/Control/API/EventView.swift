/// One event, `GET /v1/events`. Ids grow, but not by one.
public struct EventView: Codable, Equatable, Sendable {
    public var id: UInt64
    /// Seconds since 1970.
    public var time: Double
    /// `info`, `warning`, `alert`.
    public var category: String
    /// `DFS`; nil for rebuild lines, which carry no module.
    public var module: String?
    public var text: String
    public var code: Int
    /// The node that reported it, 8 hex digits.
    public var nodeid: String

    public init(
        id: UInt64, time: Double, category: String, module: String?, text: String, code: Int,
        nodeid: String
    ) {
        self.id = id
        self.time = time
        self.category = category
        self.module = module
        self.text = text
        self.code = code
        self.nodeid = nodeid
    }
}

public struct EventList: Codable, Equatable, Sendable {
    /// The oldest first.
    public var events: [EventView]
    public init(events: [EventView]) { self.events = events }
}
