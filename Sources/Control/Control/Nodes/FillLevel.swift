import Records

/// How full a drive is, in the steps at which people are warned: the raw value in percent.
enum FillLevel: Int, Comparable {
    case fine = 0
    case filling = 70
    case high = 80
    case alarming = 90

    init(of drive: DriveRecord) {
        let (total, free) = (drive.total.bytes, min(drive.free.bytes, drive.total.bytes))
        let percent = total == 0 ? 0 : 100 - Int(Double(free) / Double(total) * 100)
        switch percent {
        case 90...: self = .alarming
        case 80...: self = .high
        case 70...: self = .filling
        default: self = .fine
        }
    }

    static func < (a: FillLevel, b: FillLevel) -> Bool { a.rawValue < b.rawValue }
}
