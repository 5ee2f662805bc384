import Units

/// One line of `cio events`.
public struct EventRecord: Codable, Equatable, Sendable {
    public enum Category: String, Codable, Sendable { case info, warning, alert }

    /// Seconds since 1970.
    public var time: Double
    public var category: Category
    /// `DFS`; nil for rebuild lines, which carry no module.
    public var module: String?
    public var text: String
    public var code: Int
    /// The node that reported it.
    public var node: NodeID

    public init(
        time: Double, category: Category, module: String?, text: String, code: Int, node: NodeID
    ) {
        self.time = time
        self.category = category
        self.module = module
        self.text = text
        self.code = code
        self.node = node
    }
}
