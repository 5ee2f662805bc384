import Units

// Numbers on the wire are little-endian and lie at any alignment.

extension UnsafeRawPointer {
    @inline(__always)
    func loadLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Number.Type
    ) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// 16 bytes in the order of the identifier's text.
    @inline(__always)
    func loadIdentifier(_ offset: Int) -> Identifier {
        Identifier(
            high: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
            low: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
    }
}

extension UnsafeMutableRawPointer {
    @inline(__always)
    func storeLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ number: Number, at offset: Int
    ) {
        storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }

    @inline(__always)
    func storeIdentifier(_ id: Identifier, at offset: Int) {
        storeBytes(of: id.high.bigEndian, toByteOffset: offset, as: UInt64.self)
        storeBytes(of: id.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }
}
