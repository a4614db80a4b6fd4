package import MediaModel

/// Writes values as `WireReader` reads them.
package struct WireWriter {
    package internal(set) var bytes: [UInt8] = []
    /// Where the frame at hand begins.
    private var start = 0

    package init() {}

    /// What was written so far; it begins anew.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// What was written so far goes; its memory stays.
    mutating func restart() {
        bytes.removeAll(keepingCapacity: true)
    }

    package mutating func byte(_ value: UInt8) {
        bytes.append(value)
    }

    package mutating func flag(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func unsigned(_ value: some BinaryInteger) {
        var value = UInt64(truncatingIfNeeded: value)
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    package mutating func signed(_ value: Int64) {
        unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    package mutating func data(_ value: some Collection<UInt8>) {
        unsigned(value.count)
        bytes.append(contentsOf: value)
    }

    /// Longer texts lose their ends.
    package mutating func text(_ value: String) {
        data(value.utf8.prefix(WireLimit.textBytes))
    }

    package mutating func path(_ value: BytePath) {
        data(value.bytes)
    }

    package mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    package mutating func list<Value>(_ values: [Value], _ write: (inout WireWriter, Value) -> Void) {
        unsigned(values.count)
        for value in values { write(&self, value) }
    }

    package mutating func digest(_ value: Digest) {
        byte(UInt8(DigestAlgorithm.allCases.firstIndex(of: value.algorithm) ?? 0))
        bytes.append(contentsOf: value.bytes)
    }

    /// Keeps room for a frame's header, which is known last.
    mutating func begin(reserving count: Int) {
        start = bytes.count
        if start == 0 { bytes.reserveCapacity(count + WireLimit.headerBytes) }
        bytes.append(contentsOf: repeatElement(0, count: WireLimit.headerBytes))
    }

    /// Fills the header in.
    mutating func finish(kind: UInt8) {
        let count = bytes.count - start - WireLimit.headerBytes
        precondition(count <= WireLimit.payloadBytes, "a frame of \(count) bytes")
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: count >> (8 * index)) }
        bytes[start + 4] = kind
    }
}
