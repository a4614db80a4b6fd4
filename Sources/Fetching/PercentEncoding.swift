/// Path and query in one form: what may stand as it is stands as it is, everything else as %XX in upper case; what was
/// encoded and need not be is decoded. The order and the meaning stay.
enum PercentEncoding {
    /// A path that begins with `/` and has no dot segments.
    static func path(_ bytes: [UInt8]) -> [UInt8] {
        let normal = normalized(bytes, allowed: pathBytes)
        return withoutDotSegments(normal.first == slash ? normal : [slash] + normal)
    }

    static func query(_ bytes: [UInt8]) -> [UInt8] {
        normalized(bytes, allowed: queryBytes)
    }

    private static let slash = UInt8(ascii: "/")
    private static let unreserved = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8
    )
    private static let pathBytes = table(unreserved.union("!$&'()*+,;=:@/".utf8))
    private static let queryBytes = table(unreserved.union("!$&'()*+,;=:@/?".utf8))

    private static func table(_ bytes: Set<UInt8>) -> [Bool] { (0...255).map { bytes.contains(UInt8($0)) } }

    private static func normalized(_ bytes: [UInt8], allowed: [Bool]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                let decoded = high << 4 | low
                if unreserved.contains(decoded) { result.append(decoded) } else { encode(decoded, &result) }
                index += 3
                continue
            }
            if allowed[Int(byte)] { result.append(byte) } else { encode(byte, &result) }
            index += 1
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func encode(_ byte: UInt8, _ result: inout [UInt8]) {
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// As RFC 3986 says (5.2.4): `.` and `..` lead nowhere above the root.
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        var kept: [ArraySlice<UInt8>] = []
        let segments = path.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
        for (number, segment) in segments.enumerated() {
            let isLast = number == segments.count - 1
            if segment.elementsEqual(".".utf8) {
                if isLast { kept.append([]) }
            } else if segment.elementsEqual("..".utf8) {
                _ = kept.popLast()
                if isLast { kept.append([]) }
            } else {
                kept.append(segment)
            }
        }
        return kept.isEmpty ? [slash] : kept.reduce(into: []) { $0 += [slash] + $1 }
    }
}
