import Units

/// Does blocking file operations on one thread of its own, one after the other.
///
/// The thread starts with the first job. Jobs that do not fit into its mailbox wait here.
struct HelperThread: ~Copyable {
    private final class Mailboxes: Sendable {
        let jobWaker: Waker
        let jobs: Mailbox<FileJob>
        let results: Mailbox<Completion>

        init(signal: Waker) throws(RingError) {
            jobWaker = try Waker()
            jobs = Mailbox(capacity: RingLimits.helperJobs, waker: jobWaker)
            results = Mailbox(capacity: RingLimits.helperJobs, waker: signal)
        }

        /// The thread's function. No result is refused: no more jobs are handed out than results
        /// have room.
        func run() {
            var batch: [FileJob] = []
            while true {
                let isClosed = jobs.isClosed
                jobs.receive(into: &batch)
                for job in batch {
                    let sent = results.send(Completion(tag: job.tag, result: job.perform()))
                    require(sent, "the helper thread's results overflowed")
                }
                if batch.isEmpty {
                    if isClosed { return }
                    jobWaker.wait()
                }
                batch.removeAll(keepingCapacity: true)
            }
        }
    }

    private var mailboxes: Mailboxes?
    private var thread: EngineThread?
    /// Jobs that wait for room in the mailbox.
    private var backlog: [FileJob] = []
    private var results: [Completion] = []
    private var handedOut = 0

    init() {}

    deinit {
        mailboxes?.jobs.close()
        thread?.join()
    }

    var isBusy: Bool { handedOut > 0 }

    mutating func queue(_ job: FileJob, signal: Waker) {
        if mailboxes == nil { start(signal: signal) }
        backlog.append(job)
        handOut()
    }

    private mutating func start(signal: Waker) {
        do throws(RingError) {
            let mailboxes = try Mailboxes(signal: signal)
            thread = try EngineThread(name: "cio-aio-helper") { mailboxes.run() }
            self.mailboxes = mailboxes
        } catch {
            // Neither a descriptor nor a thread to be had: nothing can be served any more.
            trap("\(error)")
        }
    }

    private mutating func handOut() {
        guard let mailboxes, !backlog.isEmpty else { return }
        var sent = 0
        while sent < backlog.count, handedOut < RingLimits.helperJobs,
            mailboxes.jobs.send(backlog[sent]) {
            sent += 1
            handedOut += 1
        }
        backlog.removeFirst(sent)
    }

    @inline(never)
    mutating func reap(into completions: inout CompletionQueue) {
        guard let mailboxes else { return }
        mailboxes.results.receive(into: &results)
        for result in results { completions.append(result) }
        handedOut -= results.count
        results.removeAll(keepingCapacity: true)
        handOut()
    }
}
