/// What became of the media of one kind.
package struct RefreshTally: Sendable, Equatable {
    package var seen = 0
    package var present = 0
    package var fetched = 0
    /// Of the fetched originals, as they are stored.
    package var bytes: Int64 = 0
    package var gone = 0
    package var superseded = 0
    package var skipped = 0
    package var failed = 0

    package init() {}
}

/// The tally of one kind, for the table at the end.
package struct RefreshTallyLine: Sendable, Equatable {
    /// `attachment`, `avatar`, ...
    package var kind: String
    /// For people, plural.
    package var title: String
    package var tally: RefreshTally

    package init(kind: String, title: String, tally: RefreshTally) {
        self.kind = kind
        self.title = title
        self.tally = tally
    }
}
