import BlockDevices
import Foundation
import Glibc
import Testing

@Suite struct DeviceLinkTests {
    private func target(_ link: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: link)
    }

    @Test func pointsTurnsAndGoes() throws {
        let scratch = Scratch()
        let link = scratch.path("vd1")
        try DeviceLink.point(link, to: "/dev/loop7")
        #expect(target(link) == "/dev/loop7")
        try DeviceLink.point(link, to: "/dev/loop8")
        #expect(target(link) == "/dev/loop8")
        try DeviceLink.remove(link)
        #expect(target(link) == nil)
        try DeviceLink.remove(link)
    }

    @Test func aHalfMadeLinkIsNoObstacle() throws {
        let scratch = Scratch()
        symlink("/dev/loop1", scratch.path("vd1.new"))
        try DeviceLink.point(scratch.path("vd1"), to: "/dev/loop7")
        #expect(target(scratch.path("vd1")) == "/dev/loop7")
    }

    @Test func whatIsNotALinkStays() throws {
        let scratch = Scratch()
        let path = scratch.path("vd1")
        try writeFile(path, [1])
        #expect(throws: BlockDeviceError.notALink(path)) {
            try DeviceLink.point(path, to: "/dev/loop7")
        }
        #expect(throws: BlockDeviceError.notALink(path)) { try DeviceLink.remove(path) }
        #expect(try readFile(path) == [1])
    }
}
