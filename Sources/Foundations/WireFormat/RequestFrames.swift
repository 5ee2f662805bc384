import Units

/// Requests and replies as frames.
extension ReplicaRequest {
    /// Writes the header, and a list's or checkpoint's stamp after it. A write's checksums and
    /// blocks follow, which the caller puts there.
    /// - Parameter bytes: room for `FrameHeader.byteCount + StampBody.byteCount`.
    /// - Returns: how many bytes were written.
    public func encode(
        volume: VolumeID, version: UInt16, to bytes: UnsafeMutableRawPointer
    ) -> Int {
        var header = FrameHeader(
            .request(kind), version: version, request: id, epoch: epoch, volume: volume)
        if kind.changesData {
            header.generation = generation
            if forceUnitAccess { header.flags |= FrameFlags.forceUnitAccess.rawValue }
            if isCopy { header.flags |= FrameFlags.copy.rawValue }
        }
        switch kind {
        case .read, .write, .discard, .writeZeroes:
            header.offset = range.offset
            header.length = UInt32(range.length)
        case .list:
            header.offset = range.offset
            header.length = UInt32(StampBody.byteCount)
        case .checkpoint: header.length = UInt32(StampBody.byteCount)
        case .promise, .flush, .lease, .giveLeaseBack, .whole: break
        }
        header.encode(to: bytes)
        guard kind == .list || kind == .checkpoint else { return FrameHeader.byteCount }
        StampBody.encode(stamp, to: bytes + FrameHeader.byteCount)
        return FrameHeader.byteCount + StampBody.byteCount
    }

    /// The request that a header and its prefix make.
    /// - Parameter prefix: the `prefixBytes` bytes after the header.
    public init(_ header: FrameHeader, prefix: UnsafeRawPointer) throws(FrameFault) {
        guard case .request(let kind) = header.kind else { throw .unexpectedKind(header.kind) }
        let flags = FrameFlags(rawValue: header.flags)
        let hasStamp = kind == .list || kind == .checkpoint
        self.init(
            kind, id: header.request, epoch: header.epoch, generation: header.generation,
            range: ByteRange(offset: header.offset, length: hasStamp ? 0 : UInt64(header.length)),
            stamp: hasStamp ? try StampBody.decode(prefix, of: header.kind) : .zero,
            forceUnitAccess: flags.contains(.forceUnitAccess))
        isCopy = flags.contains(.copy)
    }
}

extension ReplicaReply {
    /// Writes the header, and a promise's holding after it. A read's checksums and blocks, or a
    /// list's prefix and entries, follow: the caller puts them there.
    /// - Parameters:
    ///   - range: a read's; what an answer of `.ok` carries.
    ///   - entries: a list's, likewise.
    ///   - bytes: room for `FrameHeader.byteCount + HoldingBody.byteCount`.
    /// - Returns: how many bytes were written.
    public func encode(
        volume: VolumeID, version: UInt16, range: ByteRange = ByteRange(offset: 0, length: 0),
        entries: Int = 0, to bytes: UnsafeMutableRawPointer
    ) -> Int {
        var header = FrameHeader(
            .reply(kind), version: version, flags: status.rawValue, request: id, epoch: epoch,
            volume: volume)
        if status == .ok {
            switch kind {
            case .read:
                header.offset = range.offset
                header.length = UInt32(range.length)
            case .list:
                header.offset = nextRegion
                header.length = UInt32(entries * RegionEntries.entryBytes)
            case .promise: header.length = UInt32(HoldingBody.byteCount)
            default: break
            }
        }
        header.encode(to: bytes)
        guard kind == .promise, status == .ok else { return FrameHeader.byteCount }
        HoldingBody.encode(holding, to: bytes + FrameHeader.byteCount)
        return FrameHeader.byteCount + HoldingBody.byteCount
    }

    /// The reply that a header and its prefix make.
    /// - Parameter prefix: the `prefixBytes` bytes after the header.
    public init(_ header: FrameHeader, prefix: UnsafeRawPointer) throws(FrameFault) {
        guard case .reply(let kind) = header.kind else { throw .unexpectedKind(header.kind) }
        guard let status = ReplyStatus(rawValue: header.flags) else {
            throw .unknownStatus(header.flags)
        }
        let holding = kind == .promise && status == .ok ? try HoldingBody.decode(prefix) : Holding()
        self.init(
            kind, id: header.request, status: status, epoch: header.epoch, holding: holding,
            nextRegion: kind == .list && status == .ok ? header.offset : ReplicaReply.listEnd)
    }
}
