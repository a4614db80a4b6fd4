internal import MediaModel

/// Errors of dumps that are broken, and of reading that was stopped.
enum DumpError {
    /// The task was cancelled.
    static var stopped: SyncError { SyncError(.interrupted, "reading the dump was stopped") }

    /// The dump is not whole or not sound.
    static func broken(_ why: String, line: Int? = nil) -> SyncError {
        SyncError(
            .unusable,
            line.map { "the dump is broken at line \($0)" } ?? "the dump is broken",
            why: why,
            hint: "copy or make the dump again, and compare its size and checksum with the original"
        )
    }

    /// The file is something else.
    static func noDump(_ path: BytePath, _ why: String, hint: String? = nil) -> SyncError {
        SyncError(
            .unusable,
            "\(path) is not a dump of PostgreSQL",
            why: why,
            hint: hint ?? "name a file made by pg_dump or pg_dumpall, or a directory made by pg_dump -Fd"
        )
    }
}
