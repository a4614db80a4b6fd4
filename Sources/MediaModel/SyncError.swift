/// An error for a person: what could not be done, why, and what to do about it. Adapters make them at their edge; engines
/// ask only for `code` and `retry`, never for the text.
package struct SyncError: Error, Hashable, Sendable {
    /// The class of an error: stable, and each maps to one exit status.
    package struct Code: Hashable, Sendable {
        private enum Raw: String {
            case item, sourceChanged, sourceVanished, unusable, refused, locked, exhausted, limitReached, interrupted,
                terminated
            case database, schema
            case usage, configuration, unexpected
        }

        private let raw: Raw

        /// One item could not be handled; the others go on.
        package static let item = Code(raw: .item)
        /// The source changed while it was read, twice.
        package static let sourceChanged = Code(raw: .sourceChanged)
        /// The source went away between listing and reading.
        package static let sourceVanished = Code(raw: .sourceVanished)
        /// Source or target cannot be used at all.
        package static let unusable = Code(raw: .unusable)
        /// A safety guard said no.
        package static let refused = Code(raw: .refused)
        /// Another run holds the lock.
        package static let locked = Code(raw: .locked)
        /// No space, quota or descriptors left.
        package static let exhausted = Code(raw: .exhausted)
        /// A limit the user set was reached.
        package static let limitReached = Code(raw: .limitReached)
        /// The run was asked to stop by SIGINT, or its output was closed.
        package static let interrupted = Code(raw: .interrupted)
        /// The run was asked to stop by SIGTERM or SIGHUP.
        package static let terminated = Code(raw: .terminated)
        /// The database cannot be reached, or does not do what it must.
        package static let database = Code(raw: .database)
        /// The database's schema, or that of a dump, is none that is known.
        package static let schema = Code(raw: .schema)
        package static let usage = Code(raw: .usage)
        package static let configuration = Code(raw: .configuration)
        package static let unexpected = Code(raw: .unexpected)

        /// The code as JSON and the run state carry it.
        package var name: String { raw.rawValue }

        /// Reads what `name` says.
        package init?(name: String) {
            guard let raw = Raw(rawValue: name) else { return nil }
            self.raw = raw
        }

        private init(raw: Raw) {
            self.raw = raw
        }

        /// The exit status of a run that ends with this error.
        package var exitStatus: ExitStatus {
            switch raw {
            case .item: .itemsFailed
            case .sourceChanged, .sourceVanished: .sourceChanged
            case .unusable: .unusable
            case .refused: .refused
            case .locked: .locked
            case .exhausted: .exhausted
            case .limitReached: .limitReached
            case .interrupted: .interrupted
            case .terminated: .terminated
            case .database: .databaseUnreachable
            case .schema: .schemaUnknown
            case .usage: .usage
            case .configuration: .configuration
            case .unexpected: .unexpected
            }
        }
    }

    /// What a loop does after this error.
    package enum Retry: Hashable, Sendable {
        /// Trying again would end the same way.
        case never
        /// The same call may go through later.
        case backOff
        /// Nothing else will go through either: stop the stage.
        case abortStage
    }

    package var code: Code
    /// What could not be done; names are already escaped.
    package var what: String
    /// The reason, e.g. `No space left on device (ENOSPC, write)`.
    package var why: String?
    /// What the user can do.
    package var hint: String?
    package var retry: Retry

    package init(_ code: Code, _ what: String, why: String? = nil, hint: String? = nil, retry: Retry = .never) {
        self.code = code
        self.what = what
        self.why = why
        self.hint = hint
        self.retry = retry
    }
}

extension SyncError: CustomStringConvertible {
    /// One line: `what: why`.
    package var description: String {
        why.map { "\(what): \($0)" } ?? what
    }
}
