import Glibc

/// Memory for direct I/O while a replica is set up: 4096-aligned, zeroed, freed at the end.
struct AlignedMemory: ~Copyable {
    let bytes: UnsafeMutableRawPointer
    let count: Int

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 4096)
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        self.count = count
    }

    deinit { bytes.deallocate() }
}
