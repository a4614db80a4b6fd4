internal import GRDB
internal import MediaModel

extension RunStore {
    /// An error of SQLite for a person. SQL and its arguments never enter it.
    static func translate(_ error: any Error, path: String) -> SyncError {
        if let error = error as? SyncError { return error }
        let shown = BytePath(path).description
        guard let error = error as? DatabaseError else {
            return SyncError(.unexpected, "could not use the run state \(shown)", why: "\(error)")
        }
        let why = "\(error.message ?? "SQLite error") (\(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            return SyncError(
                .configuration,
                "the run state \(shown) is damaged or no database",
                why: why,
                hint: "move it away: mv \(shown) \(shown).broken; only the history of runs is lost"
            )
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return unusable(path, why: why)
        case .SQLITE_FULL:
            return SyncError(
                .exhausted,
                "could not write the run state \(shown)",
                why: why,
                hint: "free space, or pass --state DIR"
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return SyncError(
                .unexpected,
                "the run state \(shown) is held by another program",
                why: why,
                retry: .backOff
            )
        default:
            return SyncError(.unexpected, "could not use the run state \(shown)", why: why)
        }
    }

    static func unusable(_ path: String, why: String) -> SyncError {
        SyncError(
            .configuration,
            "the run state \(BytePath(path)) cannot be opened",
            why: why,
            hint: "pass --state DIR, or set MEDIASYNC_STATE to a directory that this user may write"
        )
    }

    static func newer(_ path: String, version: Int) -> SyncError {
        SyncError(
            .configuration,
            "the run state \(BytePath(path)) is from a newer mediasync",
            why: "it has version \(version), this program knows up to \(RunSchema.steps.count)",
            hint: "update mediasync, or pass --state DIR to use another place"
        )
    }

    static func foreign(_ path: String) -> SyncError {
        SyncError(
            .configuration,
            "\(BytePath(path)) is a database of another program",
            hint: "pass --state DIR to use another place; nothing was changed"
        )
    }
}
