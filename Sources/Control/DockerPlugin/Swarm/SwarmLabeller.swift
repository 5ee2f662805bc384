import Control
import Logging
import ServiceLifecycle

/// Keeps the label `cio` on the nodes of the Swarm that this node's Docker manages; does nothing
/// where there is no Docker, no Swarm, or only a worker of one.
///
/// Every manager's `ciod` does the same: whoever comes second finds nothing to change, or an old
/// version, and looks again.
public actor SwarmLabeller: Service {
    private let engine: DockerEngine
    /// Nil until this node has read the cluster's records.
    private let members: @Sendable () -> [NodeStanding]?
    private let now: @Sendable () -> Double
    private let logger: Logger
    private var labels = SwarmLabels()

    init(
        engine: DockerEngine, members: @escaping @Sendable () -> [NodeStanding]?,
        now: @escaping @Sendable () -> Double, logger: Logger
    ) {
        self.engine = engine
        self.members = members
        self.now = now
        self.logger = logger
    }

    /// - Parameter dockerSocket: where Docker's own API is to be had.
    public init(requests: Requests, dockerSocket: String, logger: Logger) {
        let engine = DockerEngine(socketPath: dockerSocket)
        self.init(
            engine: engine,
            members: { requests.isInformed ? requests.nodeStandings() : nil },
            now: { LinuxHost(docker: engine).now() }, logger: logger)
    }

    /// Until the task is cancelled, or asked to end in an orderly way.
    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.label()
                try? await Task.sleep(for: Limits.labelling)
            }
        }
    }

    func label() async {
        // Somebody else may change a node between our look and our change.
        for _ in 0..<Limits.labelAttempts {
            guard let members = members(), let nodes = await engine.swarmNodes(),
                let here = await engine.swarmNodeID()
            else { return }
            let match = SwarmMatch(here: here, nodes: nodes, members: members)
            var isDone = true
            for change in labels.changes(in: match, now: now()) {
                if await engine.update(change.node, spec: change.node.spec(labelled: change.value)) {
                    logger.notice(
                        "Swarm node \(change.node.id) has the label cio=\(change.value) now")
                } else {
                    isDone = false
                }
            }
            if isDone { return }
        }
    }
}
