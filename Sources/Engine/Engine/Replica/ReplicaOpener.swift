import DriveStore
import Glibc
import Ring
import Units

/// The outcome of opening a replica's files.
final class ReplicaOpening: @unchecked Sendable {
    // Made on the opener's thread, taken once on the loop's: the mailbox lies in between.
    private var opened: OpenReplica?
    let failure: DriveError?

    init(_ opened: consuming OpenReplica) {
        self.opened = consume opened
        failure = nil
    }

    init(failure: DriveError) {
        opened = nil
        self.failure = failure
    }

    func take() -> OpenReplica? { opened.take() }
}

/// Opens replicas' files on a thread of its own: it takes system calls that wait for the drive.
final class ReplicaOpener: Sendable {
    struct Job: Sendable {
        var directory: String
        var expectation: ReplicaExpectation
        var loop: Int
        var number: Int
        var generation: UInt32
    }

    private let waker: Waker
    private let jobs: Mailbox<Job>
    private let cluster: ClusterID

    init(cluster: ClusterID) throws(RingError) {
        self.cluster = cluster
        waker = try Waker()
        jobs = Mailbox(capacity: EngineLimits.hostsMax, waker: waker)
    }

    func open(_ job: Job) -> Bool { jobs.send(job) }

    func stop() { jobs.close() }

    /// The thread's function: until `stop`.
    func run(_ answer: (Job, ReplicaOpening) -> Void) {
        var batch: [Job] = []
        while true {
            let isClosed = jobs.isClosed
            jobs.receive(into: &batch)
            for job in batch { answer(job, Self.perform(job)) }
            if batch.isEmpty {
                if isClosed { return }
                waker.wait()
            }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private static func perform(_ job: Job) -> ReplicaOpening {
        do throws(DriveError) {
            return ReplicaOpening(try ReplicaFiles.open(job.directory, expecting: job.expectation))
        } catch {
            return ReplicaOpening(failure: error)
        }
    }
}
