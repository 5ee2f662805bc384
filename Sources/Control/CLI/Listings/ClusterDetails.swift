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
        return counts + capacity(info) + condition + losses + engine
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
