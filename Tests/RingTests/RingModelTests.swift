import Glibc
import Testing
import Units

@testable import Ring

/// 100,000 random reads, writes, holes and syncs, 32 at a time, against an array of bytes: each
/// block of the file always holds one byte value.
@Suite struct RingModelTests {
    private static let blocks = 512
    private static let depth = 32
    private static let operations = 100_000

    private enum Kind { case read, write, punch, sync }

    private struct Operation {
        var kind = Kind.sync
        var first = 0
        var count = 0
        var value: UInt8 = 0
    }

    @Test(arguments: EnginePlan.tested)
    func randomOperationsAgreeWithAnArray(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: Self.blocks * 4096)
        let memory = Memory(Self.depth * 8 * 4096)
        let area = ring.register(.init(start: memory.bytes, count: memory.count))
        var random = SplitMix(seed: 42)
        var content = [UInt8](repeating: 0, count: Self.blocks)
        var isBusy = [Bool](repeating: false, count: Self.blocks)
        var slots = [Operation](repeating: Operation(), count: Self.depth)
        var free = Array(0..<Self.depth)
        var started = 0
        var finished = 0
        var wrong = 0

        while finished < Self.operations {
            while started < Self.operations, let slot = free.last {
                var operation = Operation()
                let dice = random.next(100)
                operation.kind = dice < 50 ? .read : dice < 94 ? .write : dice < 99 ? .punch : .sync
                operation.count = operation.kind == .sync ? 0 : 1 + random.next(8)
                operation.first = random.next(Self.blocks - operation.count)
                operation.value = operation.kind == .write ? UInt8(1 + random.next(255)) : 0
                let range = operation.first..<operation.first + operation.count
                if range.contains(where: { isBusy[$0] }) { break }
                for block in range { isBusy[block] = true }
                free.removeLast()
                slots[slot] = operation
                started += 1
                let bytes = memory.bytes + slot * 8 * 4096
                let length = operation.count * 4096
                let offset = UInt64(operation.first) * 4096
                switch operation.kind {
                case .read:
                    memset(bytes, 0xEE, length)
                    ring.read(file.descriptor, into: bytes, length: length, at: offset,
                              area: slot % 2 == 0 ? area : .none, tag: tag(UInt32(slot)))
                case .write:
                    memset(bytes, Int32(operation.value), length)
                    ring.write(file.descriptor, from: bytes, length: length, at: offset,
                               durably: dice == 93, area: area, tag: tag(UInt32(slot)))
                case .punch:
                    ring.allocate(file.descriptor, mode: 3, offset: offset, length: UInt64(length),
                                  tag: tag(UInt32(slot)))
                case .sync:
                    ring.sync(file.descriptor, dataOnly: true, tag: tag(UInt32(slot)))
                }
            }
            let completion = try ring.completion()
            let slot = Int(completion.tag.index)
            let operation = slots[slot]
            let moves = operation.kind == .read || operation.kind == .write
            if completion.result != (moves ? Int32(operation.count * 4096) : 0) { wrong += 1 }
            for i in 0..<operation.count {
                let block = operation.first + i
                isBusy[block] = false
                if operation.kind == .read {
                    let bytes = memory.bytes + slot * 8 * 4096 + i * 4096
                    let value = bytes.load(as: UInt8.self)
                    if value != content[block] || memcmp(bytes, bytes + 1, 4095) != 0 { wrong += 1 }
                } else {
                    content[block] = operation.value
                }
            }
            free.append(slot)
            finished += 1
        }
        #expect(wrong == 0)
        #expect(ring.operationsInFlight == 0)
    }
}

/// A small generator that gives the same numbers in each run.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}
