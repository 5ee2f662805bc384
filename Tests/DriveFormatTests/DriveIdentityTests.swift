import CChecksum
import Testing
import Units

@testable import DriveFormat

@Suite struct DriveIdentityTests {
    private static let identity = DriveIdentity(
        cluster: Identifier(high: 0x0011_2233_4455_6677, low: 1), drive: Identifier(high: 2, low: 3)
    )

    private static func sealed(_ body: String) -> [UInt8] {
        let bytes = Array(body.utf8)
        let checksum = String(cio_crc32c(0, bytes, bytes.count), radix: 16)
        let zeros = String(repeating: "0", count: 8 - checksum.count)
        return bytes + Array("checksum \(zeros)\(checksum)\n".utf8)
    }

    @Test func itComesBack() throws {
        let text = Self.identity.text
        #expect(
            text.hasPrefix(
                """
                cio drive
                format 1
                features 0
                cluster 00112233445566770000000000000001
                drive 00000000000000020000000000000003
                checksum \

                """))
        #expect(try DriveIdentity(Array(text.utf8)) == Self.identity)
        #expect(text.utf8.count <= DriveIdentity.fileBytesMax)
    }

    @Test func everyChangedByteIsRefused() {
        let bytes = Array(Self.identity.text.utf8)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                #expect(throws: FormatFault.self) { try DriveIdentity(damaged) }
            }
            #expect(throws: FormatFault.self) { try DriveIdentity(Array(bytes[..<index])) }
        }
    }

    @Test func foreignFilesAreRefused() {
        for text in ["", "hello\n", "cio drives\n", "\u{0}\u{FF}"] {
            #expect(throws: FormatFault.foreign) { try DriveIdentity(Array(text.utf8)) }
        }
    }

    @Test func laterVersionsAndFeaturesAreRefused() {
        let later = Self.sealed("cio drive\nformat 2\nfeatures 0\nsomething else\n")
        #expect(throws: FormatFault.unsupportedVersion(2)) { try DriveIdentity(later) }
        let featured = Self.sealed("cio drive\nformat 1\nfeatures 1a\ncluster x\n")
        #expect(throws: FormatFault.unknownFeatures(0x1A)) { try DriveIdentity(featured) }
    }

    @Test func sealedNonsenseIsRefused() {
        for body in [
            "cio drive\nformat 1\nfeatures 0\n",
            "cio drive\nformat 1\nfeatures 0\ncluster x\ndrive y\n",
            "cio drive\nformat -1\nfeatures 0\n", "cio drive\nfeatures 0\nformat 1\n",
        ] {
            #expect(throws: FormatFault.damagedIdentity) { try DriveIdentity(Self.sealed(body)) }
        }
    }
}
