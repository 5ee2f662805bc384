import FoundationEssentials
import Metadata

/// A metadata store in an etcd cluster, 3.4 or later, spoken to through the JSON gateway that every
/// member has (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/).
///
/// Keys and values stand in etcd as they are. Beside them, above every key that is text, each
/// client keeps a few slots by which a transaction whose reply was lost is found again
/// (`GuardedTransaction`).
///
/// Revisions are etcd's own: those of other programs' keys, and of slots, lie between ours.
///
/// Any endpoint serves any call; the next one is asked when one fails or is silent. A call fails
/// after `EtcdOptions.requestTimeout`; watches wait for etcd to come back. How much of the past is
/// kept is etcd's to decide: its `--auto-compaction-retention`.
public final class EtcdStore: MetadataStore {
    let session: Session
    let slots: OperationSlots

    private init(_ session: Session, _ slots: OperationSlots) {
        self.session = session
        self.slots = slots
    }

    /// Finds the cluster and takes the client's slots.
    public static func open(
        endpoints: [EtcdEndpoint], options: EtcdOptions
    ) async throws(MetadataError) -> EtcdStore {
        let object = endpoints.map(\.description).joined(separator: ",")
        guard (1...EtcdEndpoint.countMax).contains(endpoints.count) else {
            throw MetadataError(
                .invalidRequest, operation: "open", object: object.isEmpty ? "etcd" : object,
                cause: "\(endpoints.count) endpoints are not 1 to \(EtcdEndpoint.countMax)",
                remedy: "name some members of the cluster with --etcd")
        }
        let session = Session(endpoints, options)
        do throws(MetadataError) {
            try await session.checkEndpoints("open")
            return EtcdStore(session, try await OperationSlots.taken(with: session, object))
        } catch {
            await session.close()
            throw error
        }
    }

    public func get(_ key: String) async throws(MetadataError) -> Entry? {
        try MetadataError.check(key: key, operation: "get")
        let answer: RangeResponse = try await session.answer(try session.call(
            "get", on: key, "/v3/kv/range", RangeRequest(range: KeyRange(key: key))))
        return answer.entries.first
    }

    public func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try MetadataError.check(prefix: prefix, operation: "range")
        return try await session.range(KeyRange(prefix: prefix), prefix)
    }

    public func watch(prefix: String, after revision: Revision) -> Watch {
        Watch(after: revision) { [session] in
            let follower = WatchFollower(session, prefix: prefix, after: revision)
            return { _ throws(MetadataError) in try await follower.next() }
        }
    }

    public func close() async { await session.close() }
}

// Leases. Whoever holds one counts its time from before the call was made: however often it was
// sent, etcd counts from a later moment. etcd gives every lease its whole time again when it has
// elected another leader, so that a lease outlives that as long as its holder does.
extension EtcdStore {
    public func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try MetadataError.check(ttl: ttl)
        // Named by us, so that asking again does not make a second one.
        let id = LeaseID.random()
        let seconds = ttl.components.seconds + (ttl.components.attoseconds > 0 ? 1 : 0)
        let call = try session.call(
            "grant", on: "a lease", "/v3/lease/grant",
            LeaseGrantRequest(ttl: Int64Text(seconds), id: Int64Text(id.rawValue)), isChange: true)
        let reply: Reply<LeaseGrantResponse> = try await session.send(call)
        switch reply.result {
        case .success(let granted):
            return Lease(id: id, ttl: .seconds(granted.ttl?.value ?? seconds))
        case .failure(let refusal):
            // An earlier attempt was heard. Its time has begun already, and is begun again.
            if case .leaseExists = refusal.meaning, reply.mayBeSecond {
                return try await keepAlive(id)
            }
            throw refusal.error(of: call)
        }
    }

    @discardableResult
    public func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        // A leader that was stopped, and has not noticed yet that there is another one, would renew
        // a lease that the other one lets run out (etcd before 3.4.28).
        let call = try session.call(
            "keep-alive", on: "lease \(lease)", "/v3/lease/keepalive",
            LeaseRequest(id: Int64Text(lease.rawValue)), onlyNewestTerm: true)
        let answer: KeepAliveResponse = try await session.answer(call)
        guard let ttl = answer.result?.ttl?.value, ttl > 0 else {
            throw .leaseNotFound("keep-alive", lease)
        }
        return Lease(id: lease, ttl: .seconds(ttl))
    }

    public func revoke(_ lease: LeaseID) async throws(MetadataError) {
        let call = try session.call(
            "revoke", on: "lease \(lease)", "/v3/lease/revoke",
            LeaseRequest(id: Int64Text(lease.rawValue)), isChange: true)
        let reply: Reply<HeaderResponse> = try await session.send(call)
        guard case .failure(let refusal) = reply.result else { return }
        guard case .leaseNotFound = refusal.meaning else { throw refusal.error(of: call) }
        // When an earlier attempt may have been heard, it was.
        guard reply.mayBeSecond else { throw .leaseNotFound("revoke", lease) }
    }
}

extension Session {
    /// A call that may take as long as any.
    func call(
        _ operation: String, on object: String, _ path: String, _ request: some Encodable,
        isChange: Bool = false, onlyNewestTerm: Bool = false,
        deadline: ContinuousClock.Instant? = nil
    ) throws(MetadataError) -> Call {
        let body: Data
        do { body = try JSONEncoder().encode(request) } catch {
            throw MetadataError(
                .unexpected, operation: operation, object: object,
                cause: "the request cannot be written as JSON (\(error))")
        }
        return Call(
            operation: operation, object: object, path: path, body: body, isChange: isChange,
            onlyNewestTerm: onlyNewestTerm, deadline: deadline ?? self.deadline)
    }

    /// Everything in a range at one moment, read in pages.
    ///
    /// - Parameter moment: nil for now, which is chosen anew if etcd forgets it between two pages.
    func range(
        _ range: KeyRange, _ object: String, at moment: Revision? = nil
    ) async throws(MetadataError) -> Snapshot {
        let deadline = deadline
        var (rest, revision) = (range, moment)
        var entries: [Entry] = []
        while true {
            let call = try call(
                "range", on: object, "/v3/kv/range",
                RangeRequest(range: rest, limit: EtcdLimits.rangePage, revision: revision),
                deadline: deadline)
            let reply: Reply<RangeResponse> = try await send(call)
            switch reply.result {
            case .success(let page):
                entries += page.entries
                let read = revision ?? page.header?.storeRevision ?? .zero
                guard page.more ?? false, let last = page.kvs?.last else {
                    return Snapshot(entries: entries, revision: read)
                }
                revision = read
                rest = rest.rest(after: last.key)
            case .failure(let refusal):
                guard case .compacted = refusal.meaning, moment == nil,
                    ContinuousClock.now < deadline
                else { throw refusal.error(of: call) }
                (rest, revision, entries) = (range, nil, [])
            }
        }
    }
}
