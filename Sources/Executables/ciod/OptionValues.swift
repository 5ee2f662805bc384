import FoundationEssentials
import Glibc

/// The name of an option: `--state-dir`, `CIO_STATE_DIR`, `state-dir = …`.
enum OptionKey: String, CaseIterable {
    case name
    case stateDir = "state-dir"
    case runDir = "run-dir"
    case devDir = "dev-dir"
    case volumesDir = "volumes-dir"
    case drive, address, port
    case nbdAddress = "nbd-address"
    case store, etcd, engine, threads
    case bootId = "boot-id"
    case liveness
    case rebuildDelay = "rebuild-delay"
    case roleDelay = "role-delay"
    case logLevel = "log-level"
    case insecureNetwork = "insecure-network"
    case dockerSocket = "docker-socket"
    case dockerHost = "docker-host"

    /// Whether it may be given several times; what lies between several in the environment.
    var separator: Character? {
        switch self {
        case .drive: ":"
        case .etcd: ","
        default: nil
        }
    }

    var variable: String {
        "CIO_" + rawValue.uppercased().replacing("-", with: "_")
    }
}

protocol OptionChoice: RawRepresentable<String>, CaseIterable {}

/// The options as text, and where each one was said, for messages.
struct OptionValues {
    private struct Value {
        var texts: [String]
        /// `--port`, `CIO_PORT`, `line 3 of /etc/cio/ciod.conf`.
        var source: String
    }

    private var values: [OptionKey: Value] = [:]

    static let fileDefault = "/etc/cio/ciod.conf"
    private static let fileBytesMax = 64 << 10

    init(flags: Flags, environment: [String: String]) throws {
        let named = flags.config ?? environment["CIO_CONFIG"]
        if let named {
            try read(file: named)
        } else if access(Self.fileDefault, F_OK) == 0 {
            try read(file: Self.fileDefault)
        }
        for key in OptionKey.allCases {
            guard let text = environment[key.variable] else { continue }
            let texts = key.separator.map { text.split(separator: $0).map(String.init) } ?? [text]
            values[key] = Value(texts: texts, source: key.variable)
        }
        for (key, texts) in Self.given(flags) where !texts.isEmpty {
            values[key] = Value(texts: texts, source: "--\(key.rawValue)")
        }
    }

    private static func given(_ flags: Flags) -> [(OptionKey, [String])] {
        let single: [(OptionKey, String?)] = [
            (.name, flags.name), (.stateDir, flags.stateDir), (.runDir, flags.runDir),
            (.devDir, flags.devDir), (.volumesDir, flags.volumesDir),
            (.address, flags.address), (.port, flags.port),
            (.nbdAddress, flags.nbdAddress), (.store, flags.store),
            (.engine, flags.engine), (.threads, flags.threads), (.bootId, flags.bootId),
            (.liveness, flags.liveness),
            (.rebuildDelay, flags.rebuildDelay), (.roleDelay, flags.roleDelay),
            (.logLevel, flags.logLevel),
            (.dockerSocket, flags.dockerSocket), (.dockerHost, flags.dockerHost),
            (.insecureNetwork, flags.insecureNetwork ? "true" : nil),
        ]
        return single.map { ($0, $1.map { [$0] } ?? []) } + [
            (.drive, flags.drive), (.etcd, flags.etcd),
        ]
    }

    /// `key = value` on each line; `#` begins a comment line.
    private mutating func read(file: String) throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw StartError(description: "the configuration file \(file) cannot be read")
        }
        guard data.count <= Self.fileBytesMax,
            let text = String(validating: data, as: UTF8.self)
        else {
            throw StartError(
                description: "the configuration file \(file) is no UTF-8 text of at most 64 KiB")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = Self.trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let source = "line \(index + 1) of \(file)"
            let parts = line.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw StartError(description: "\(source) is no 'key = value'")
            }
            let (name, value) = (Self.trimmed(parts[0]), Self.trimmed(parts[1]))
            guard let key = OptionKey(rawValue: name) else {
                let known = OptionKey.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartError(
                    description: "\(source) has an unknown key '\(name)'; known are \(known)")
            }
            if values[key] != nil, key.separator == nil {
                throw StartError(description: "\(source) has '\(name)' a second time")
            }
            let before = values[key]?.texts ?? []
            values[key] = Value(texts: before + [value], source: source)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let start = text.drop(while: blank)
        guard let last = start.lastIndex(where: { !blank($0) }) else { return "" }
        return String(start[...last])
    }
}

// Values, checked.
extension OptionValues {
    subscript(key: OptionKey) -> String? { values[key]?.texts.first }

    func all(_ key: OptionKey) -> [String] { values[key]?.texts ?? [] }

    /// Where it was said: `--port`, `CIO_PORT`, `line 3 of /etc/cio/ciod.conf`.
    func source(_ key: OptionKey) -> String { values[key]?.source ?? "--\(key.rawValue)" }

    /// `wanted` reads on from "has to be".
    func error(_ key: OptionKey, _ wanted: String) -> StartError {
        StartError(description: "\(source(key)) has to be \(wanted)")
    }

    func path(_ key: OptionKey) throws -> String? {
        guard let text = self[key] else { return nil }
        guard let path = Self.checked(path: text) else {
            throw error(key, "an absolute path, not '\(text)'")
        }
        return path
    }

    /// Without a slash at its end; nil for what is no absolute path.
    static func checked(path: String) -> String? {
        guard path.hasPrefix("/"), path.utf8.count <= 1024,
            path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { return nil }
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    func number(_ key: OptionKey, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw error(
                key, "a whole number from \(range.lowerBound) to \(range.upperBound), not"
                    + " '\(text)'")
        }
        return number
    }

    func choice<Choice: OptionChoice>(_ key: OptionKey) throws -> Choice? {
        guard let text = self[key] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(key, "one of \(allowed), not '\(text)'")
        }
        return choice
    }

    func flag(_ key: OptionKey) throws -> Bool {
        switch self[key] {
        case nil, "false", "no", "0": return false
        case "true", "yes", "1": return true
        case let text?: throw error(key, "true or false, not '\(text)'")
        }
    }
}
