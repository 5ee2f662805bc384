import FoundationEssentials
import Metadata
import Synchronization

/// One request as it is sent again and again until somebody answers it.
struct Call: Sendable {
    /// `transaction`, `range`, `keep-alive`.
    var operation: String
    /// For messages.
    var object: String
    var path: String
    var body: Data
    /// Whether it could change something, so that a lost reply leaves a doubt.
    var isChange = false
    /// Whether a member that was cut off could answer it from what it remembers.
    var onlyNewestTerm = false
    var deadline: ContinuousClock.Instant
}

/// What came back for a call.
struct Reply<Answer: GatewayAnswer>: Sendable {
    /// Refusals that another endpoint would give as well.
    var result: Result<Answer, GatewayRefusal>
    /// An earlier attempt may have been performed too.
    var mayBeSecond: Bool
}

/// Sends calls to whichever endpoint answers, in a bounded time.
///
/// Every call may be sent several times: reads and renewals do no harm, transactions are guarded
/// against being done twice (`GuardedTransaction`), leases have names that we choose.
final class Session: Sendable {
    let members: Members
    let gateway: Gateway
    let options: EtcdOptions
    private let activity = Mutex<(isClosed: Bool, count: Int)>((false, 0))

    init(_ endpoints: [EtcdEndpoint], _ options: EtcdOptions) {
        members = Members(endpoints)
        // Within the attempt's time, so that it is known that nothing was sent.
        gateway = Gateway(connectTimeout: options.attemptTimeout * 4 / 5)
        self.options = options
    }

    var deadline: ContinuousClock.Instant { .now + options.requestTimeout }
    var isClosed: Bool { activity.withLock { $0.isClosed } }

    /// True if the session is open: `end` has to follow, and `close` waits for it.
    func begin() -> Bool {
        activity.withLock { activity in
            if !activity.isClosed { activity.count += 1 }
            return !activity.isClosed
        }
    }

    func end() { activity.withLock { $0.count -= 1 } }

    func close() async {
        activity.withLock { $0.isClosed = true }
        members.close()
        // Not for long: after the attempt that is under way nobody begins another one.
        while activity.withLock({ $0.count > 0 }) {
            try? await Task.sleep(for: .milliseconds(2))
        }
        await gateway.close()
    }

    /// What etcd answers to a call, or why it refuses it.
    func send<Answer: GatewayAnswer>(
        _ call: Call, as type: Answer.Type = Answer.self
    ) async throws(MetadataError) -> Reply<Answer> {
        guard begin() else { throw .closed(call.operation, on: call.object) }
        defer { end() }
        var failures = CallFailures(call, members.endpoints)
        var attempt = 0
        // From there on in a circle, wherever others move in the meantime.
        let first = members.current
        repeat {
            let index = (first + attempt) % members.endpoints.count
            do throws(AttemptFailure) {
                let result: Result<Answer, GatewayRefusal> = try await self.attempt(
                    call, at: index, timeout: timeout(attempt, call))
                if attempt > 0 { members.prefer(index) }
                return Reply(result: result, mayBeSecond: failures.mayHaveArrived)
            } catch {
                // Whoever gives up has nothing to say of the endpoint.
                if !Task.isCancelled { members.failed(index) }
                failures.add(error, at: index)
            }
            attempt += 1
            await pause(after: attempt, until: call.deadline)
        } while ContinuousClock.now < call.deadline && !Task.isCancelled && !isClosed
        throw failures.error(isClosed: isClosed, limit: options.requestTimeout)
    }

    /// The same for whom every refusal is a failure.
    func answer<Answer: GatewayAnswer>(
        _ call: Call, as type: Answer.Type = Answer.self
    ) async throws(MetadataError) -> Answer {
        switch try await send(call, as: type).result {
        case .success(let answer): return answer
        case .failure(let refusal): throw refusal.error(of: call)
        }
    }

    /// Twice as long in every round, but never past the deadline.
    private func timeout(_ attempt: Int, _ call: Call) -> Duration {
        let round = min(attempt / members.endpoints.count, 8)
        let left = ContinuousClock.now.duration(to: call.deadline)
        // Something has to be tried, even at the last moment.
        return max(min(options.attemptTimeout * (1 << round), left), .milliseconds(20))
    }

    /// Between rounds, so that endpoints that refuse at once are not asked in a circle.
    private func pause(after attempts: Int, until deadline: ContinuousClock.Instant) async {
        let count = members.endpoints.count
        guard attempts % count == 0 else { return }
        let longest = min(
            EtcdLimits.pause * (1 << min(attempts / count, 4)), EtcdLimits.pauseMax)
        let pause = longest * Double.random(in: 0.5..<1)
        try? await Task.sleep(for: min(pause, max(ContinuousClock.now.duration(to: deadline), .zero)))
    }

    /// Asks one endpoint once.
    func attempt<Answer: GatewayAnswer>(
        _ call: Call, at index: Int, timeout: Duration
    ) async throws(AttemptFailure) -> Result<Answer, GatewayRefusal> {
        let result = await within(timeout) { [self] in
            await Result { () async throws(AttemptFailure) in
                try await know(index)
                let reply = try await gateway.post(
                    call.path, call.body, to: members.endpoints[index])
                return try interpret(reply, at: index, call) as Result<Answer, GatewayRefusal>
            }
        }
        guard let result else {
            throw AttemptFailure(reason: "no answer within \(timeout.text)", mayHaveArrived: true)
        }
        return try result.get()
    }

    private func interpret<Answer: GatewayAnswer>(
        _ reply: (body: Data, isFine: Bool), at index: Int, _ call: Call
    ) throws(AttemptFailure) -> Result<Answer, GatewayRefusal> {
        guard reply.isFine else {
            guard let refusal = try? JSONDecoder().decode(GatewayRefusal.self, from: reply.body)
            else { throw .notEtcd("it refuses \(call.path) in words that are not etcd's") }
            if case .tryAgain = refusal.meaning {
                throw AttemptFailure(reason: refusal.message, mayHaveArrived: true)
            }
            return .failure(refusal)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: reply.body),
            let header = answer.header
        else { throw .notEtcd("it answers \(call.path) in words that are not etcd's") }
        try members.accept(header, from: index, onlyNewestTerm: call.onlyNewestTerm)
        return .success(answer)
    }
}

/// What every endpoint had against a call.
private struct CallFailures {
    private let call: Call
    private let endpoints: [EtcdEndpoint]
    private var last: [Int: AttemptFailure] = [:]
    private(set) var mayHaveArrived = false

    init(_ call: Call, _ endpoints: [EtcdEndpoint]) {
        self.call = call
        self.endpoints = endpoints
    }

    mutating func add(_ failure: AttemptFailure, at index: Int) {
        last[index] = failure
        if failure.mayHaveArrived { mayHaveArrived = true }
    }

    func error(isClosed: Bool, limit: Duration) -> MetadataError {
        let reasons = endpoints.indices.compactMap { index in
            last[index].map { "\(endpoints[index]): \($0.reason)" }
        }.joined(separator: ", ")
        let isForeign = !last.isEmpty && last.values.allSatisfy(\.isForeign)
        let why =
            if isClosed {
                "the store was closed"
            } else if Task.isCancelled {
                "it was cancelled"
            } else {
                "no etcd could do it within \(limit.text)"
            }
        return MetadataError(
            isForeign ? .foreign : .unavailable,
            outcome: call.isChange && mayHaveArrived ? .unknown : .notDone,
            operation: call.operation, object: call.object, cause: "\(why) (\(reasons))",
            remedy: isForeign
                ? "name the endpoints of one etcd cluster with --etcd"
                : "see that more than half of the etcd members run and can be reached")
    }
}
