import API
import FoundationEssentials
import Metadata
import Records
import Units

/// What the REST API asks of this node: reading comes from the node's view of the records,
/// changing writes what is wanted, and waits until it is so.
public struct Requests: Sendable {
    let context: NodeContext
    let plane: ControlPlane

    public func version() -> VersionInfo {
        VersionInfo(
            version: context.settings.version, api: 1, node: context.settings.name,
            nodeid: context.node.short)
    }
}

// Names of volumes and nodes.
extension Requests {
    func volume(_ selector: String, in view: RecordsView, for what: String) throws -> WantedVolume {
        let found: [WantedVolume]
        if let number = selector.suffix(after: "vdisk:") {
            guard let number = Int(number), number >= 0 else {
                throw RequestError(.invalid, what, why: "\(number) is no vdisk number")
            }
            found = view.volumesByNumber.filter { $0.vdisk == number }
        } else if let prefix = selector.suffix(after: "uuid:") {
            try checkPrefix(prefix, what)
            found = view.volumesByNumber.filter { $0.id.text.hasPrefix(prefix.lowercased()) }
        } else {
            found = view.volumesByNumber.filter { $0.name == selector }
        }
        guard found.count < 2 else {
            throw RequestError(
                .conflict, what, why: "\(selector) is the beginning of several ids",
                next: "give more digits")
        }
        guard let volume = found.first else {
            throw RequestError(
                .notFound, what, why: "there is no volume \(selector)",
                next: "cio volume ls shows those there are")
        }
        return volume
    }

    func node(_ selector: String, in view: RecordsView, for what: String) throws -> NodeRecord {
        let found: [NodeRecord]
        if let prefix = selector.suffix(after: "id:") {
            try checkPrefix(prefix, what)
            found = view.nodesByNumber.filter { $0.id.text.hasPrefix(prefix.lowercased()) }
        } else {
            found = view.nodesByNumber.filter { $0.name == selector }
        }
        guard let node = found.first, found.count == 1 else {
            throw RequestError(
                .notFound, what, why: "there is no node \(selector)",
                next: "cio node ls shows those there are")
        }
        return node
    }

    private func checkPrefix(_ prefix: String, _ what: String) throws {
        guard (8...32).contains(prefix.utf8.count), prefix.utf8.allSatisfy(\.isHexDigit) else {
            throw RequestError(.invalid, what, why: "an id is 8 to 32 hex digits, not \(prefix)")
        }
    }

    /// What a failure of the metadata service means for a request.
    func failure(_ error: any Error, of what: String) -> RequestError {
        switch error {
        case let error as RequestError: error
        case let error as MetadataError:
            RequestError(.unavailable, what, why: error.description, next: "try again")
        default: RequestError(.unavailable, what, why: "\(error)")
        }
    }
}

extension String {
    func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}

extension UInt8 {
    var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
