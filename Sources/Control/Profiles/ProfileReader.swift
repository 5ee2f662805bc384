import Yams

extension Profile {
    /// Far more than a profile needs, and little enough to be kept beside every other record.
    public static let bytesMax = 16 << 10

    /// Reads a profile's YAML. Every key has to be one that cio knows, once; one that asks for
    /// what cio does not do is refused by its name.
    public init(yaml: String) throws(ProfileFault) {
        guard yaml.utf8.count <= Self.bytesMax else {
            throw ProfileFault("a profile has at most \(Self.bytesMax) bytes")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw ProfileFault("it is no YAML: \(Self.oneLine("\(error)"))")
        }
        self.init()
        guard let root, !(root.scalar?.string.isEmpty ?? false) else { return }
        let top = try ProfileSection(root, name: "")
        capacityGB = try top.number("capacity")
        level = try top.number("level").map { Int(clamping: $0) }
        filesystem = try top.text("filesystem")
        directory = try top.text("directory")
        provision = try top.text("provision")
        type = try top.text("type")
        labels = try top.section("labels")?.texts()
        let iops = try top.section("iops")
        iopsMin = try iops?.number("min")
        iopsMax = try iops?.number("max")
        try iops?.finish()
        let bandwidth = try top.section("bandwidth")
        bandwidthMin = try bandwidth?.number("min")
        bandwidthMax = try bandwidth?.number("max")
        try bandwidth?.finish()
        try top.refuseIfOn("local", "copies on the owner's node only")
        if let service = try top.section("service") {
            if let growth = try service.section("autoexpand") {
                autoexpand = try growth.flag("enabled")
                autoexpandThreshold = try growth.number("threshold")
                autoexpandIncrement = try growth.number("increment")
                autoexpandLimit = try growth.number("limit")
                try growth.finish()
            }
            try Self.passOver(service)
            try service.finish()
        }
        try top.finish()
    }

    /// Services that are switched off may carry settings for the day when they are on.
    private static func passOver(_ service: ProfileSection) throws(ProfileFault) {
        for (name, what, settings) in [
            ("snapshot", "snapshots", ["interval", "max"]),
            ("compression", "compression", ["algorithm"]), ("encryption", "encryption", []),
        ] {
            guard let section = try service.section(name) else { continue }
            try section.refuseIfOn("enabled", what)
            for setting in settings { _ = try section.text(setting) }
            try section.finish()
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// A mapping of the file; it knows which of its keys have been read.
private final class ProfileSection {
    private let name: String
    private let mapping: Node.Mapping
    private var unread: [String: Node] = [:]

    init(_ node: Node, name: String) throws(ProfileFault) {
        self.name = name
        guard let mapping = node.mapping else {
            let place = name.isEmpty ? "a profile" : "\(name)\(Self.line(node))"
            throw ProfileFault("\(place) is a list of KEY: VALUE")
        }
        self.mapping = mapping
        for (key, value) in mapping {
            guard let key = key.string else {
                throw ProfileFault("a key\(Self.line(key)) is no text")
            }
            unread[key] = value
        }
    }

    private static func line(_ node: Node) -> String {
        node.mark.map { " (line \($0.line))" } ?? ""
    }

    private func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    func text(_ key: String) throws(ProfileFault) -> String? {
        guard let node = unread.removeValue(forKey: key) else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw ProfileFault("\(path(key))\(Self.line(node)) has one value")
        }
        return text
    }

    func number(_ key: String) throws(ProfileFault) -> UInt64? {
        guard let node = unread[key], let text = try text(key) else { return nil }
        guard let number = UInt64(text) else {
            throw ProfileFault("\(path(key))\(Self.line(node)) is a whole number, not '\(text)'")
        }
        return number
    }

    func section(_ key: String) throws(ProfileFault) -> ProfileSection? {
        guard let node = unread.removeValue(forKey: key) else { return nil }
        return try ProfileSection(node, name: path(key))
    }

    /// All that is there, as texts.
    func texts() throws(ProfileFault) -> [String: String] {
        var texts: [String: String] = [:]
        for key in unread.keys.sorted() { texts[key] = try text(key) }
        return texts
    }

    /// - Parameter what: what the key would switch on.
    func refuseIfOn(_ key: String, _ what: String) throws(ProfileFault) {
        guard let node = unread[key], try flag(key) == true else { return }
        throw ProfileFault(
            "\(path(key))\(Self.line(node)): cio does not do that yet (\(what)); set it to no")
    }

    func flag(_ key: String) throws(ProfileFault) -> Bool? {
        guard let node = unread[key], let text = try text(key) else { return nil }
        switch text.lowercased() {
        case "no", "false", "off": return false
        case "yes", "true", "on": return true
        default:
            throw ProfileFault("\(path(key))\(Self.line(node)) is yes or no, not '\(text)'")
        }
    }

    func finish() throws(ProfileFault) {
        guard let key = unread.keys.sorted().first, let node = unread[key] else { return }
        throw ProfileFault("unknown key \(path(key))\(Self.line(node))")
    }
}
