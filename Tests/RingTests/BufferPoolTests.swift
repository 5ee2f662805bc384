import Glibc
import Testing

@testable import Ring

@Suite struct BufferPoolTests {
    private static let small = BufferPool.Shape(limit: 4, registered: 2)
    private static let large = BufferPool.Shape(limit: 3, registered: 1, headroomBytes: 4096)

    private func withPool(_ body: (inout BufferPool) throws -> Void) throws {
        var ring = try Ring(EngineFeatures.probe().plan(for: .auto), waker: Waker())
        var pool = try BufferPool(small: Self.small, medium: .init(limit: 0, registered: 0),
                                  large: Self.large, ring: &ring)
        try body(&pool)
    }

    @Test func theLimitPushesBackUntilABufferIsReleased() throws {
        try withPool { pool in
            var buffers: [Buffer] = []
            while let buffer = pool.acquire(.small) { buffers.append(buffer) }
            #expect(buffers.count == 4)
            #expect(Set(buffers.map(\.bytes)).count == 4)
            #expect(pool.available(.small) == 0)
            #expect(pool.acquire(.medium) == nil)
            pool.release(buffers[2])
            #expect(pool.acquire(.small)?.bytes == buffers[2].bytes)
        }
    }

    @Test func aBufferIsFreeAfterItsLastRelease() throws {
        try withPool { pool in
            let buffer = pool.acquire(.small)!
            pool.retain(buffer)
            pool.retain(buffer)
            for left in [3, 3, 4] {
                pool.release(buffer)
                #expect(pool.available(.small) == left)
            }
        }
    }

    @Test func buffersAreAlignedApartAndWritableWithTheirHeadroom() throws {
        try withPool { pool in
            let buffers = (0..<3).compactMap { _ in pool.acquire(.large) }
            #expect(buffers.count == 3)
            for (i, buffer) in buffers.enumerated() {
                #expect(UInt(bitPattern: buffer.bytes) % 4096 == 0)
                #expect(buffer.capacity == 1 << 20)
                memset(buffer.bytes - 4096, Int32(i + 1), (1 << 20) + 4096)
            }
            for (i, buffer) in buffers.enumerated() {
                #expect((buffer.bytes - 4096).load(as: UInt8.self) == UInt8(i + 1))
                #expect((buffer.bytes + (1 << 20) - 1).load(as: UInt8.self) == UInt8(i + 1))
            }
        }
    }

    @Test func registeredBuffersComeFirst() throws {
        let features = EngineFeatures.probe()
        guard features.uring?.contains(.registeredBuffers) == true else {
            return print("skipped: no registered buffers here")
        }
        try withPool { pool in
            let buffers = (0..<4).compactMap { _ in pool.acquire(.small) }
            #expect(buffers.map { $0.area != .none } == [true, true, false, false])
            for buffer in buffers { pool.release(buffer) }
            #expect(pool.acquire(.small)?.area != RegisteredArea.none)
        }
    }

    @Test func trimmingGivesBackTheMemoryOfABurst() throws {
        try withPool { pool in
            let buffers = (0..<3).compactMap { _ in pool.acquire(.large) }
            for buffer in buffers { memset(buffer.bytes, 7, buffer.capacity) }
            #expect(pool.trim() == 0)
            for buffer in buffers { pool.release(buffer) }
            #expect(pool.trim() == 2)
            #expect(pool.trim() == 0)
            #expect(buffers[2].bytes.load(as: UInt8.self) == 0)
            #expect(buffers[0].bytes.load(as: UInt8.self) == 7)
        }
    }

    @Test func theSmallestClassThatHolds() {
        let sizes = [1, 4096, 4097, 65536, 65537, 1 << 20, (1 << 20) + 1]
        let expected: [BufferPool.SizeClass?] = [
            .small, .small, .medium, .medium, .large, .large, nil,
        ]
        #expect(sizes.map { BufferPool.SizeClass(holding: $0) } == expected)
        #expect(BufferPool.SizeClass.allCases.map(\.bytes) == [4096, 65536, 1 << 20])
    }

    @Test func releasingAFreeBufferTraps() async {
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(EngineFeatures.probe().plan(for: .auto), waker: Waker())
            let shape = BufferPool.Shape(limit: 1, registered: 0)
            var pool = try BufferPool(small: shape, medium: shape, large: shape, ring: &ring)
            let buffer = pool.acquire(.small)!
            pool.release(buffer)
            pool.release(buffer)
        }
    }
}
