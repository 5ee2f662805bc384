import Foundation
import Testing
import Units

@testable import WireFormat

/// Holds docs/protocol.md against the code.
@Suite struct ProtocolPageTests {
    private let tables: [String: [[String]]]

    /// The tables by the first cell of their head, and where several share it, by the section too.
    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/protocol.md")
        var tables: [String: [[String]]] = [:]
        var section = ""
        var rows: [[String]] = []
        for line in try String(contentsOf: path, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("|") {
                let cells = line.dropFirst().dropLast().components(separatedBy: "|")
                rows.append(cells.map { $0.trimmingCharacters(in: .whitespaces) })
                continue
            }
            if let head = rows.first?.first {
                tables[section + "/" + head] = Array(rows.dropFirst(2))
            }
            rows = []
            if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
            if line.hasPrefix("**") { section = line.components(separatedBy: "**")[1] }
        }
        self.tables = tables
    }

    @Test func theHeadersFields() throws {
        let rows = try #require(tables["Header/offset"])
        #expect(rows.count == HeaderLayout.fields.count)
        var end = 0
        for (row, field) in zip(rows, HeaderLayout.fields) {
            #expect(row[0...2] == ["\(field.offset)", "\(field.bytes)", field.name])
            #expect(field.offset == end)
            end = field.offset + field.bytes
        }
        #expect(end == FrameHeader.byteCount)
        #expect(rows[0][3] == "`0x\(String(FrameHeader.magic, radix: 16, uppercase: true))`")
    }

    @Test func theKinds() throws {
        let rows = try #require(tables["Kinds/kind"])
        let known = (UInt8(0)..<FrameKind.replyBit).filter { FrameKind(rawValue: $0) != nil }
        #expect(rows.map { UInt8($0[0]) } == known)
        for row in rows {
            let kind = try #require(FrameKind(rawValue: UInt8(row[0])!))
            switch kind {
            case .request(let request): #expect(row[1...2] == ["\(request)", "yes"])
            case .hello: #expect(row[1...2] == ["hello", "helloReply"])
            default: #expect(row[1...2] == ["heartbeat", ""])
            }
        }
    }

    @Test func theStatuses() throws {
        let rows = try #require(tables["Kinds/status"])
        #expect(rows.count == 6 && ReplyStatus(rawValue: 6) == nil)
        for row in rows { #expect(ReplyStatus(rawValue: UInt8(row[0])!).map { "\($0)" } == row[1]) }
    }

    @Test func theRefusals() throws {
        let rows = try #require(tables["Hello's reply/refusal"])
        #expect(rows.count == HelloRefusal.allCases.count)
        for row in rows {
            #expect(HelloRefusal(rawValue: UInt16(row[0])!).map { "\($0)" } == row[1])
        }
    }

    @Test func theBodies() throws {
        let sizes = [
            "Stamp": StampBody.byteCount, "Holding": HoldingBody.byteCount,
            "Entries": RegionEntries.entryBytes, "Hello": HelloBody.byteCount,
            "Hello's reply": HelloReplyBody.byteCount,
        ]
        for (name, size) in sizes {
            let rows = try #require(tables[name + "/offset"])
            var end = 0
            for row in rows {
                #expect(row[0] == "\(end)" || row[0] == "last 4", "\(name) at \(end)")
                end += try #require(Int(row[1]))
            }
            #expect(end == size, "\(name)")
        }
    }

    @Test func theLimits() throws {
        let limits = try #require(tables["Limits/what"]).map { $0[1] }
        let blocks = WireLimits.dataBytesMax / Geometry.blockBytes
        #expect(limits[0].contains("1 to \(blocks),"))
        #expect(limits[1].contains("\(WireLimits.discardBytesMax) bytes"))
        #expect(limits[3] == "\(RegionEntry.pageMax)")
        #expect(limits[4].hasPrefix("\(WireLimits.helloBytesMax) bytes"))
        #expect(limits[5] == "\(WireLimits.refusalTextBytesMax) bytes")
    }
}
