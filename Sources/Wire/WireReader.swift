package import MediaModel

/// Reads values out of one frame. Every length and count is compared with what is there and with its limit before anything
/// is allocated; nothing traps whatever the bytes are.
package struct WireReader {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// A frame is read to its end: trailing bytes are a fault, so that each message has one form.
    package func end() throws(WireFault) {
        if !rest.isEmpty { throw WireFault("a frame has bytes behind its last value") }
    }

    package mutating func byte() throws(WireFault) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .cut }
        return byte
    }

    package mutating func flag() throws(WireFault) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw WireFault("a flag is neither 0 nor 1")
        }
    }

    /// Seven bits a byte, the lowest first, in the shortest form.
    package mutating func unsigned(_ limit: UInt64 = .max) throws(WireFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            if shift == 63, byte > 1 { throw WireFault("a number is too large") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                if byte == 0, shift > 0 { throw WireFault("a number is not in its shortest form") }
                break
            }
            shift += 7
            if shift > 63 { throw WireFault("a number is too long") }
        }
        if value > limit { throw WireFault("a number is beyond its limit: \(value)") }
        return value
    }

    /// A number that is added up with others: a size, a count.
    package mutating func count(_ limit: UInt64 = WireLimit.number) throws(WireFault) -> Int64 {
        Int64(try unsigned(min(limit, WireLimit.number)))
    }

    /// A count of things to be read, each of at least `bytesEach` bytes: more than the frame can hold is refused at once.
    package mutating func length(_ limit: Int, bytesEach: Int = 1) throws(WireFault) -> Int {
        let count = Int(try unsigned(UInt64(limit)))
        if count > rest.count / bytesEach { throw .cut }
        return count
    }

    /// Bytes of frames that travel packed: what is taken for them is bounded before anything is unpacked.
    mutating func packedSize() throws(WireFault) -> Int {
        let bytes = Int(try unsigned(UInt64(WireLimit.packedBytes)))
        if bytes == 0 { throw WireFault("nothing is packed") }
        return bytes
    }

    package mutating func number32() throws(WireFault) -> UInt32 {
        UInt32(try unsigned(UInt64(UInt32.max)))
    }

    /// Positive and negative numbers in turns: 0, -1, 1, -2.
    package mutating func signed() throws(WireFault) -> Int64 {
        let raw = try unsigned()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    package mutating func bytes(_ limit: Int) throws(WireFault) -> [UInt8] {
        let count = try length(limit)
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// A text for people. Nothing in it can drive a terminal or forge a line.
    package mutating func text() throws(WireFault) -> String {
        BytePath.withoutControls(try bytes(WireLimit.textBytes))
    }

    package mutating func optional<Value>(
        _ read: (inout WireReader) throws(WireFault) -> Value
    ) throws(WireFault) -> Value? {
        try flag() ? try read(&self) : nil
    }

    package mutating func list<Value>(
        _ limit: Int,
        bytesEach: Int = 1,
        _ read: (inout WireReader) throws(WireFault) -> Value
    ) throws(WireFault) -> [Value] {
        let count = try length(limit, bytesEach: bytesEach)
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// One component of a path: what can be an entry's name and leads nowhere else.
    package mutating func name() throws(WireFault) -> BytePath {
        let bytes = try bytes(WireLimit.nameBytes)
        try Self.checkName(bytes[...])
        return BytePath(bytes: bytes)
    }

    /// A name behind its length in one byte, for somebody who reads it where it is.
    mutating func skipName() throws(WireFault) {
        let count = Int(try byte())
        if count > rest.count { throw .cut }
        try Self.checkName(rest.prefix(count))
        rest = rest.dropFirst(count)
    }

    /// A path below a root; the root itself is empty.
    package mutating func path() throws(WireFault) -> BytePath {
        let bytes = try bytes(WireLimit.deepPathBytes)
        if bytes.isEmpty { return .root }
        let components = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if components.count > WireLimit.depth + 1 { throw WireFault("a path is too deep") }
        for component in components { try Self.checkName(component) }
        return BytePath(bytes: bytes)
    }

    private static func checkName(_ bytes: ArraySlice<UInt8>) throws(WireFault) {
        if bytes.isEmpty { throw WireFault("a name is empty") }
        if bytes.count > WireLimit.nameBytes { throw WireFault("a name is too long") }
        if bytes.contains(0) || bytes.contains(UInt8(ascii: "/")) {
            throw WireFault("a name has a slash or a NUL in it")
        }
        if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) {
            throw WireFault("a name leads to another directory")
        }
    }

    package mutating func kind() throws(WireFault) -> EntryKind {
        guard let kind = EntryKind(rawValue: try byte()) else { throw WireFault("an entry is of no known kind") }
        return kind
    }

    package mutating func digest() throws(WireFault) -> Digest {
        let index = Int(try byte())
        guard DigestAlgorithm.allCases.indices.contains(index) else { throw WireFault("a digest is of no known kind") }
        let algorithm = DigestAlgorithm.allCases[index]
        if rest.count < algorithm.byteCount { throw .cut }
        defer { rest = rest.dropFirst(algorithm.byteCount) }
        return Digest(algorithm: algorithm, bytes: Array(rest.prefix(algorithm.byteCount)))
    }
}
