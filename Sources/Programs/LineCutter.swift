/// Cuts what a program says into lines, whatever pieces it comes in. Lines longer than a limit lose their ends: a program
/// that talks without end costs no memory.
struct LineCutter {
    /// More of a line is for nobody.
    static let lineBytesMax = 4096

    private var open: [UInt8] = []

    /// Takes the next bytes and hands over every line that they complete, without its end.
    mutating func take(_ bytes: some Collection<UInt8>, line: ([UInt8]) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(rest[..<end])
            line(open)
            open.removeAll(keepingCapacity: true)
            rest = rest[rest.index(after: end)...]
        }
        append(rest)
    }

    /// Nothing more comes: hands over a last line without an end.
    mutating func finish(line: ([UInt8]) -> Void) {
        if !open.isEmpty { line(open) }
        open = []
    }

    private mutating func append(_ bytes: some Collection<UInt8>) {
        open.append(contentsOf: bytes.prefix(max(0, Self.lineBytesMax - open.count)))
    }
}
