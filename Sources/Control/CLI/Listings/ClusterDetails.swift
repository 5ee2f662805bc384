import API

/// `cio info`.
enum ClusterDetails {
    static func text(_ info: ClusterInfo, capacityOnly: Bool = false) -> String {
        let lines = capacityOnly ? capacity(info) : all(info)
        return lines.map { KeyLine.text($0.key, $0.value) }.joined(separator: "\n")
    }

    private typealias Lines = [(key: String, value: String)]

    private static func all(_ info: ClusterInfo) -> Lines {
        let counts: Lines = [
            ("Domain", info.domain),
            ("Nodes", "\(info.nodes.total) (\(info.nodes.online) online)"),
            ("Vdisks", "\(info.vdisks)"),
            ("SSDs", "\(info.ssds)"),
            ("HDDs", "\(info.hdds)"),
        ]
        let condition: Lines =
            [("Condition", info.condition)] + info.reasons.map { ("", $0) }
        let losses: Lines = info.nodeLoss.map { loss in
            ("Loss of \(loss.node)", loss.canBeRebuilt ? "can be rebuilt" : impossible(loss))
        }
        let engine: Lines =
            [("Engine", info.engine.kind)] + info.engine.missing.map { ("Missing", $0) }
        return counts + capacity(info) + promised(info) + condition + losses
            + service(info.metadataService) + engine
    }

    private static func promised(_ info: ClusterInfo) -> Lines {
        [
            ("Provisioned IOPS", "\(info.iops.provisioned)"),
            ("Provisioned bandwidth", "\(info.bandwidth.provisioned)MiB/s"),
        ]
    }

    private static func service(_ service: MetadataServiceInfo) -> Lines {
        let standing = service.isReachable ? "reachable" : "cannot be reached"
        return [("Metadata service", "\(service.kind), \(standing)")]
            + service.endpoints.map { endpoint in
                let role = endpoint.role.map { " (\($0))" } ?? ""
                return ("", endpoint.address + (endpoint.isReachable ? role : " does not answer"))
            }
    }

    private static func impossible(_ loss: ClusterInfo.NodeLoss) -> String {
        "cannot be rebuilt" + (loss.why.map { ": \($0)" } ?? "")
    }

    private static func capacity(_ info: ClusterInfo) -> Lines {
        [
            ("Total capacity", Size.terabytes(info.capacity.total)),
            ("Used capacity", Size.terabytes(info.capacity.used)),
            ("Free capacity", Size.terabytes(info.capacity.free)),
            ("Provisioned capacity", Size.terabytes(info.capacity.provisioned)),
        ]
    }
}
