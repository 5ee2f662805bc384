import Records
import Units

/// What a place for one copy has to offer.
struct CopyDemand: Equatable, Sendable {
    var size: ByteCount
    var type: WantedVolume.DriveType
    var provision: WantedVolume.Provision
}

extension CopyDemand {
    init(_ volume: WantedVolume) {
        self.init(size: volume.size, type: volume.driveType, provision: volume.provision)
    }
}

/// How good a drive is for one more copy; the lesser one is the better one.
///
/// The share that volumes may grow to comes from records and is exact. Measured free space counts
/// in coarse steps only, the ones that people are warned at: nodes measure at different moments,
/// and a choice should not hang on that.
struct RoomRank: Comparable {
    /// 0 below 70 % full, 1 below 80 %, 2 below 90 %, 3 above.
    var fullness: Int
    var provisioned: UInt64
    var total: UInt64
    /// Nodes of the metadata service have work of their own: others first, all else being equal.
    var isVoter: Bool
    var number: Int

    static func < (a: RoomRank, b: RoomRank) -> Bool {
        if a.fullness != b.fullness { return a.fullness < b.fullness }
        let (left, right) = (
            a.provisioned.multipliedFullWidth(by: b.total),
            b.provisioned.multipliedFullWidth(by: a.total)
        )
        if left != right { return (left.high, left.low) < (right.high, right.low) }
        if a.isVoter != b.isVoter { return b.isVoter }
        return a.number < b.number
    }
}

extension NodeView {
    /// The drive for one more copy, or why the node can take none.
    func room(
        for demand: CopyDemand, _ provisioned: Provisioning
    ) -> Result<(drive: DriveID, rank: RoomRank), PlacementRefusal> {
        if !isAlive { return .failure(.unreachable) }
        switch record.duty {
        case .cordoned: return .failure(.cordoned)
        case .leaving: return .failure(.leaving)
        case .normal: break
        }
        var best: (drive: DriveID, rank: RoomRank)?
        var refusal = PlacementRefusal.noDrive(demand.type)
        for drive in record.drives where drive.type == demand.type {
            if drive.status == .faulty {
                refusal = max(refusal, .faultyDrive)
                continue
            }
            let present = provisioned[drive.id].bytes
            if drive.free.bytes <= SchedulingLimits.reserve(of: drive.total) {
                refusal = max(refusal, .fullDrive)
                continue
            }
            if demand.provision == .thick && !fits(demand.size.bytes, on: drive, beside: present) {
                refusal = max(refusal, .noSpace(demand.size))
                continue
            }
            let rank = rank(of: drive, provisioned: present)
            if best == nil || rank < best!.rank { best = (drive.id, rank) }
        }
        return best.map { .success($0) } ?? .failure(refusal)
    }

    private func fits(_ size: UInt64, on drive: DriveRecord, beside provisioned: UInt64) -> Bool {
        let taken = SchedulingLimits.reserve(of: drive.total).addingReportingOverflow(provisioned)
        let needed = taken.partialValue.addingReportingOverflow(size)
        return !taken.overflow && !needed.overflow && needed.partialValue <= drive.free.bytes
    }

    private func rank(of drive: DriveRecord, provisioned: UInt64) -> RoomRank {
        let total = max(1, drive.total.bytes)
        let used = total - min(total, drive.free.bytes)
        let tenths = Int(total.dividingFullWidth(used.multipliedFullWidth(by: 10)).quotient)
        return RoomRank(
            fullness: max(0, min(tenths, 9) - 6), provisioned: provisioned, total: total,
            isVoter: record.role != .standard, number: record.number)
    }
}
