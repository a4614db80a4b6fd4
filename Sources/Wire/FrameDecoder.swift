/// Cuts what a peer sends into messages, whatever pieces it comes in. It never holds more than one frame's limit and what
/// came last.
package struct FrameDecoder: Sendable {
    /// Bytes that came are those from `start` to `end`.
    private var buffer: [UInt8] = []
    private var start = 0
    private var end = 0
    private var awaitsMagic: Bool

    /// - Parameter awaitsMagic: false for frames from within a connection.
    package init(awaitsMagic: Bool = true) {
        self.awaitsMagic = awaitsMagic
    }

    /// Takes the next bytes where they come from; all messages are to be taken out before the next ones come.
    /// - Parameters:
    ///   - room: how many may come at most.
    ///   - read: puts them into the buffer, and says how many they are.
    /// - Returns: how many came.
    package mutating func fill(_ room: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        makeRoom(room)
        let first = end
        let count = buffer.withUnsafeMutableBytes { bytes in
            read(UnsafeMutableRawBufferPointer(rebasing: bytes[first..<(first + room)]))
        }
        precondition((0...room).contains(count))
        end += count
        return count
    }

    /// What came and was not taken moves to the front, into more memory where that is too little.
    private mutating func makeRoom(_ room: Int) {
        let (first, count) = (start, end - start)
        (start, end) = (0, count)
        if buffer.count < count + room {
            var larger = [UInt8](repeating: 0, count: count + room)
            larger.withUnsafeMutableBytes { $0.copyBytes(from: buffer[first..<(first + count)]) }
            buffer = larger
        } else if first > 0, count > 0 {
            buffer.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                base.copyMemory(from: base + first, byteCount: count)
            }
        }
    }

    /// Takes the next bytes out of somebody else's memory.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        _ = fill(bytes.count) { buffer in
            buffer.copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// The next whole message; nil where more bytes are needed.
    package mutating func next() throws(WireFault) -> Message? {
        if awaitsMagic {
            let magic = WireLimit.magic
            let there = buffer[start..<end].prefix(magic.count)
            if !magic.starts(with: there) { throw WireFault("the other end does not speak the protocol") }
            if there.count < magic.count { return nil }
            start += magic.count
            awaitsMagic = false
        }
        guard end - start >= WireLimit.headerBytes else { return nil }
        var length = 0
        for index in 0..<4 { length |= Int(buffer[start + index]) << (8 * index) }
        if length > WireLimit.payloadBytes { throw WireFault("a frame is too long: \(length) bytes") }
        guard end - start >= WireLimit.headerBytes + length else { return nil }
        let kind = buffer[start + 4]
        let first = start + WireLimit.headerBytes
        start = first + length
        return try Message(kind: kind, payload: buffer[first..<start])
    }

    /// The first bytes of a peer that does not speak the protocol, for a message.
    package var unread: ArraySlice<UInt8> { buffer[start..<end].prefix(200) }

    /// Whether the peer ended between two frames.
    package var isBetweenFrames: Bool { start == end }
}
