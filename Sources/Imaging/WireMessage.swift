/// Writes numbers and short texts into a message for another process of this program.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: Int64(truncatingIfNeeded: value).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func text(_ value: String) {
        var utf8: [UInt8] = []
        // Cut between characters.
        for scalar in value.unicodeScalars {
            let encoded = Array(String(scalar).utf8)
            if utf8.count + encoded.count > WireReader.textMax { break }
            utf8 += encoded
        }
        number(utf8.count)
        bytes.append(contentsOf: utf8)
    }

    mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        number(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }

    mutating func size(_ value: PixelSize) {
        number(value.width)
        number(value.height)
    }
}

/// Reads such a message. It may come from a process that hostile bytes have taken over: nothing in it is believed, and a
/// message that is not well formed is thrown away as a whole.
struct WireReader {
    static let textMax = 1024

    /// The message is none of ours.
    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - index else { throw Malformed() }
        defer { index += count }
        return bytes[index..<(index + count)]
    }

    mutating func number(in range: ClosedRange<Int64>) throws(Malformed) -> Int64 {
        let value = try take(8).enumerated().reduce(Int64(0)) { $0 | Int64($1.element) << (8 * $1.offset) }
        guard range.contains(value) else { throw Malformed() }
        return value
    }

    mutating func integer(in range: ClosedRange<Int>) throws(Malformed) -> Int {
        Int(try number(in: Int64(range.lowerBound)...Int64(range.upperBound)))
    }

    mutating func text() throws(Malformed) -> String {
        let count = try integer(in: 0...Self.textMax)
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw Malformed() }
        return text
    }

    mutating func optional<Value>(
        _ read: (inout WireReader) throws(Malformed) -> Value
    ) throws(Malformed) -> Value? {
        try integer(in: 0...1) == 1 ? try read(&self) : nil
    }

    mutating func size() throws(Malformed) -> PixelSize {
        PixelSize(width: try integer(in: 1...1_000_000), height: try integer(in: 1...1_000_000))
    }

    /// Nothing must be left.
    func end() throws(Malformed) {
        if index != bytes.count { throw Malformed() }
    }
}
