internal import MediaModel
internal import Storage

/// What becomes of a file of an archive beside what the target has under its name.
enum ExtractionVerdict {
    /// The name is free.
    case write
    /// The target's is older.
    case replace
    case keep(Outcome)

    init(_ file: ExtractionFile, beside existing: Metadata?) {
        guard let existing else {
            self = .write
            return
        }
        guard existing.kind == .file else {
            self = .keep(.failed(Self.inTheWay(file.path, existing.kind)))
            return
        }
        let age = file.modified.compared(with: existing.modificationTime)
        if age > 0 {
            self = .replace
        } else if age < 0 {
            self = .keep(.skipped(.newerInTarget))
        } else {
            self = .keep(existing.size == file.size ? .unchanged : .failed(Self.differs(file, existing)))
        }
    }

    private static func inTheWay(_ path: BytePath, _ kind: EntryKind?) -> SyncError {
        SyncError(
            .item,
            "could not extract \(path)",
            why: "a \(kind?.name ?? "strange entry") has its name in the target",
            hint: "nothing but older files is ever replaced: move it away and run the same command again"
        )
    }

    private static func differs(_ file: ExtractionFile, _ existing: Metadata) -> SyncError {
        SyncError(
            .item,
            "\(file.path) in the target is not the archive's",
            why: "\(existing.size) bytes there, \(file.size) in the archive, and the same time",
            hint: "look at both; to take the archive's, remove the target's and run the same command again"
        )
    }
}

extension ArchiveTime {
    init(_ time: Timestamp) {
        seconds = time.seconds
        nanoseconds = time.nanoseconds
    }

    var timestamp: Timestamp { Timestamp(seconds: seconds, nanoseconds: nanoseconds ?? 0) }

    /// Above 0 where this is later. An archive that keeps whole seconds is compared by them.
    func compared(with time: Timestamp) -> Int {
        if seconds != time.seconds { return seconds > time.seconds ? 1 : -1 }
        guard let nanoseconds, nanoseconds != time.nanoseconds else { return 0 }
        return nanoseconds > time.nanoseconds ? 1 : -1
    }
}
