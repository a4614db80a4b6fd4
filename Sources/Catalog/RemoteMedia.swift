/// One attachment of another server's row: where its file came from, and what the row says is here now. It is what a new
/// file's row is guarded by: a row that says something else by then has changed.
package struct RemoteMedia: Sendable, Equatable {
    package var kind: MediaKind
    package var rowID: Int64
    /// As the row has it; empty where there is none.
    package var url: String
    /// What the row says is here; nil where it says nothing is.
    package var stored: StoredMedia?
    /// `PREFIX_updated_at` as the server writes it, to the microsecond.
    package var storedAt: String?
    /// `file_meta`, of attachments and their thumbnails; nil where there is none, or more than anybody writes.
    package var meta: String?
    /// Whose it is: the domain that blocks are asked about.
    package var domain: String?
    /// The account: of an avatar or header the row itself.
    package var accountID: Int64?
    /// Where the account's own document is.
    package var accountURI: String?
    /// The post of an attachment, whose pages a server may keep rendered.
    package var statusID: Int64?
    /// An emoji's name.
    package var shortcode: String?

    package init(kind: MediaKind, rowID: Int64, url: String) {
        self.kind = kind
        self.rowID = rowID
        self.url = url
    }
}

/// A row that may be fetched again, as a run's first look finds it.
package struct RemoteRow: Sendable {
    package let id: Int64
    package let media: [RemoteMedia]
    /// Somebody here follows the account.
    package let isFollowed: Bool
}
