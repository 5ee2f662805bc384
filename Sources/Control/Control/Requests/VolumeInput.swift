import API
import Records
import Units

/// A request to create a volume, with every field checked and every default set.
struct VolumeInput {
    var name: String?
    var size: ByteCount
    var copies: Int
    var filesystem: WantedVolume.Filesystem
    var directory: String?
    var provision: WantedVolume.Provision
    var driveType: WantedVolume.DriveType
    var labels: [String: String]
    var service: ServiceLevel
    var autoexpand: Autoexpand

    static let capacityGBDefault: UInt64 = 20
    static let capacityGBMax: UInt64 = 65_536
    static let copiesDefault = 2
    private static let labelsMax = 64
    private static let labelBytesMax = 255

    init(_ request: CreateVolumeRequest, what: String) throws {
        func refuse(_ why: String, _ next: String? = nil) -> RequestError {
            RequestError(.invalid, what, why: why, next: next)
        }
        if let name = request.name, let defect = Self.nameDefect(name) { throw refuse(defect) }
        name = request.name

        let gigabytes = request.capacityGB ?? Self.capacityGBDefault
        guard (1...Self.capacityGBMax).contains(gigabytes) else {
            throw refuse("the capacity is 1 to \(Self.capacityGBMax) GB, not \(gigabytes)")
        }
        size = ByteCount(gigabytes: gigabytes)

        copies = request.level ?? request.copiesOn?.count ?? Self.copiesDefault
        guard (1...Geometry.copiesMax).contains(copies) else {
            throw refuse("the level is 1 to \(Geometry.copiesMax) copies, not \(copies)")
        }
        if let named = request.copiesOn, named.count != copies {
            throw refuse("copies on \(named.count) nodes were asked for, but \(copies) copies")
        }

        filesystem = try Self.choice(request.filesystem, .xfs, "filesystem", refuse)
        provision = try Self.choice(request.provision, .thin, "provision", refuse)
        guard provision == .thin else {
            throw refuse("thick volumes cannot be made yet", "use --provision thin")
        }
        driveType = try Self.choice(request.type, .ssd, "type", refuse)

        if let path = request.directory, let defect = Self.pathDefect(path) {
            throw refuse(defect)
        }
        directory = request.directory
        labels = request.labels ?? [:]
        if let defect = Self.labelDefect(labels) { throw refuse(defect) }
        service = ServiceLevel(
            iopsMin: request.iopsMin, iopsMax: request.iopsMax,
            bandwidthMin: request.bandwidthMin, bandwidthMax: request.bandwidthMax)
            .withoutZeros
        if let defect = Self.defect(of: service) { throw refuse(defect) }
        autoexpand = Autoexpand(isEnabled: request.autoexpand ?? false)
        autoexpand.threshold = request.autoexpandThreshold ?? autoexpand.threshold
        autoexpand.increment = request.autoexpandIncrement ?? autoexpand.increment
        autoexpand.limit = request.autoexpandLimit ?? autoexpand.limit
        if let defect = Self.defect(of: autoexpand) { throw refuse(defect) }
    }

    static func defect(of service: ServiceLevel) -> String? {
        for (name, value) in [
            ("iopsMin", service.iopsMin), ("iopsMax", service.iopsMax),
            ("bandwidthMin", service.bandwidthMin), ("bandwidthMax", service.bandwidthMax),
        ] {
            guard let value, value > ServiceLevel.most else { continue }
            return "\(name) is at most \(ServiceLevel.most), not \(value)"
        }
        if let min = service.iopsMin, let max = service.iopsMax, min > max {
            return "iopsMin \(min) is above iopsMax \(max)"
        }
        if let min = service.bandwidthMin, let max = service.bandwidthMax, min > max {
            return "bandwidthMin \(min) is above bandwidthMax \(max)"
        }
        return nil
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String?, _ fallback: Choice, _ field: String,
        _ refuse: (String, String?) -> RequestError
    ) throws -> Choice where Choice.RawValue == String {
        guard let text else { return fallback }
        if let choice = Choice(rawValue: text) { return choice }
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw refuse("the \(field) is one of \(allowed), not \(text)", nil)
    }

    /// Letters, digits, `_`, `.`, `-`; a letter or digit first; at most 128: as Docker has it.
    static func nameDefect(_ name: String) -> String? {
        let isPlain = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        let others = Array("_.-".utf8)
        guard let first = name.utf8.first, isPlain(first), name.utf8.count <= 128,
            name.utf8.allSatisfy({ isPlain($0) || others.contains($0) })
        else {
            return "a name has 1 to 128 letters, digits, '_', '.' or '-', and begins with a"
                + " letter or digit"
        }
        return nil
    }

    private static func pathDefect(_ path: String) -> String? {
        guard path.hasPrefix("/"), path.utf8.count <= 1024,
            path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { return "the directory is an absolute path of at most 1024 bytes, not '\(path)'" }
        if path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) {
            return "the directory has no '.' or '..' in it, as '\(path)' has"
        }
        return nil
    }

    static func defect(of autoexpand: Autoexpand) -> String? {
        guard (1...99).contains(autoexpand.threshold) else {
            return "the autoexpand threshold is 1 to 99 percent, not \(autoexpand.threshold)"
        }
        guard (1...1000).contains(autoexpand.increment) else {
            return "the autoexpand increment is 1 to 1000 percent, not \(autoexpand.increment)"
        }
        guard autoexpand.limit <= 1000 else {
            return "the autoexpand limit is at most 1000 times, not \(autoexpand.limit)"
        }
        return nil
    }

    static func labelDefect(_ labels: [String: String]) -> String? {
        if labels.count > labelsMax { return "a volume has at most \(labelsMax) labels" }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            guard !key.isEmpty, key.utf8.count <= labelBytesMax,
                value.utf8.count <= labelBytesMax, !key.utf8.contains(UInt8(ascii: "=")),
                (key + value).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else {
                return "a label is KEY=VALUE, each of at most \(labelBytesMax) bytes without"
                    + " control characters; '\(key)' is not"
            }
        }
        return nil
    }
}
