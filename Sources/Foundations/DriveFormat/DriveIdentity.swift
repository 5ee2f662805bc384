import CChecksum
import Units

/// What the file `cio-drive` in a drive's directory says: short lines that people can read too.
///
///     cio drive
///     format 1
///     features 0
///     cluster <32 hex digits>
///     drive <32 hex digits>
///     checksum <8 hex digits: CRC32C of everything before this line>
public struct DriveIdentity: Hashable, Sendable {
    public var cluster: ClusterID
    public var drive: DriveID

    public static let fileName = "cio-drive"
    /// More than any version of the file takes.
    public static let fileBytesMax = 4096

    public init(cluster: ClusterID, drive: DriveID) {
        self.cluster = cluster
        self.drive = drive
    }

    private static let title = "cio drive"
    private static let checksumKey = "checksum "

    public var text: String {
        let body = """
            \(Self.title)
            format \(DriveFormat.version)
            features \(String(DriveFormat.knownFeatures, radix: 16))
            cluster \(cluster.text)
            drive \(drive.text)

            """
        return body + Self.checksumKey + Self.checksum(Array(body.utf8)) + "\n"
    }

    public init(_ bytes: [UInt8]) throws(FormatFault) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first == Self.title[...] else { throw .foreign }
        // A later version has a title, a format line and a last line with the checksum as well.
        guard lines.count >= 4, lines.last == "", let last = lines.dropLast().last,
            last.hasPrefix(Self.checksumKey)
        else { throw .damagedIdentity }
        let body = Array(bytes.dropLast(last.utf8.count + 1))
        guard last.dropFirst(Self.checksumKey.count) == Self.checksum(body)[...],
            let version = Self.value(lines[1], "format").flatMap({ UInt32($0) }),
            let features = Self.value(lines[2], "features").flatMap({ UInt32($0, radix: 16) })
        else { throw .damagedIdentity }
        try DriveFormat.check(version: version, features: features)
        guard lines.count == 7,
            let cluster = Self.value(lines[3], "cluster").flatMap({ Identifier(text: $0) }),
            let drive = Self.value(lines[4], "drive").flatMap({ Identifier(text: $0) })
        else { throw .damagedIdentity }
        self.init(cluster: cluster, drive: drive)
    }

    private static func value(_ line: Substring, _ key: String) -> Substring? {
        line.hasPrefix(key + " ") ? line.dropFirst(key.utf8.count + 1) : nil
    }

    private static func checksum(_ bytes: [UInt8]) -> String {
        let digits = String(cio_crc32c(0, bytes, bytes.count), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
