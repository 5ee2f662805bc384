import CBlockDevices
import Glibc
import Synchronization

/// A descriptor that a holder has kept for us.
public struct HeldDescriptor: Sendable, Equatable {
    public var name: String
    /// What was said of it when it was handed over.
    public var note: String
    /// Ours, close-on-exec; whoever takes it closes it.
    public var descriptor: Int32

    public init(name: String, note: String, descriptor: Int32) {
        self.name = name
        self.note = note
        self.descriptor = descriptor
    }
}

/// The process that keeps descriptors for a node while no `ciod` of it runs: `cio-holder`.
///
/// It is started with the first descriptor and ends with the last. Should it be killed, another
/// one gets what it had, from us, at the next call. Calls wait for it, for a moment.
public final class DescriptorHolder: Sendable {
    private struct Kept {
        var note: String
        /// A duplicate, so that a new holder can be given it.
        var descriptor: Int32
    }

    private struct State {
        /// The connection; -1 while there is none.
        var socket: Int32 = -1
        var kept: [String: Kept] = [:]
    }

    private let path: String
    private let program: String
    private let patience: String
    private let state = Mutex(State())

    /// How long it waits for the next `ciod`.
    public static let patienceSeconds = 600

    /// - Parameters:
    ///   - path: of its socket, in a folder that is root's alone.
    ///   - program: `cio-holder`, with its folder.
    ///   - patience: in seconds; then what it holds is closed, as nobody has come.
    public init(path: String, program: String, patience: Int = patienceSeconds) {
        self.path = path
        self.program = program
        self.patience = "\(patience)"
    }

    deinit {
        state.withLock { state in
            if state.socket >= 0 { close(state.socket) }
            for kept in state.kept.values { close(kept.descriptor) }
        }
    }

    /// What the process before us has left; nothing where no holder runs. It stays held. To be
    /// called first.
    public func adopt() throws(BlockDeviceError) -> [HeldDescriptor] {
        try state.withLock { (state) throws(BlockDeviceError) in
            let socket = cio_holder_connect(path)
            if socket == -ENOENT || socket == -ECONNREFUSED { return [] }
            guard socket >= 0 else { throw failure("connect to", -socket) }
            var found: [HeldDescriptor] = []
            do throws(BlockDeviceError) {
                try list(socket, into: &found)
                for held in found {
                    let own = try duplicate(held.descriptor)
                    state.kept[held.name] = Kept(note: held.note, descriptor: own)
                }
            } catch {
                // It is left to its patience; another one takes its place.
                close(socket)
                unlink(path)
                for held in found { close(held.descriptor) }
                for kept in state.kept.values { close(kept.descriptor) }
                state.kept = [:]
                // Its patience has just come to its end.
                if found.isEmpty, error == failure("hear", ECONNRESET) { return [] }
                throw error
            }
            state.socket = socket
            return found
        }
    }

    /// Keeps a duplicate of the descriptor, under a name of at most 63 bytes and with a note of
    /// at most 191.
    public func hold(
        _ descriptor: Int32, as name: String, note: String
    ) throws(BlockDeviceError) {
        try state.withLock { (state) throws(BlockDeviceError) in
            let kept = Kept(note: note, descriptor: try duplicate(descriptor))
            if let old = state.kept.updateValue(kept, forKey: name) { close(old.descriptor) }
            do throws(BlockDeviceError) {
                try give(name, kept, &state)
            } catch {
                state.kept[name] = nil
                close(kept.descriptor)
                throw error
            }
        }
    }

    /// Lets go of a descriptor: it ends with whoever else has it open.
    public func drop(_ name: String) throws(BlockDeviceError) {
        try state.withLock { (state) throws(BlockDeviceError) in
            guard let old = state.kept.removeValue(forKey: name) else { return }
            close(old.descriptor)
            do throws(BlockDeviceError) {
                try ask(state.socket, cio_holder_drop, name)
            } catch {
                // With it went what it held.
                disconnect(&state)
                try restore(&state)
            }
        }
    }

    /// Starts another holder where the one that there was has died.
    public func check() throws(BlockDeviceError) {
        try state.withLock { (state) throws(BlockDeviceError) in
            var end = pollfd(fd: state.socket, events: Int16(POLLIN), revents: 0)
            // It says nothing of itself: what can be read is its end.
            if state.socket >= 0, poll(&end, 1, 0) != 0 { disconnect(&state) }
            if state.socket < 0 { try restore(&state) }
        }
    }
}

// Under the lock.
extension DescriptorHolder {
    private func give(
        _ name: String, _ kept: Kept, _ state: inout State
    ) throws(BlockDeviceError) {
        if state.socket >= 0 {
            do throws(BlockDeviceError) {
                return try ask(state.socket, cio_holder_hold, name, kept.note, kept.descriptor)
            } catch { disconnect(&state) }
        }
        try restore(&state)
    }

    /// A new holder, which is given everything.
    private func restore(_ state: inout State) throws(BlockDeviceError) {
        guard !state.kept.isEmpty else { return }
        let failed = cio_holder_start(program, path, patience)
        guard failed == 0 else {
            throw .system(operation: "start", object: program, errno: failed)
        }
        let socket = cio_holder_connect(path)
        guard socket >= 0 else { throw failure("connect to", -socket) }
        state.socket = socket
        do throws(BlockDeviceError) {
            for (name, kept) in state.kept {
                try ask(socket, cio_holder_hold, name, kept.note, kept.descriptor)
            }
        } catch {
            disconnect(&state)
            throw error
        }
    }

    private func disconnect(_ state: inout State) {
        if state.socket >= 0 { close(state.socket) }
        state.socket = -1
    }

    private func duplicate(_ descriptor: Int32) throws(BlockDeviceError) -> Int32 {
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard own >= 0 else { throw .last("duplicate", "a descriptor") }
        return own
    }

    // MARK: Messages

    private func ask(
        _ socket: Int32, _ kind: cio_holder_kind, _ name: String, _ note: String = "",
        _ descriptor: Int32 = -1
    ) throws(BlockDeviceError) {
        try send(kind, name, note, descriptor, socket)
        let (answer, stray) = try receive(socket)
        if stray >= 0 { close(stray) }
        guard answer.kind == cio_holder_done.rawValue else { throw failure("ask", EPROTO) }
        guard answer.status == 0 else { throw failure("ask", answer.status) }
    }

    private func list(
        _ socket: Int32, into found: inout [HeldDescriptor]
    ) throws(BlockDeviceError) {
        try send(cio_holder_list, "", "", -1, socket)
        while true {
            var (message, descriptor) = try receive(socket)
            if message.kind == cio_holder_done.rawValue, descriptor < 0 { return }
            guard message.kind == cio_holder_held.rawValue, descriptor >= 0 else {
                if descriptor >= 0 { close(descriptor) }
                throw failure("ask", EPROTO)
            }
            found.append(HeldDescriptor(
                name: String(cString: cio_holder_name(&message)),
                note: String(cString: cio_holder_note(&message)), descriptor: descriptor))
        }
    }

    private func send(
        _ kind: cio_holder_kind, _ name: String, _ note: String, _ descriptor: Int32,
        _ socket: Int32
    ) throws(BlockDeviceError) {
        var message = cio_holder_message()
        guard cio_holder_make(&message, kind.rawValue, name, note) else {
            throw failure("ask", ENAMETOOLONG)
        }
        let failed = cio_holder_send(socket, &message, descriptor)
        guard failed == 0 else { throw failure("ask", failed) }
    }

    private func receive(
        _ socket: Int32
    ) throws(BlockDeviceError) -> (cio_holder_message, descriptor: Int32) {
        var message = cio_holder_message()
        var descriptor: Int32 = -1
        let failed = cio_holder_receive(socket, &message, &descriptor)
        guard failed == 0 else { throw failure("hear", failed) }
        return (message, descriptor)
    }

    private func failure(_ operation: String, _ errno: Int32) -> BlockDeviceError {
        .system(operation: operation, object: "the holder at \(path)", errno: errno)
    }
}
