// modules: Units NBDProtocol
import NBDProtocol
import Units

// The handshake must say the same however its bytes are cut, close once and for all, and hand
// over exactly the bytes that it did not read. The input's first byte is the size of the pieces.

private struct Play {
    var events: [NBDHandshake.Event] = []
    var remainder: [UInt8] = []
    var closed = false
}

/// Plays a client's bytes in pieces, with an engine whose answers depend on the name alone.
private func play(_ bytes: UnsafeRawBufferPointer, piece: Int) -> Play {
    var handshake = NBDHandshake()
    var play = Play()
    var entered = false
    var position = 0
    while position < bytes.count {
        let end = min(bytes.count, position + piece)
        handshake.receive(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
        position = end
        while let event = handshake.next() {
            require(!play.closed && !entered, "an event after the end: \(event)")
            play.events.append(event)
            switch event {
            case .openExport(let name), .describeExport(let name):
                if name.utf8.count % 3 == 1 {
                    handshake.refuse(.unknown, message: "there is no \(name)")
                } else {
                    handshake.accept(
                        NBDExport(name: name, description: name, sizeBytes: 1 << 30))
                }
            case .listExports: handshake.list([NBDListing(name: "volume", description: "")])
            case .entered: entered = true
            case .close: play.closed = true
            case .send(let reply): require(!reply.isEmpty, "an empty reply")
            }
        }
    }
    if entered { play.remainder = handshake.takeRemainder() }
    return play
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 1 else { return 0 }
    let stream = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let whole = play(stream, piece: .max >> 1)
    let pieces = play(stream, piece: Int(start[0] % 64) + 1)
    require(whole.events == pieces.events, "cut otherwise: \(whole) \(pieces)")
    require(whole.remainder == pieces.remainder, "another remainder")
    require(stream.suffix(whole.remainder.count).elementsEqual(whole.remainder), "not the rest")
    return 0
}
