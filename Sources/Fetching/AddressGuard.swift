/// Which addresses may be connected to: those of the public Internet, and what the administrator allows besides. A rule of
/// what is allowed, not of what is not: forms that nobody thought of are refused.
package struct AddressGuard: Sendable {
    private let allowed: [AddressRange]

    package init(allowing allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// - Parameter address: of the socket that is about to connect, after every name and notation was resolved.
    package func permits(_ address: IPAddress) -> Bool {
        let address = address.unwrapped
        if allowed.contains(where: { $0.contains(address) }) { return true }
        switch address {
        case .v4: return !Self.special4.contains { $0.contains(address) }
        case .v6: return Self.unicast6.contains(address) && !Self.special6.contains { $0.contains(address) }
        }
    }

    /// IANA's registry of special IPv4 addresses, multicast and what is reserved.
    private static let special4 = ranges(
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4"
    )

    /// All that is given out for the public Internet. What carries an IPv4 address inside (NAT64, compatible) is outside.
    private static let unicast6 = range("2000::/3")

    /// What is special within it: protocols and Teredo, documentation, 6to4, the name system's sink.
    private static let special6 = ranges("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")

    private static func ranges(_ texts: String...) -> [AddressRange] { texts.map(range) }

    private static func range(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is no network") }
        return range
    }
}
