// NBD's numbers are big-endian and lie at any alignment.

extension UnsafeRawPointer {
    @inline(__always)
    func loadBigEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Number.Type
    ) -> Number {
        unsafe Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension UnsafeMutableRawPointer {
    @inline(__always)
    func storeBigEndian(_ number: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        unsafe storeBytes(of: number.bigEndian, toByteOffset: offset, as: type(of: number))
    }
}

extension [UInt8] {
    mutating func appendBigEndian<Number: FixedWidthInteger>(_ number: Number) {
        for byte in (0..<MemoryLayout<Number>.size).reversed() {
            append(UInt8(truncatingIfNeeded: number >> (byte * 8)))
        }
    }
}

/// Reads fields one after the other, and never past the end: nil where there is too little.
struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    var count: Int { rest.count }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        guard let field = bytes(MemoryLayout<Number>.size) else { return nil }
        return field.reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
