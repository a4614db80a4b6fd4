/// New files of one attachment, published under names that no row knows yet: what the row becomes, if it still says what
/// was read.
package struct FileReplacement: Sendable {
    /// The row as it was read: what it must still say.
    package var row: RemoteMedia
    package var file: StoredFile
    /// Of a post's attachment; the others have none.
    package var description: MediaDescription?
    /// The picture that was found inside a sound.
    package var picture: StoredFile?

    package init(row: RemoteMedia, file: StoredFile) {
        self.row = row
        self.file = file
    }

    /// What a row says of one file.
    package struct StoredFile: Sendable, Equatable {
        package var name: String
        package var contentType: String
        package var byteCount: Int64

        package init(name: String, contentType: String, byteCount: Int64) {
            self.name = name
            self.contentType = contentType
            self.byteCount = byteCount
        }
    }

    /// What a row says of the content.
    package struct MediaDescription: Sendable, Equatable {
        /// Mastodon's number of the type; nil leaves it as it is.
        package var type: Int?
        /// The whole of `file_meta`, as JSON; nil leaves it as it is.
        package var meta: String?
        /// Nil leaves it as it is.
        package var blurhash: String?

        package init(type: Int? = nil, meta: String? = nil, blurhash: String? = nil) {
            self.type = type
            self.meta = meta
            self.blurhash = blurhash
        }
    }
}
