/// Names one attachment of one row: `avatar` of account 110.
package struct MediaReference: Sendable, Hashable {
    /// `attachment`, `avatar`, ...
    package var kind: String
    package var id: Int64

    package init(kind: String, id: Int64) {
        self.kind = kind
        self.id = id
    }
}

/// What runs remember of media that could not be fetched, so that the next run does not ask again what it knows. It is a
/// memory only: losing it costs requests, never media. Calls block: for threads of our own.
package protocol RefreshMemory: Sendable {
    /// What other servers said is gone, since a moment (seconds since 1970).
    func gone(since moment: Int64) throws(SyncError) -> Set<MediaReference>

    /// What failed when it was last tried.
    func failed() throws(SyncError) -> Set<MediaReference>

    /// Writes down what became of media. What was fetched is forgotten.
    func record(_ endings: [RefreshEnding], at moment: Int64) throws(SyncError)
}

/// What became of one attachment, for the memory.
package struct RefreshEnding: Sendable, Equatable {
    package enum Kind: Int, Sendable {
        case fetched, gone, failed
    }

    package var media: MediaReference
    package var kind: Kind

    package init(_ media: MediaReference, _ kind: Kind) {
        self.media = media
        self.kind = kind
    }
}
