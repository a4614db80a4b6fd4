package import MediaModel

extension WireReader {
    /// An error as the other end tells it: its class is one that is known, its texts cannot drive a terminal.
    package mutating func failure() throws(WireFault) -> SyncError {
        guard let code = SyncError.Code(name: try text()) else { throw WireFault("an error is of no known class") }
        let isFatal = try flag()
        return SyncError(
            code,
            try text(),
            why: try optional { (reader) throws(WireFault) in try reader.text() },
            hint: try optional { (reader) throws(WireFault) in try reader.text() },
            retry: isFatal ? .abortStage : .never
        )
    }

    package mutating func skipReason() throws(WireFault) -> SkipReason {
        let index = Int(try byte())
        guard SkipReason.allCases.indices.contains(index), SkipReason.allCases[index].isOfCopies else {
            throw WireFault("an entry is left out for no known reason")
        }
        return SkipReason.allCases[index]
    }
}

extension WireWriter {
    package mutating func failure(_ error: SyncError) {
        text(error.code.name)
        flag(error.retry == .abortStage)
        text(error.what)
        optional(error.why) { $0.text($1) }
        optional(error.hint) { $0.text($1) }
    }

    package mutating func skipReason(_ reason: SkipReason) {
        byte(UInt8(SkipReason.allCases.firstIndex(of: reason) ?? 0))
    }
}

extension SkipReason {
    /// Whether a copy leaves entries out for it.
    var isOfCopies: Bool {
        switch self {
        case .excluded, .notExisting, .existing, .newerInTarget, .mountPoint, .special, .temporary: true
        case .noAddress, .rejected, .goneBefore: false
        }
    }
}
