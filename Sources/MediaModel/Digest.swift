/// How the content of a file is digested.
package enum DigestAlgorithm: String, Sendable, CaseIterable {
    /// XXH3 with 128 bits: free beside the copy; finds damage, not malice.
    case xxh3 = "xxh3-128"
    case sha256
    case blake2b

    /// Length of a digest in bytes.
    package var byteCount: Int {
        switch self {
        case .xxh3: 16
        case .sha256: 32
        case .blake2b: 64
        }
    }
}

/// A content digest.
package struct Digest: Hashable, Sendable {
    package let algorithm: DigestAlgorithm
    /// `algorithm.byteCount` bytes, in the order they are printed.
    package let bytes: [UInt8]

    /// - Precondition: the length is the algorithm's.
    package init(algorithm: DigestAlgorithm, bytes: [UInt8]) {
        precondition(bytes.count == algorithm.byteCount)
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Reads lower or upper case hexadecimal; nil where length or digits are wrong.
    package init?(algorithm: DigestAlgorithm, hexadecimal: some Collection<UInt8>) {
        guard hexadecimal.count == algorithm.byteCount * 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(algorithm.byteCount)
        var high: UInt8?
        for character in hexadecimal {
            let value: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = character - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Lower-case hexadecimal, as `xxhsum`, `sha256sum` and `b2sum` print it.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension Digest: CustomStringConvertible {
    package var description: String { "\(algorithm.rawValue):\(hexadecimal)" }
}
