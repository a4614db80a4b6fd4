internal import Catalog
internal import MediaModel
internal import Pacing

/// One attachment that is to be fetched: small, because there are millions. Its row is read again when its turn comes.
struct RefreshItem: Sendable {
    let id: Int64
    let kind: MediaKind
    /// Tries so far.
    var tries: UInt8 = 0
    /// When this file's row is written, its thumbnail's turn comes, at this host: both write `file_meta`.
    var thumbnailHost: HostID?
    /// What is fetched next for it.
    var step = Step.file
    /// The server said that the picture is gone, before its account's document was asked.
    var wasGone = false

    enum Step: UInt8, Sendable {
        case file
        /// The account's own document, for the picture's new address.
        case actor
        /// The file at its new address: nothing is asked for after this.
        case moved
    }

    init(_ kind: MediaKind, _ id: Int64) {
        self.kind = kind
        self.id = id
    }

    var reference: MediaReference { MediaReference(kind: kind.rawValue, id: id) }
    var row: RowReference { RowReference(kind: kind.rawValue, id: id, isLocal: false) }
    /// Stands for the item where it has no file: `avatar 110`.
    var label: BytePath { BytePath("\(kind.rawValue) \(id)") }
}
