import ArgumentParser

/// What the command line may say. Defaults are applied after environment and file.
struct Flags: ParsableArguments {
    @Option(help: "Configuration file. (default: /etc/cio/ciod.conf, if it exists)")
    var config: String?
    @Option(help: "This node's name. (default: the machine's)")
    var name: String?
    @Option(help: "Where the node's id is kept. (default: /var/lib/cio)")
    var stateDir: String?
    @Option(help: "For sockets: cio.sock, nbd.sock. (default: /run/cio)")
    var runDir: String?
    @Option(help: "For links to devices: vdN. (default: /dev/vdisk)")
    var devDir: String?
    @Option(help: "Where volumes are mounted, as vdN. (default: /cio/volumes)")
    var volumesDir: String?
    @Option(
        help: ArgumentHelp(
            "A directory for copies of volumes; PATH,hdd if it lies on a hard disk. Repeatable;"
                + " none: the node holds no copies.", valueName: "path"))
    var drive: [String] = []
    @Option(help: "IPv4 address for connections between nodes. (default: 127.0.0.1)")
    var address: String?
    @Option(help: "Port for connections between nodes. (default: 7700)")
    var port: String?
    @Option(
        help: ArgumentHelp(
            "Serve NBD clients of the network as well, without authentication. (default: nbd.sock"
                + " only)", valueName: "address:port"))
    var nbdAddress: String?
    @Option(
        help: ArgumentHelp(
            "The metadata service: sqlite:PATH, shared by the nodes of one machine, or memory."
                + " (default: sqlite:<state-dir>/metadata.sqlite)", valueName: "store"))
    var store: String?
    @Option(
        help: ArgumentHelp(
            "Instead of --store: a member of the etcd cluster (3.4 or later) that is the metadata"
                + " service, http://HOST:PORT. Repeatable, or several with commas between.",
            valueName: "url"))
    var etcd: [String] = []
    @Option(help: "How I/O is done: auto, uring, aio. (default: auto)")
    var engine: String?
    @Option(help: "Engine threads, 1 to 64. (default: 1)")
    var threads: String?
    @Option(help: "Instead of the kernel's boot id; for tests.")
    var bootId: String?
    @Option(
        help: """
            Seconds of silence after which other nodes take over what this one owns, and within \
            which it can be restarted below its mounted volumes. (default: 3)
            """)
    var liveness: String?
    @Option(help: "Seconds before a copy on a silent node is made elsewhere. (default: 30)")
    var rebuildDelay: String?
    @Option(help: "Seconds before a silent node's role moves. (default: 60)")
    var roleDelay: String?
    @Option(
        help: ArgumentHelp(
            "Where Docker finds the volume driver, or off."
                + " (default: /run/docker/plugins/cio.sock)", valueName: "path"))
    var dockerSocket: String?
    @Option(
        help: ArgumentHelp(
            "Docker's own socket, asked which containers run. (default: /run/docker.sock)",
            valueName: "path"))
    var dockerHost: String?
    @Option(help: "trace, debug, info, notice, warning, error. (default: info)")
    var logLevel: String?
    @Flag(help: "Listen on other than loopback addresses, without authentication.")
    var insecureNetwork = false
}
