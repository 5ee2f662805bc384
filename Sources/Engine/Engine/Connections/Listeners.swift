import EngineCommands
import Glibc

/// The sockets that the first loop accepts on; -1 for those there are not.
struct Listeners: Sendable {
    enum Kind: Int, CaseIterable { case data, nbd, nbdNetwork }

    private var sockets: [Int32]

    /// For the other loops.
    static let none = Listeners(sockets: Kind.allCases.map { _ in -1 })

    private init(sockets: [Int32]) { self.sockets = sockets }

    init(_ configuration: EngineConfiguration) throws(EngineError) {
        self = .none
        let data = configuration.listen
        try open(.data, "\(data.host):\(data.port)", SocketOptions.tcp(boundTo: data))
        if let path = configuration.nbdSocketPath {
            try open(.nbd, path, SocketOptions.unix(at: path))
        }
        if let nbd = configuration.nbdAddress {
            try open(.nbdNetwork, "\(nbd.host):\(nbd.port)", SocketOptions.tcp(boundTo: nbd))
        }
    }

    /// - Parameter socket: bound, or a negative errno.
    private mutating func open(
        _ kind: Kind, _ place: String, _ socket: Int32
    ) throws(EngineError) {
        let listening = SocketOptions.listening(socket)
        if listening < 0 {
            close()
            throw .listening(place, errno: -listening)
        }
        sockets[kind.rawValue] = listening
    }

    subscript(kind: Kind) -> Int32 { sockets[kind.rawValue] }

    /// The port that a listener was given; 0 where there is none.
    func port(_ kind: Kind) -> UInt16 {
        self[kind] < 0 ? 0 : SocketOptions.port(of: self[kind])
    }

    func close() {
        for socket in sockets where socket >= 0 { Glibc.close(socket) }
    }
}
