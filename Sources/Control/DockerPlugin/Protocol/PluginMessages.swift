// What Docker sends and expects, under the names of its protocol.

/// The body of every call about one volume. Fields that a call does not use are ignored, as are
/// those that a later Docker may add.
struct PluginRequest: Decodable, Equatable, Sendable {
    var name: String
    /// Of one use of the volume, chosen by Docker: only Mount and Unmount have one.
    var id: String?
    /// `null` and absent are no options.
    var options: [String: String]

    enum CodingKeys: String, CodingKey {
        case name = "Name"
        case id = "ID"
        case options = "Opts"
    }

    init(name: String, id: String? = nil, options: [String: String] = [:]) {
        self.name = name
        self.id = id
        self.options = options
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        id = try fields.decodeIfPresent(String.self, forKey: .id)
        options = try fields.decodeIfPresent([String: String].self, forKey: .options) ?? [:]
    }
}

/// The body of every answer. What is nil is left out, but `Err`: it is always there, and empty
/// when all went well.
struct PluginAnswer: Encodable, Equatable, Sendable {
    var implements: [String]?
    var capabilities: Capabilities?
    var mountpoint: String?
    var volume: Volume?
    var volumes: [Volume]?
    var error = ""

    struct Capabilities: Codable, Equatable, Sendable {
        /// `global`: a name is one volume in the whole cluster.
        var scope: String

        enum CodingKeys: String, CodingKey { case scope = "Scope" }
    }

    struct Volume: Codable, Equatable, Sendable {
        var name: String
        /// Where it is mounted on this node; empty while it is not.
        var mountpoint: String
        /// Shown by `docker volume inspect`; left out of listings.
        var status: [String: String]?

        enum CodingKeys: String, CodingKey {
            case name = "Name"
            case mountpoint = "Mountpoint"
            case status = "Status"
        }
    }

    enum CodingKeys: String, CodingKey {
        case implements = "Implements"
        case capabilities = "Capabilities"
        case mountpoint = "Mountpoint"
        case volume = "Volume"
        case volumes = "Volumes"
        case error = "Err"
    }

    static let activated = PluginAnswer(implements: ["VolumeDriver"])
    static let capable = PluginAnswer(capabilities: Capabilities(scope: "global"))
    static let done = PluginAnswer()
    static func failed(_ why: String) -> PluginAnswer { PluginAnswer(error: why) }
}
