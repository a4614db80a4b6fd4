/// A host as a small number, the same for one run.
package struct HostID: Hashable, Sendable {
    package let index: UInt32

    package init(index: UInt32) {
        self.index = index
    }
}

/// Gives each host name its number. A name costs its text once, so that an item needs four bytes for its host.
package struct HostTable: Sendable {
    private var numbers: [String: UInt32] = [:]
    private var names: [String] = []

    package init() {}

    package var count: Int { names.count }

    /// The number of a name; upper case and a dot at the end make no difference.
    package mutating func id(for name: String) -> HostID {
        let normal = Self.normalized(name)
        if let known = numbers[normal] { return HostID(index: known) }
        let number = UInt32(names.count)
        numbers[normal] = number
        names.append(normal)
        return HostID(index: number)
    }

    /// The name behind a number of this table.
    package func name(of host: HostID) -> String { names[Int(host.index)] }

    private static func normalized(_ name: String) -> String {
        let lower = name.utf8.contains { $0 >= 0x80 || (0x41...0x5A).contains($0) } ? name.lowercased() : name
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
