import AsyncHTTPClient
import FoundationEssentials
import Metadata
import NIOCore
import NIOFoundationEssentialsCompat

/// One watch over all its connections: each begins where the one before it ended.
actor WatchStream {
    enum End {
        /// To be continued, at this or another endpoint.
        case broken
        case failed(MetadataError)
    }

    private let session: Session
    private let prefix: String
    private let handoff: BatchHandoff
    private var assembly: ChangeAssembly
    /// Of all connections.
    private(set) var messages = 0
    /// Since when etcd is waited for to begin the watch.
    private var asked: ContinuousClock.Instant?

    init(
        _ session: Session, prefix: String, after revision: Revision, to handoff: BatchHandoff
    ) {
        self.session = session
        self.prefix = prefix
        self.handoff = handoff
        assembly = ChangeAssembly(after: revision)
    }

    /// Reads one connection until it ends.
    func read(from index: Int) async -> End {
        defer {
            asked = nil
            assembly.interrupt()
        }
        guard await handOn() else { return .broken }
        asked = .now
        do {
            try await session.know(index)
            let response = try await session.gateway.stream(
                "/v3/watch", JSONEncoder().encode(request), to: session.members.endpoints[index])
            var lines = LineBuffer(bytesMax: EtcdLimits.watchLineBytesMax)
            for try await piece in response.body {
                lines.append(piece)
                while let line = try lines.next() { try await take(line, from: index) }
            }
            return .broken
        } catch let error as MetadataError {
            guard case .compacted = error.kind else { return .broken }
            return .failed(error)
        } catch {
            return .broken
        }
    }

    /// Begins at the last revision that came, which is then left out, and not at the one after it.
    /// etcd refuses a watch from below the revision up to which it has compacted; but of that
    /// revision itself it has kept no deletions (before 3.4.34 it does not say so). The contract
    /// is the same: what comes after a revision can be had as long as that one is not below.
    private var request: WatchRequest {
        WatchRequest(create: WatchRequest.Create(
            range: KeyRange(prefix: prefix), start: max(assembly.received, .initial)))
    }

    private func take(_ line: Data, from index: Int) async throws {
        let message = try JSONDecoder().decode(WatchLine.self, from: line)
        guard let result = message.result, let header = result.header else {
            throw message.error ?? GatewayRefusal(code: 2, message: "a message without a result")
        }
        try session.members.accept(header, from: index, onlyNewestTerm: false)
        messages += 1
        if result.created ?? false {
            asked = nil
            try await checkStart(header)
        }
        if let compacted = result.compactRevision?.value, compacted > 0 {
            throw MetadataError.compacted(
                prefix: prefix, after: assembly.received,
                oldest: Revision(rawValue: compacted))
        }
        guard !(result.canceled ?? false) else {
            throw GatewayRefusal(code: 14, message: result.cancelReason ?? "the watch was ended")
        }
        assembly.take(
            (result.events ?? []).compactMap(\.change), isFragment: result.fragment ?? false)
        guard await handOn() else { throw CancellationError() }
    }

    /// Gives the reader what has come. False when it was cancelled in between.
    private func handOn() async -> Bool {
        while let batch = assembly.nextBatch {
            guard await handoff.give(batch) else { return false }
            assembly.drop(batch)
        }
        return true
    }

    /// Whether etcd lets us wait for longer than that.
    func isLate(by limit: Duration) -> Bool { asked.map { $0.duration(to: .now) > limit } ?? false }

    /// A member may lag behind; but when etcd as a whole has never been where the watch is to begin,
    /// it is not the etcd that it was.
    private func checkStart(_ header: ResponseHeader) async throws(MetadataError) {
        guard header.storeRevision < assembly.received else { return }
        let answer: RangeResponse = try await session.answer(try session.call(
            "watch", on: "\(prefix)*", "/v3/kv/range",
            RangeRequest(range: KeyRange(prefix: ""), limit: 1, isKeysOnly: true)))
        let now = answer.header?.storeRevision ?? .zero
        guard now >= assembly.received else {
            throw .wentBack(prefix: prefix, after: assembly.received, now: now)
        }
    }
}

/// Cuts what comes into lines.
struct LineBuffer {
    private var rest = ByteBuffer()
    /// Already searched for an end of line.
    private var searched = 0
    private let bytesMax: Int

    struct TooLong: Error {}

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    mutating func append(_ piece: ByteBuffer) {
        rest.discardReadBytes()
        rest.writeImmutableBuffer(piece)
    }

    /// The next whole line that is not empty; nil when there is none yet.
    mutating func next() throws(TooLong) -> Data? {
        while true {
            let view = rest.readableBytesView.dropFirst(searched)
            guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else {
                searched = rest.readableBytes
                guard searched <= bytesMax else { throw TooLong() }
                return nil
            }
            let line = rest.readData(length: end - rest.readerIndex)
            rest.moveReaderIndex(forwardBy: 1)
            searched = 0
            if let line, !line.isEmpty { return line }
        }
    }
}
