import EngineCommands
import Glibc
import Ring
import Units

/// One engine thread's loop: takes completions, tells machines, performs what they decide, and
/// hands everything to the kernel once a turn.
///
/// ```
///   submitAndWait ─▶ completions ─▶ machines' events ─▶ settle: machines' actions ─▶ sends ─┐
///        ▲                                                                                  │
///        └──────────────────────────────────────────────────────────────────────────────────┘
/// ```
///
/// It lives in a local variable of its thread; everything it refers to is its alone, but for
/// `shared`. A machine's actions are performed only when none of its events is under way:
/// replicas' at once, owners' in `settle`, which also offers them what waits.
struct Loop: ~Copyable {
    var ring: Ring
    var memory: Memory
    let shared: EngineShared
    let number: Int
    let timing: Timing
    /// Read anew with every completion: a lease is checked when its data has arrived (rule 8).
    var now: Instant
    var timers = Timers()

    var connections = Table<Connection>(limit: EngineLimits.connectionsMax)
    var replicas = Table<ReplicaHost>(limit: EngineLimits.hostsMax)
    var volumes = Table<VolumeHost>(limit: EngineLimits.hostsMax)
    var disks = Table<Disk>(limit: EngineLimits.hostsMax)
    var requests = Slab<Request>(capacity: 1024)
    var pieces = Slab<RequestPiece>(capacity: 1024)

    /// What has actions to perform or requests to offer, bytes to send, or waits for memory.
    var dirtyReplicas = WorkList()
    var dirtyVolumes = WorkList()
    var dirtyConnections = WorkList()
    var memoryWaiters = WorkList()
    var readWaiters = WorkList()

    /// By id, for commands and hellos only.
    var volumeNumbers: [VolumeID: Int] = [:]
    var replicaNumbers: [LocalReplicaKey: Int] = [:]
    var addresses: [NodeID: SocketAddress] = [:]
    var exportNames: [String] = []
    var exportQuestions: [UInt64: ExportQuestion] = [:]
    var nodes: [NodeLiveness] = []
    var heartsBeat = false

    var lastLink: UInt32 = 0
    var lastExportToken: UInt64 = 0
    let listeners: Listeners
    var messages: [LoopMessage] = []
    var isStopping = false
    var stopIsOverdue = false
    var hasTrimmed = true

    init(
        number: Int, plan: EnginePlan, shared: EngineShared, listeners: Listeners
    ) throws(RingError) {
        var ring = try Ring(plan, waker: shared.wakers[number])
        memory = try Memory(ring: &ring)
        self.ring = ring
        self.shared = shared
        self.number = number
        self.listeners = listeners
        timing = shared.configuration.timing
        now = BootClock.now()
        messages.reserveCapacity(EngineLimits.mailboxMessagesMax)
    }

    /// Returns when `stop` was asked for and everything is closed.
    mutating func run() {
        begin()
        while true {
            flushConnections()
            if isStopping && mayEnd { return }
            ring.submitAndWait(until: timers.earliest)
            while let completion = ring.nextCompletion() {
                now = BootClock.now()
                handle(completion)
            }
            now = BootClock.now()
            while let timer = timers.popDue(at: now) { fire(timer) }
            settle()
            if isStopping {
                closeWhenOwnersAreGone()
                settle()
            }
        }
    }

    @inline(never)
    private mutating func begin() {
        for listener in Listeners.Kind.allCases { accept(listener) }
    }

    // MARK: Dispatch

    private mutating func handle(_ completion: Completion) {
        if completion.isWake { return receiveMessages() }
        guard let kind = OperationKind(rawValue: completion.tag.kind) else {
            trap("a completion of kind \(completion.tag.kind)")
        }
        let index = Int(completion.tag.index)
        let result = completion.result
        switch kind {
        case .receive: received(index, result)
        case .send: sent(index, result)
        case .replicaData: dataDone(index, result)
        case .replicaSync: syncDone(index, result)
        case .regionPage: regionPageDone(index, result)
        case .checksumPage: checksumPageDone(index, result)
        case .checksumSync: checksumSyncDone(index, result)
        case .stateSlot: stateSlotDone(index, result)
        case .checksumFill: checksumFillRead(index, result)
        case .diskReadable: diskReadable(index, result)
        case .connect: connected(index, result)
        case .closeSocket: socketClosed(index)
        case .closeDisk: diskClosed(index)
        case .accept: accepted(index, result, more: completion.more)
        }
    }

    private mutating func fire(_ timer: Timer) {
        let index = Int(timer.index)
        switch timer.kind {
        case .volume: volumeTimer(index, timer)
        case .throttle: throttleOpens(index, timer)
        case .replica: replicaTimer(index, timer)
        case .replicaIdle: replicaIdleTimer(index, timer)
        case .hello: helloTimer(index, timer)
        case .heartbeats: beatHearts()
        case .stopPatience: stopPatienceEnds()
        case .trim: trim()
        case .acceptAgain: acceptAgain(index)
        }
    }

    @inline(never)
    private mutating func receiveMessages() {
        shared.mailboxes[number].receive(into: &messages)
        for message in messages { handle(message) }
        messages.removeAll(keepingCapacity: true)
    }

    /// Performs what machines have decided, until there is nothing more.
    mutating func settle() {
        while true {
            if let index = dirtyReplicas.popFirst() {
                guard let host = replicas.find(index) else { continue }
                host.pointee.isDirty = false
                drainReplica(index)
                // Nothing else is under way with it here: it may go.
                if host.pointee.links.isEmpty { closeIdle(index) }
            } else if let index = dirtyVolumes.popFirst() {
                guard let host = volumes.find(index) else { continue }
                host.pointee.isDirty = false
                drainVolume(index)
            } else if memory.wasFreed {
                memory.wasFreed = false
                resumeWaiters()
            } else {
                return
            }
        }
    }

    /// Goes on with what waited for memory.
    private mutating func resumeWaiters() {
        while let freed = memory.nextFreedRequest() { requestMemoryFreed(freed) }
        for _ in 0..<readWaiters.count {
            if let index = readWaiters.popFirst() { resumeReads(index) }
        }
        for _ in 0..<memoryWaiters.count {
            if let index = memoryWaiters.popFirst() { resumeReceiving(index) }
        }
        resumeDisks()
        if hasTrimmed {
            hasTrimmed = false
            trimLater()
        }
    }

    private mutating func trimLater() {
        timers.add(
            Timer(instant: now + EngineLimits.trimAfter, kind: .trim, index: 0, generation: 0))
    }

    /// Gives memory that a burst has used back to the system, once nothing of it is in use.
    private mutating func trim() {
        if memory.count > 0 { return trimLater() }
        hasTrimmed = true
        memory.trim()
        for index in 0..<disks.end {
            if let disk = disks.find(index), disk.pointee.isQuiet { disk.pointee.trim() }
        }
    }

    // Not inlined, so that the ways of the I/Os that may come here count no references.

    @inline(never)
    func log(_ line: @autoclosure () -> String) { shared.log(line()) }

    @inline(never)
    mutating func report(_ report: EngineReport) { shared.report(report) }
}
