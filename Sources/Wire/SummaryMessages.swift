package import MediaModel

/// A directory with all that is below it, told in a few bytes: where the receiver finds the same there, nothing more is said of it.
package struct WireSummary: Hashable, Sendable {
    /// Chosen by the sender; free again after its answer.
    package var id: UInt32
    package var parent: UInt32
    package var name: BytePath
    /// The directory and all entries below it.
    package var entries: UInt32
    /// SHA-256 of names, kinds, modes, times and sizes: an attacker may have chosen them.
    package var digest: Digest
    /// When the entry was changed that was changed last: nanoseconds since 1970. 0 where changes are not compared.
    package var latestChange: Int64
    /// How much earlier each entry was changed, in the digest's order, in units of 2^20 nanoseconds and rounded down. Empty where
    /// changes are not compared.
    package var ages: [UInt64]

    /// A millisecond, about: fine enough to tell a copy from what was changed after it.
    package static let ageShift = 20

    package init(
        id: UInt32,
        parent: UInt32,
        name: BytePath,
        entries: UInt32,
        digest: Digest,
        latestChange: Int64 = 0,
        ages: [UInt64] = []
    ) {
        self.id = id
        self.parent = parent
        self.name = name
        self.entries = entries
        self.digest = digest
        self.latestChange = latestChange
        self.ages = ages
    }

    /// When an entry was changed, at the latest: nanoseconds since 1970.
    package func change(ofEntry index: Int) -> Int64 {
        latestChange - Int64(ages[index] << UInt64(Self.ageShift))
    }
}

extension WireReader {
    mutating func summary() throws(WireFault) -> WireSummary {
        let summary = WireSummary(
            id: try number32(),
            parent: try number32(),
            name: try name(),
            entries: UInt32(try unsigned(UInt64(WireLimit.summaryEntries))),
            digest: try digest(),
            latestChange: try count(),
            ages: try list(WireLimit.summaryEntries) { (reader) throws(WireFault) in
                try reader.unsigned(WireLimit.number >> UInt64(WireSummary.ageShift))
            }
        )
        if summary.entries == 0 { throw WireFault("a summary is of nothing") }
        if summary.digest.algorithm != .sha256 { throw WireFault("a summary has a digest of another kind") }
        if !summary.ages.isEmpty, summary.ages.count != summary.entries {
            throw WireFault("a summary does not tell the age of each entry")
        }
        return summary
    }
}

extension WireWriter {
    mutating func summary(_ summary: WireSummary) {
        unsigned(summary.id)
        unsigned(summary.parent)
        path(summary.name)
        unsigned(summary.entries)
        digest(summary.digest)
        unsigned(summary.latestChange)
        list(summary.ages) { $0.unsigned($1) }
    }
}
