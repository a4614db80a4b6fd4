/// Cuts what a peer sends into messages, whatever pieces it comes in. It never holds more than one frame's limit and what
/// it was fed last.
package struct FrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0
    private var awaitsMagic: Bool

    /// - Parameter awaitsMagic: false for frames from within a connection.
    package init(awaitsMagic: Bool = true) {
        self.awaitsMagic = awaitsMagic
    }

    /// Takes the next bytes; all messages are to be taken out before the next ones come.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message; nil where more bytes are needed.
    package mutating func next() throws(WireFault) -> Message? {
        if awaitsMagic {
            let magic = WireLimit.magic
            let there = buffer[start...].prefix(magic.count)
            if !magic.starts(with: there) { throw WireFault("the other end does not speak the protocol") }
            if there.count < magic.count { return nil }
            start += magic.count
            awaitsMagic = false
        }
        let rest = buffer[start...]
        guard rest.count >= WireLimit.headerBytes else { return nil }
        var length = 0
        for index in 0..<4 { length |= Int(rest[start + index]) << (8 * index) }
        if length > WireLimit.payloadBytes { throw WireFault("a frame is too long: \(length) bytes") }
        guard rest.count >= WireLimit.headerBytes + length else { return nil }
        let payload = rest.dropFirst(WireLimit.headerBytes).prefix(length)
        let kind = rest[start + 4]
        start += WireLimit.headerBytes + length
        return try Message(kind: kind, payload: payload)
    }

    /// The first bytes of a peer that does not speak the protocol, for a message.
    package var unread: ArraySlice<UInt8> { buffer[start...].prefix(200) }

    /// Whether the peer ended between two frames.
    package var isBetweenFrames: Bool { start == buffer.count }
}
