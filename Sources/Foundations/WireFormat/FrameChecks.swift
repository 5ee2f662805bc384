import Units

/// What may arrive on a connection in its present state: anything else is a fault.
public struct FrameExpectation: Equatable, Sendable {
    public enum Frames: Equatable, Sendable {
        /// The first frame that an accepting side reads.
        case hello
        /// The first frame that a connecting side reads.
        case helloReply
        /// At a replica, from its owner.
        case requests
        /// At an owner, from a replica.
        case replies
        /// Between nodes.
        case heartbeats
    }

    public var frames: Frames
    /// What the hello agreed on.
    public var version: UInt16
    public var volume: VolumeID
    /// Of the volume; no range ends beyond it.
    public var sizeBytes: UInt64

    private init(_ frames: Frames, version: UInt16, volume: VolumeID, sizeBytes: UInt64) {
        self.frames = frames
        self.version = version
        self.volume = volume
        self.sizeBytes = sizeBytes
    }

    public static var hello: FrameExpectation {
        FrameExpectation(.hello, version: WireVersion.ofHello, volume: .zero, sizeBytes: 0)
    }

    public static var helloReply: FrameExpectation {
        FrameExpectation(.helloReply, version: WireVersion.ofHello, volume: .zero, sizeBytes: 0)
    }

    public static func heartbeats(version: UInt16) -> FrameExpectation {
        FrameExpectation(.heartbeats, version: version, volume: .zero, sizeBytes: 0)
    }

    public static func requests(
        version: UInt16, volume: VolumeID, sizeBytes: UInt64
    ) -> FrameExpectation {
        FrameExpectation(.requests, version: version, volume: volume, sizeBytes: sizeBytes)
    }

    public static func replies(
        version: UInt16, volume: VolumeID, sizeBytes: UInt64
    ) -> FrameExpectation {
        FrameExpectation(.replies, version: version, volume: volume, sizeBytes: sizeBytes)
    }
}

extension FrameHeader {
    /// Holds every field against what its kind allows.
    func check(against expectation: FrameExpectation) throws(FrameFault) {
        guard version == expectation.version else {
            throw .wrongVersion(version, agreed: expectation.version)
        }
        switch (expectation.frames, kind) {
        case (.hello, .hello): try checkHello(HelloBody.byteCount)
        case (.helloReply, .helloReply): try checkHello(HelloReplyBody.byteCount)
        case (.heartbeats, .heartbeat):
            try checkNothingButLength()
            if length != 0 { throw .fieldNotZero(kind) }
        case (.requests, .request(let request)):
            guard volume == expectation.volume else { throw .wrongVolume }
            try checkRequest(request, expectation.sizeBytes)
        case (.replies, .reply(let request)):
            guard volume == expectation.volume else { throw .wrongVolume }
            try checkReply(request, expectation.sizeBytes)
        default: throw .unexpectedKind(kind)
        }
    }

    private func checkNothingButLength() throws(FrameFault) {
        guard flags == 0, request == 0, epoch == 0, generation == 0, volume == .zero, offset == 0
        else { throw .fieldNotZero(kind) }
    }

    private func checkHello(_ lengthMin: Int) throws(FrameFault) {
        try checkNothingButLength()
        guard length >= UInt32(lengthMin), length <= UInt32(WireLimits.helloBytesMax),
            length % 8 == 0
        else { throw .badLength(kind, length) }
    }

    // MARK: Requests

    private func checkRequest(_ request: RequestKind, _ sizeBytes: UInt64) throws(FrameFault) {
        guard epoch >= 1, epoch <= Stamp.partMax else { throw .badEpoch(epoch) }
        let allowed = request.changesData ? FrameFlags.ofChanges.rawValue : 0
        guard flags & ~allowed == 0 else { throw .unknownFlags(kind, flags) }
        if request.changesData {
            guard generation >= 1, generation <= Stamp.partMax else {
                throw .badGeneration(generation)
            }
        } else if generation != 0 {
            throw .fieldNotZero(kind)
        }
        switch request {
        case .read, .write: try checkDataRange(sizeBytes)
        case .discard, .writeZeroes:
            try checkRange(sizeBytes, lengthMax: WireLimits.discardBytesMax)
        case .list:
            guard offset <= Geometry.regionCount(sizeBytes) else { throw .badOffset(kind, offset) }
            try checkLength(StampBody.byteCount)
        case .checkpoint:
            if offset != 0 { throw .fieldNotZero(kind) }
            try checkLength(StampBody.byteCount)
        case .promise, .flush, .lease, .giveLeaseBack, .whole:
            if offset != 0 || length != 0 { throw .fieldNotZero(kind) }
        }
    }

    private func checkLength(_ wanted: Int) throws(FrameFault) {
        guard length == UInt32(wanted) else { throw .badLength(kind, length) }
    }

    /// Whole blocks within one region.
    private func checkDataRange(_ sizeBytes: UInt64) throws(FrameFault) {
        try checkRange(sizeBytes, lengthMax: WireLimits.dataBytesMax)
        let range = ByteRange(offset: offset, length: UInt64(length))
        guard range.firstRegion == range.lastRegion else {
            throw .badRange(kind, offset: offset, length: length)
        }
    }

    /// Whole blocks within the volume.
    private func checkRange(_ sizeBytes: UInt64, lengthMax: UInt64) throws(FrameFault) {
        guard offset % Geometry.blockBytes == 0 else { throw .badOffset(kind, offset) }
        guard length > 0, UInt64(length) <= lengthMax, UInt64(length) % Geometry.blockBytes == 0
        else {
            throw .badLength(kind, length)
        }
        guard offset <= sizeBytes, UInt64(length) <= sizeBytes - offset else {
            throw .badRange(kind, offset: offset, length: length)
        }
    }

    // MARK: Replies

    private func checkReply(_ request: RequestKind, _ sizeBytes: UInt64) throws(FrameFault) {
        guard let status = ReplyStatus(rawValue: flags) else { throw .unknownStatus(flags) }
        guard epoch <= Stamp.partMax else { throw .badEpoch(epoch) }
        if generation != 0 { throw .fieldNotZero(kind) }
        switch request {
        case .read where status == .ok: try checkDataRange(sizeBytes)
        case .list where status == .ok:
            guard length % UInt32(RegionEntries.entryBytes) == 0,
                length <= UInt32(WireLimits.listBytesMax)
            else { throw .badLength(kind, length) }
            guard offset == ReplicaReply.listEnd || offset <= Geometry.regionCount(sizeBytes) else {
                throw .badOffset(kind, offset)
            }
        case .promise where status == .ok:
            if offset != 0 { throw .fieldNotZero(kind) }
            try checkLength(HoldingBody.byteCount)
        default:
            if offset != 0 || length != 0 { throw .fieldNotZero(kind) }
        }
    }
}
