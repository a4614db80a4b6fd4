internal import MediaModel

extension WireReader {
    mutating func item() throws(WireFault) -> ItemEvent {
        let path = try path()
        let kind = try kind()
        let outcome: Outcome
        switch try byte() {
        case 0: outcome = .copied
        case 1: outcome = .created
        case 2: outcome = .linked
        case 3: outcome = .updated
        case 4: outcome = .unchanged
        case 5: outcome = .deleted
        case 6: outcome = .skipped(try skipReason())
        case 7: outcome = .failed(try failure())
        case 8: outcome = .different
        default: throw WireFault("an entry has no known outcome")
        }
        return ItemEvent(
            path: path,
            kind: kind,
            outcome: outcome,
            changes: ChangeSet(rawValue: UInt16(try unsigned(UInt64(UInt16.max)))),
            bytes: try count(),
            digest: try optional { (reader) throws(WireFault) in try reader.digest() }
        )
    }

    mutating func notice() throws(WireFault) -> Notice {
        let level: Notice.Level = try flag() ? .warning : .notice
        return Notice(
            level,
            try text(),
            hint: try optional { (reader) throws(WireFault) in try reader.text() }
        )
    }

    mutating func counts() throws(WireFault) -> Counts {
        var counts = Counts()
        for field in Counts.wireNumbers { counts[keyPath: field] = Int(try count(1 << 48)) }
        for field in Counts.wireSizes { counts[keyPath: field] = try count() }
        let reasons = try list(SkipReason.allCases.count, bytesEach: 2) { (reader) throws(WireFault) in
            (try reader.skipReason(), Int(try reader.count(1 << 48)))
        }
        for (reason, count) in reasons { counts.skipped[reason] = count }
        return counts
    }
}

extension WireWriter {
    mutating func item(_ item: ItemEvent) {
        path(item.path)
        byte(item.kind.rawValue)
        switch item.outcome {
        case .copied: byte(0)
        case .created: byte(1)
        case .linked: byte(2)
        case .updated: byte(3)
        case .unchanged: byte(4)
        case .deleted: byte(5)
        case .skipped(let reason):
            byte(6)
            skipReason(reason)
        case .failed(let error):
            byte(7)
            failure(error)
        case .different: byte(8)
        case .fetched, .gone, .superseded: preconditionFailure("no outcome of a copy")
        }
        unsigned(item.changes.rawValue)
        unsigned(item.bytes)
        optional(item.digest) { $0.digest($1) }
    }

    mutating func notice(_ notice: Notice) {
        flag(notice.level == .warning)
        text(notice.message)
        optional(notice.hint) { $0.text($1) }
    }

    mutating func counts(_ counts: Counts) {
        for field in Counts.wireNumbers { unsigned(counts[keyPath: field]) }
        for field in Counts.wireSizes { unsigned(counts[keyPath: field]) }
        let skipped = SkipReason.allCases.compactMap { reason in counts.skipped[reason].map { (reason, $0) } }
        list(skipped) { writer, pair in
            writer.skipReason(pair.0)
            writer.unsigned(pair.1)
        }
    }
}

extension Counts {
    fileprivate static var wireNumbers: [WritableKeyPath<Counts, Int>] {
        [
            \.seen, \.copied, \.created, \.linked, \.updated, \.unchanged, \.failed, \.deleted, \.deleteFailed,
            \.sourceChanged, \.different, \.files, \.directories, \.others,
        ]
    }

    fileprivate static var wireSizes: [WritableKeyPath<Counts, Int64>] {
        [\.bytesWritten, \.bytesCompared, \.bytesSeen, \.bytesDeleted, \.bytesMatched]
    }
}
