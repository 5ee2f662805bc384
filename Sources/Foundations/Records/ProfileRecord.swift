/// A named set of volume attributes, as its author wrote it.
public struct ProfileRecord: Codable, Equatable, Sendable {
    public var name: String
    public var yaml: String
    /// When it was added, in seconds since 1970.
    public var since: Double

    public init(name: String, yaml: String, since: Double) {
        self.name = name
        self.yaml = yaml
        self.since = since
    }
}
