import Foundation
import Testing

@testable import ciod

@Suite struct ReplicaFolderTests {
    @Test func markedRegionsMeanThatSomethingWasWritten() throws {
        let path = "/tmp/cio-ciod-replica-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for name in ["data", "checksums", "regions", "state"] {
            FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil)
            #expect(truncate("\(path)/\(name)", 1 << 24) == 0)
        }
        let folder = ReplicaFolder(path)
        #expect(try folder.isUnwritten())
        #expect(try folder.allocated().bytes == 0)
        let regions = try #require(FileHandle(forWritingAtPath: "\(path)/regions"))
        try regions.write(contentsOf: Data(count: 8192))
        #expect(try folder.isUnwritten())
        try regions.seek(toOffset: 9 << 20)
        try regions.write(contentsOf: Data([0, 1]))
        try regions.synchronize()
        #expect(try !folder.isUnwritten())
        #expect(try folder.allocated().bytes > 0)
    }
}
