import CAio
import Glibc
import Units

/// The file half of the libaio backend: kernel AIO, and a helper thread for what AIO cannot do.
///
/// Operations wait in a fixed set of `iocb`s; a turn hands all queued ones to the kernel with one
/// `io_submit`. When all are in use, queueing waits for one to complete.
@safe struct AioFiles: ~Copyable {
    /// Signalled by AIO and by the helper when something has completed.
    let signal: Waker
    private let signalDescriptor: Int32
    private let context: aio_context_t
    private let blocks = FixedArray(repeating: iocb(), count: RingLimits.aioOperations)
    private let tags = FixedArray(repeating: OperationTag(rawValue: 0),
                                  count: RingLimits.aioOperations)
    /// Indices of the unused blocks, a stack.
    private let free = FixedArray(repeating: 0, count: RingLimits.aioOperations)
    private var freeCount = RingLimits.aioOperations
    /// Blocks prepared and not yet submitted, oldest first.
    private let queued = unsafe FixedArray(repeating: UnsafeMutablePointer<iocb>?.none,
                                           count: RingLimits.aioOperations)
    private var queuedCount = 0
    private let events = FixedArray(repeating: io_event(), count: RingLimits.aioBatch)
    private var helper = HelperThread()

    /// The fields are set last: a noncopyable value cannot be left half made.
    init() throws(RingError) {
        let signal = try Waker()
        var context: aio_context_t = 0
        let code = unsafe cio_aio_setup(UInt32(RingLimits.aioOperations), &context)
        guard code == 0 else {
            throw RingError("io_setup", code: -code,
                            advice: code == -EAGAIN ? "raise fs.aio-max-nr" : "")
        }
        self.signal = signal
        signalDescriptor = signal.descriptor
        self.context = context
        for i in 0..<free.count { free[i] = free.count - 1 - i }
    }

    /// Waits for what is in flight.
    deinit { _ = cio_aio_destroy(context) }

    private var inFlight: Int { RingLimits.aioOperations - freeCount - queuedCount }

    // MARK: Queueing

    mutating func queue(_ job: FileJob, completing completions: inout CompletionQueue) {
        if freeCount == 0 { makeRoom(completing: &completions) }
        freeCount -= 1
        let index = free[freeCount]
        tags[index] = job.tag
        unsafe cio_aio_prepare(blocks.address(index), job.opcode, job.file, job.bytes,
                               UInt64(job.length), job.offset, job.flags, signalDescriptor,
                               UInt64(index))
        unsafe queued[queuedCount] = blocks.address(index)
        queuedCount += 1
    }

    /// Has the helper thread do a job.
    @inline(never)
    mutating func help(_ job: FileJob) { helper.queue(job, signal: signal) }

    @inline(never)
    private mutating func makeRoom(completing completions: inout CompletionQueue) {
        submit(completing: &completions)
        while freeCount == 0 { takeEvents(atLeast: 1, into: &completions) }
    }

    /// Hands the queued operations to the kernel.
    ///
    /// The kernel takes them in order and stops at the first it refuses: EINVAL and EOPNOTSUPP
    /// (a sync on a filesystem without AIO fsync, for one) go to the helper, as does EAGAIN, which
    /// means that memory is short; any other errno is that operation's result.
    mutating func submit(completing completions: inout CompletionQueue) {
        var first = 0
        while first < queuedCount {
            let code = unsafe cio_aio_submit(context, queuedCount - first, queued.address(first))
            if code > 0 {
                first += Int(code)
                continue
            }
            let index = unsafe queued[first]! - blocks.address(0)
            switch -code {
            case EINTR: continue
            case EAGAIN, EINVAL, EOPNOTSUPP, 0: help(FileJob(of: blocks[index], tag: tags[index]))
            default: completions.append(Completion(tag: tags[index], result: code))
            }
            release(index)
            first += 1
        }
        queuedCount = 0
    }

    private mutating func release(_ index: Int) {
        free[freeCount] = index
        freeCount += 1
    }

    // MARK: Completing

    /// Takes what AIO and the helper have completed.
    mutating func reap(into completions: inout CompletionQueue) {
        signal.acknowledge()
        if inFlight > 0 { takeEvents(atLeast: 0, into: &completions) }
        if helper.isBusy { helper.reap(into: &completions) }
    }

    private mutating func takeEvents(atLeast min: Int, into completions: inout CompletionQueue) {
        var min = min
        while true {
            let count = unsafe cio_aio_getevents(context, min, events.count, events.address(0))
            if count == -EINTR { continue }
            if count < 0 { trap("io_getevents", count) }
            for i in 0..<Int(count) {
                let index = Int(events[i].data)
                completions.append(Completion(tag: tags[index], result: Int32(events[i].res)))
                release(index)
            }
            if count < events.count { return }
            min = 0
        }
    }
}

extension FileJob {
    fileprivate var opcode: UInt16 {
        switch kind {
        case .read: UInt16(IOCB_CMD_PREAD)
        case .write: UInt16(IOCB_CMD_PWRITE)
        case .sync: UInt16(IOCB_CMD_FSYNC)
        case .syncData: UInt16(IOCB_CMD_FDSYNC)
        case .allocate: trap("kernel AIO has no allocate")
        }
    }

    /// The job that `block` was prepared for.
    fileprivate init(of block: iocb, tag: OperationTag) {
        let kind: Kind = switch Int(block.aio_lio_opcode) {
        case IOCB_CMD_PREAD: .read
        case IOCB_CMD_PWRITE: .write
        case IOCB_CMD_FSYNC: .sync
        default: .syncData
        }
        unsafe self.init(
            kind, Int32(bitPattern: block.aio_fildes),
            bytes: UnsafeMutableRawPointer(bitPattern: UInt(block.aio_buf)),
            length: Int(block.aio_nbytes), offset: UInt64(bitPattern: block.aio_offset),
            flags: Int32(block.aio_rw_flags), tag: tag)
    }
}
