package import MediaModel

/// The table of contents of an archive, as `pg_restore -l` lists it, with each entry vetted.
package struct ArchiveToc: Sendable {
    package var entries: [Entry]

    /// One line of the list.
    package struct Entry: Sendable, Equatable {
        package var id: Int
        /// `TABLE DATA`, `FK CONSTRAINT`.
        package var descriptor: String
        /// Nil where the list has `-`.
        package var schema: String?
        /// The name, and what else there is in the list's line before the owner.
        package var tag: String
        package var verdict: Verdict
    }

    package enum Verdict: Sendable, Equatable {
        case use
        case leftOut(LeftOutReason)
        case refused(Refusal.Reason)
    }

    /// Runs `pg_restore -l`. Blocks: call it on a thread of a `WorkerPool`.
    package static func read(_ file: DumpFile, program: RestoreProgram) throws(SyncError) -> ArchiveToc {
        throw SyncError(.unexpected, "not built")
    }

    /// The list for `pg_restore --use-list`: only entries that are used. Throws at the first one that is refused.
    package func vettedList() throws(SyncError) -> [UInt8] {
        throw SyncError(.unexpected, "not built")
    }
}
