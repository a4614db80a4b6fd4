/// Whose a media file is, as `lookup` tells it.
package struct MediaAnswer: Sendable, Equatable {
    package var path: BytePath
    /// `attachment`, `avatar`, ...
    package var kind: String
    package var id: Int64
    package var hasRow = false
    /// The row names this file; otherwise it is an orphan.
    package var isCurrent = false
    package var isRemote = false
    package var account: String?
    package var accountURL: String?
    package var statusID: Int64?
    package var statusURL: String?
    package var name: String?

    package init(path: BytePath, kind: String, id: Int64) {
        self.path = path
        self.kind = kind
        self.id = id
    }
}
