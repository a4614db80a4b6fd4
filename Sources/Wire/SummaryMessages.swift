package import MediaModel

/// What a receiver needs of summaries.
package struct SummaryTerms: Hashable, Sendable {
    /// Owners are compared: whoever is not root could not set them.
    package var comparesOwners: Bool
    /// It looks at the names that are told and at no others. Without names it lists its own directories, which finds what is only there.
    package var wantsNames: Bool

    package init(comparesOwners: Bool, wantsNames: Bool) {
        self.comparesOwners = comparesOwners
        self.wantsNames = wantsNames
    }
}

/// A directory with all that is below it, told in a few bytes: where the receiver finds the same there, nothing more is said of it.
package struct WireSummary: Hashable, Sendable {
    /// Chosen by the sender; free again after its answer.
    package var id: UInt32
    package var parent: UInt32
    package var name: BytePath
    /// The directory and all entries below it.
    package var entries: UInt32
    /// Kind, length and bytes of each name, in the digest's order, and a byte of 255 behind the last one of each directory. Empty where the receiver
    /// did not ask for them.
    package var names: [UInt8]
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
        names: [UInt8] = [],
        digest: Digest,
        latestChange: Int64 = 0,
        ages: [UInt64] = []
    ) {
        self.id = id
        self.parent = parent
        self.name = name
        self.entries = entries
        self.names = names
        self.digest = digest
        self.latestChange = latestChange
        self.ages = ages
    }

    /// Behind the last name of a directory; no kind has this number.
    package static let directoryEnd: UInt8 = 255

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
            names: try bytes(WireLimit.summaryEntries * (WireLimit.nameBytes + 3)),
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
        if !summary.names.isEmpty { try Self.checkNames(of: summary) }
        return summary
    }

    /// Every name is one component, every directory ends, and there are as many as the summary says.
    private static func checkNames(of summary: WireSummary) throws(WireFault) {
        var reader = WireReader(summary.names[...])
        var count: UInt32 = 1
        var level = 1
        while level > 0 {
            let kind = try reader.byte()
            if kind == WireSummary.directoryEnd {
                level -= 1
                continue
            }
            guard let kind = EntryKind(rawValue: kind), [.file, .directory, .symlink].contains(kind) else {
                throw WireFault("a summary has an entry of another kind")
            }
            try reader.skipName()
            count += 1
            if kind == .directory { level += 1 }
        }
        try reader.end()
        if count != summary.entries { throw WireFault("a summary has more or fewer names than entries") }
    }

    mutating func summaryTerms() throws(WireFault) -> SummaryTerms {
        SummaryTerms(comparesOwners: try flag(), wantsNames: try flag())
    }
}

extension WireWriter {
    mutating func summary(_ summary: WireSummary) {
        unsigned(summary.id)
        unsigned(summary.parent)
        path(summary.name)
        unsigned(summary.entries)
        data(summary.names)
        digest(summary.digest)
        unsigned(summary.latestChange)
        list(summary.ages) { $0.unsigned($1) }
    }

    mutating func summaryTerms(_ terms: SummaryTerms) {
        flag(terms.comparesOwners)
        flag(terms.wantsNames)
    }
}
