internal import Glibc

/// An address of the Internet as bytes.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// - Parameter bytes: 4 or 16 in network order; nil for any other number.
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self = .v6(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
            )
        default: return nil
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, nothing else: no short or octal forms, no zone.
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(bytes: bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(bytes: bytes)
        } else {
            return nil
        }
    }

    /// An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) as what it is.
    package var unwrapped: IPAddress {
        if case .v6(high: 0, let low) = self, low >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: low)) }
        return self
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let value):
            return [24, 16, 8, 0].map { String(value >> $0 & 0xFF) }.joined(separator: ".")
        case .v6(let high, let low):
            let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { String(half >> $0 & 0xFFFF, radix: 16) } }
            return groups.joined(separator: ":")
        }
    }
}

/// A network: all addresses that begin with the same bits.
package struct AddressRange: Sendable, Hashable {
    private let first: IPAddress
    private let bits: Int

    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        let width = if case .v4 = address { 32 } else { 128 }
        var bits = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]) else {
                return nil
            }
            bits = number
        }
        guard (0...width).contains(bits) else { return nil }
        first = Self.masked(address, bits)
        self.bits = bits
    }

    /// Whether an address of the same family lies in the network.
    package func contains(_ address: IPAddress) -> Bool {
        switch (first, address) {
        case (.v4, .v4), (.v6, .v6): Self.masked(address, bits) == first
        default: false
        }
    }

    private static func masked(_ address: IPAddress, _ bits: Int) -> IPAddress {
        switch address {
        case .v4(let value): .v4(value & ~(bits >= 32 ? 0 : UInt32.max >> bits))
        case .v6(let high, let low):
            .v6(
                high: high & ~(bits >= 64 ? 0 : UInt64.max >> bits),
                low: bits <= 64 ? 0 : low & ~(bits >= 128 ? 0 : UInt64.max >> (bits - 64))
            )
        }
    }
}
