/// What the run state remembers of one run: everything `mediasync status` shows.
package struct RunRecord: Sendable, Equatable {
    /// How far a run came.
    package enum State: String, Sendable, CaseIterable {
        case running
        /// Everything was looked at; single entries may have failed.
        case finished
        /// An error ended it.
        case failed
        /// A limit or a signal ended it; the next run goes on.
        case interrupted
        /// It says it is running, but its process is gone: killed, or the machine went down.
        case died

        /// The state of a run that ended with this status.
        package init(endedWith status: ExitStatus) {
            switch status {
            case .done, .itemsFailed, .differences, .sourceChanged: self = .finished
            case .limitReached, .interrupted, .terminated: self = .interrupted
            default: self = .failed
            }
        }
    }

    /// A stage of a run. Times are seconds since 1970.
    package struct Stage: Sendable, Equatable {
        package var name: String
        package var startedAt: Int64
        package var endedAt: Int64?

        package init(name: String, startedAt: Int64, endedAt: Int64? = nil) {
            self.name = name
            self.startedAt = startedAt
            self.endedAt = endedAt
        }
    }

    package var id: RunID
    package var command: String
    package var arguments: [String]
    /// As the user wrote them; nil for commands that have none.
    package var source: String?
    package var target: String?
    package var pid: Int32
    /// Seconds since 1970.
    package var startedAt: Int64
    package var endedAt: Int64?
    /// When it last said something: all that is known of the end of a run that died.
    package var heardAt: Int64
    package var exitStatus: Int32?
    package var state: State
    /// The numbers when the run ended, or when it last said something.
    package var counts: Counts
    package var stages: [Stage] = []
    /// The part of the present stage that was done when it last said something; nil where nobody knows.
    package var share: Double?
    /// Failures that are listed, and those that were too many to keep.
    package var failuresKept = 0
    package var failuresDropped = 0

    package init(
        id: RunID,
        command: String,
        arguments: [String] = [],
        source: String? = nil,
        target: String? = nil,
        pid: Int32,
        startedAt: Int64,
        endedAt: Int64? = nil,
        exitStatus: Int32? = nil,
        state: State = .running,
        counts: Counts = Counts()
    ) {
        self.id = id
        self.command = command
        self.arguments = arguments
        self.source = source
        self.target = target
        self.pid = pid
        self.startedAt = startedAt
        self.endedAt = endedAt
        heardAt = endedAt ?? startedAt
        self.exitStatus = exitStatus
        self.state = state
        self.counts = counts
    }
}

/// One failed entry of a run.
package struct FailureRecord: Sendable, Equatable {
    package var path: BytePath
    package var kind: EntryKind
    /// `SyncError.Code.name`.
    package var code: String
    package var what: String
    package var why: String?
    package var hint: String?
    /// Seconds since 1970.
    package var at: Int64

    package init(
        path: BytePath,
        kind: EntryKind,
        code: String,
        what: String,
        why: String? = nil,
        hint: String? = nil,
        at: Int64
    ) {
        self.path = path
        self.kind = kind
        self.code = code
        self.what = what
        self.why = why
        self.hint = hint
        self.at = at
    }

    /// The record of an entry that failed.
    package init(path: BytePath, kind: EntryKind, error: SyncError, at: Int64) {
        self.init(
            path: path,
            kind: kind,
            code: error.code.name,
            what: error.what,
            why: error.why,
            hint: error.hint,
            at: at
        )
    }
}
