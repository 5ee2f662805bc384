// Numbers on the wire and on drives are little-endian and lie at any alignment; an identifier is
// 16 bytes in the order of its text, so that a hex dump shows what `cio` shows.

extension UnsafeRawPointer {
    @inlinable @inline(__always)
    public func loadLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Number.Type
    ) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    @inlinable @inline(__always)
    public func loadIdentifier(_ offset: Int) -> Identifier {
        Identifier(
            high: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
            low: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
    }
}

extension UnsafeMutableRawPointer {
    @inlinable @inline(__always)
    public func storeLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ number: Number, at offset: Int
    ) {
        storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }

    @inlinable @inline(__always)
    public func storeIdentifier(_ id: Identifier, at offset: Int) {
        storeBytes(of: id.high.bigEndian, toByteOffset: offset, as: UInt64.self)
        storeBytes(of: id.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }
}
