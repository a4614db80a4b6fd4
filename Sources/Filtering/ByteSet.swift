/// A set of byte values.
struct ByteSet: Sendable, Equatable {
    private var bits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    init(_ byte: UInt8) {
        insert(byte)
    }

    static let all = {
        var set = ByteSet()
        set.insert(UInt8.min...UInt8.max)
        return set
    }()
    static let slash = ByteSet(UInt8(ascii: "/"))

    static func == (left: ByteSet, right: ByteSet) -> Bool { left.bits == right.bits }

    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: bits.0
            case 1: bits.1
            case 2: bits.2
            default: bits.3
            }
        return word >> UInt64(byte & 63) & 1 == 1
    }

    mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: bits.0 |= bit
        case 1: bits.1 |= bit
        case 2: bits.2 |= bit
        default: bits.3 |= bit
        }
    }

    mutating func insert(_ range: ClosedRange<UInt8>) {
        for byte in range { insert(byte) }
    }

    mutating func formUnion(_ other: ByteSet) {
        bits = (bits.0 | other.bits.0, bits.1 | other.bits.1, bits.2 | other.bits.2, bits.3 | other.bits.3)
    }

    func subtracting(_ other: ByteSet) -> ByteSet {
        var result = self
        result.bits.0 &= ~other.bits.0
        result.bits.1 &= ~other.bits.1
        result.bits.2 &= ~other.bits.2
        result.bits.3 &= ~other.bits.3
        return result
    }
}

extension ByteSet {
    /// The members of a POSIX class, e.g. `alpha`; ASCII only, as in rsync. Nil for a name that is none.
    init?(className: some Collection<UInt8>) {
        let ranges: [ClosedRange<UInt8>]
        switch String(decoding: className, as: UTF8.self) {
        case "alnum": ranges = [0x30...0x39, 0x41...0x5a, 0x61...0x7a]
        case "alpha": ranges = [0x41...0x5a, 0x61...0x7a]
        case "blank": ranges = [0x20...0x20, 0x09...0x09]
        case "cntrl": ranges = [0x00...0x1f, 0x7f...0x7f]
        case "digit": ranges = [0x30...0x39]
        case "graph": ranges = [0x21...0x7e]
        case "lower": ranges = [0x61...0x7a]
        case "print": ranges = [0x20...0x7e]
        case "punct": ranges = [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]
        case "space": ranges = [0x20...0x20, 0x09...0x0d]
        case "upper": ranges = [0x41...0x5a]
        case "xdigit": ranges = [0x30...0x39, 0x41...0x46, 0x61...0x66]
        default: return nil
        }
        self.init()
        for range in ranges { insert(range) }
    }
}
