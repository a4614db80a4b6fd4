/// What an engine tells while it works. Reports fold events; engines never print.
package enum Event: Sendable {
    /// A stage of the run begins, e.g. `copy`, `delete`, `verify`.
    case stage(String)
    /// An entry reached its outcome. Sent for failures and skips always, for the rest only where a listener asked.
    case item(ItemEvent)
    /// Something a person should know that is no item's failure.
    case notice(Notice)
    /// What a command was asked to find out.
    case report(Report)
}

/// One entry and what became of it.
package struct ItemEvent: Sendable {
    /// Relative to the tree's root.
    package var path: BytePath
    package var kind: EntryKind
    package var outcome: Outcome
    package var changes: ChangeSet
    /// Bytes of content written, 0 where none were.
    package var bytes: Int64
    /// The content's digest, where one was computed.
    package var digest: Digest?
    /// The database's row that says the entry is there, where one does.
    package var row: RowReference?
    /// Why it differs, where somebody said.
    package var why: String?

    package init(
        path: BytePath,
        kind: EntryKind,
        outcome: Outcome,
        changes: ChangeSet = [],
        bytes: Int64 = 0,
        digest: Digest? = nil,
        row: RowReference? = nil,
        why: String? = nil
    ) {
        self.path = path
        self.kind = kind
        self.outcome = outcome
        self.changes = changes
        self.bytes = bytes
        self.digest = digest
        self.row = row
        self.why = why
    }
}

/// Names a row of the database and one of its attachments.
package struct RowReference: Sendable, Equatable {
    /// What the row has a file of: `attachment`, `avatar`, ...
    package var kind: String
    package var id: Int64
    /// Nobody else has the file: it cannot be fetched again.
    package var isLocal: Bool

    package init(kind: String, id: Int64, isLocal: Bool) {
        self.kind = kind
        self.id = id
        self.isLocal = isLocal
    }
}

/// A warning or a piece of advice.
package struct Notice: Sendable {
    package enum Level: String, Sendable { case notice, warning }
    package var level: Level
    package var message: String
    package var hint: String?

    package init(_ level: Level, _ message: String, hint: String? = nil) {
        self.level = level
        self.message = message
        self.hint = hint
    }
}

/// Who hears events. Called from worker threads, one call at a time per thread; it must not block for long.
package typealias EventSink = @Sendable (Event) -> Void
