import API
import Control
import DockerPlugin
import Engine
import EngineCommands
import FoundationEssentials
import Glibc
import Logging
import Metadata
import MetadataEtcd
import MetadataSQLite
import RESTServer
import ServiceLifecycle
import Synchronization
import Units
import UnixSignals

/// Everything that one node runs, joined.
struct Node {
    let plane: ControlPlane
    let store: any MetadataStore
    let server: RESTServer
    /// The volume driver, and the labels in Docker's Swarm.
    let docker: [any Service]
    let logger: Logger

    /// In the order in which each part needs the one before: the store names the cluster, the
    /// cluster owns the drives, and the engine serves them.
    static func start(_ options: Options, logger: Logger) async throws -> Node {
        let folders = Folders(options: options)
        try folders.make()
        try folders.lock()
        let id = try folders.nodeID()
        let sockets = try Sockets(options)
        var logger = logger
        logger[metadataKey: "node"] = "\(options.name)"
        let settings = ControlSettings(
            node: id, name: options.name, address: options.address, incarnation: .random(),
            boot: options.boot, volumesDirectory: options.volumesDirectory,
            version: Release.version, isInsecureNetwork: options.isInsecureNetwork,
            times: ControlTimes(
                liveness: options.liveness, rebuildDelay: options.rebuildDelay,
                roleDelay: options.roleDelay))
        do {
            let store = try await open(options.store, id)
            return try await join(
                settings, options, store, sockets: sockets, logger: logger)
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError(description: "\(error)")
        }
    }

    private static func open(
        _ option: Options.StoreOption, _ node: NodeID
    ) async throws -> any MetadataStore {
        switch option {
        case .etcd(let endpoints):
            return try await EtcdStore.open(
                endpoints: endpoints, options: EtcdOptions(client: node.text))
        case .memory: return MemoryStore()
        case .sqlite(let path):
            let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            try Folders.make(String(parent), mode: 0o700)
            return try await SQLiteStore.open(path: path)
        }
    }

    private static func join(
        _ settings: ControlSettings, _ options: Options, _ store: any MetadataStore,
        sockets: Sockets, logger: Logger
    ) async throws -> Node {
        let engine = EngineJoint()
        let opened = Handover<DrivesJoint>()
        let membership = try await Membership.begin(
            settings: settings, store: store, logger: logger
        ) { cluster in
            let drives = try await DrivesJoint.open(
                options.drives, cluster: cluster, logger: logger)
            opened.value = drives
            return await drives.drives()
        }
        guard let drives = opened.value else { fatalError("joined without drives") }
        try engine.start(
            EngineConfiguration(
                kind: options.engine, threads: options.threads, cluster: membership.cluster,
                node: settings.node, incarnation: settings.incarnation, boot: settings.boot,
                listen: options.address, nbdSocketPath: sockets.nbd,
                nbdAddress: options.nbdAddress), logger: logger)
        guard chmod(sockets.nbd, 0o600) == 0 else {
            throw Folders.failure("set the mode of", sockets.nbd)
        }
        let devices = try DevicesJoint(
            runDirectory: sockets.directory, deviceDirectory: options.deviceDirectory,
            logger: logger)
        let plane = ControlPlane(
            settings: settings, membership: membership, store: store, engine: engine,
            storage: drives, devices: devices, logger: logger)
        logger.info("engine \(engine.kind), \(options.address.host):\(options.address.port)")
        for line in engine.missing { logger.notice("not available here: \(line)") }
        return Node(
            plane: plane, store: store,
            server: RESTServer(path: sockets.rest, requests: plane.requests, logger: logger),
            docker: try dockerServices(options, plane.requests, logger), logger: logger)
    }

    private static func dockerServices(
        _ options: Options, _ requests: Requests, _ logger: Logger
    ) throws -> [any Service] {
        guard let path = options.dockerSocket else { return [] }
        let socket: ListeningSocket
        do throws(ListeningSocket.Failure) {
            let environment = ProcessInfo.processInfo.environment
            if let inherited = ListeningSocket.inherited(environment: environment) {
                socket = inherited
            } else {
                socket = try ListeningSocket.make(at: path)
            }
        } catch {
            throw StartError(
                description: "\(error); choose another path with --docker-socket, or off")
        }
        let plugin = Plugin(
            requests: requests, stateDirectory: options.stateDirectory, boot: options.boot.text,
            dockerSocket: options.dockerHost, logger: logger)
        return [
            PluginServer(socket: socket, plugin: plugin, logger: logger),
            SwarmLabeller(requests: requests, dockerSocket: options.dockerHost, logger: logger),
        ]
    }

    /// Until SIGTERM or SIGINT; then everything is ended in order, the API first. After SIGTERM
    /// devices stay for the next `ciod`; SIGINT takes them away.
    func run() async throws {
        let ending = Ending()
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(
            services: [ControlService(plane: plane, store: store, ending: ending), server]
                + docker,
            gracefulShutdownSignals: [.sigterm], logger: logger))
        let interrupts = await UnixSignalsSequence(trapping: .sigint)
        let listener = Task {
            for await _ in interrupts {
                ending.isFinal.store(true, ordering: .releasing)
                await group.triggerGracefulShutdown()
            }
        }
        defer { listener.cancel() }
        try await group.run()
        logger.info("ended")
    }
}

/// How the node ends.
private final class Ending: Sendable {
    /// No `ciod` is expected to follow: nothing stays for it.
    let isFinal = Atomic<Bool>(false)
}

/// Takes a value out of a closure that is called once, before it is read.
private final class Handover<Value> {
    var value: Value?
}

/// Control, as a service that can be ended in an orderly way.
private struct ControlService: Service {
    let plane: ControlPlane
    let store: any MetadataStore
    let ending: Ending

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await plane.run() }
            try? await gracefulShutdown()
            await plane.stop(leavingDevices: !ending.isFinal.load(ordering: .acquiring))
            group.cancelAll()
        }
        await store.close()
    }
}

/// Where the sockets are.
struct Sockets {
    /// Without links, as the kernel's mount table has it.
    let directory: String
    let rest: String
    let nbd: String

    init(_ options: Options) throws {
        guard let resolved = realpath(options.runDirectory, nil) else {
            throw Folders.failure("resolve", options.runDirectory)
        }
        directory = String(cString: resolved)
        free(resolved)
        rest = directory + "/cio.sock"
        nbd = directory + "/nbd.sock"
        guard rest.utf8.count <= RESTServer.pathBytesMax else {
            throw StartError(
                description: "\(directory) is too long for sockets in it, which have at most"
                    + " \(RESTServer.pathBytesMax) bytes; choose another with --run-dir")
        }
    }
}
