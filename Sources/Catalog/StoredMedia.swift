package import MediaModel

/// One attachment of a row that says it has a file here: what is needed to find its files.
package struct StoredMedia: Sendable, Equatable {
    package var kind: MediaKind
    package var rowID: Int64
    /// Whether it came from another server, and can be fetched again from there.
    package var isRemote: Bool
    /// As the row has it: any bytes.
    package var fileName: [UInt8]
    package var contentType: String?
    /// Of the original; nil where the row does not say.
    package var byteCount: Int64?
    /// NULL is 0, and so is a column that this version of Mastodon does not have.
    package var storageVersion: Int64

    package init(
        kind: MediaKind,
        rowID: Int64,
        isRemote: Bool,
        fileName: [UInt8],
        contentType: String? = nil,
        byteCount: Int64? = nil,
        storageVersion: Int64 = 0
    ) {
        self.kind = kind
        self.rowID = rowID
        self.isRemote = isRemote
        self.fileName = fileName
        self.contentType = contentType
        self.byteCount = byteCount
        self.storageVersion = storageVersion
    }

    /// Whether its files lie below `cache/`: decided row by row, because old rows were never moved there.
    package var isCached: Bool { kind.canBeCached && isRemote && storageVersion >= 1 }

    package var styles: [MediaStyle] { MediaStyle.all(of: kind, contentType: contentType) }

    /// What the file of a variant may be; empty where nothing is known of the row's type.
    package func formats(of style: MediaStyle) -> Set<MediaContainer> {
        let own = contentType.flatMap { MediaContainer(contentType: $0) }
        guard style.format == "png" else { return own.map { [$0] } ?? [] }
        // The small variant of a picture that does not move is the picture itself, whatever its name says.
        return own == .gif ? [.png, .gif] : [.png]
    }

    /// Where the file of a variant lies; nil where the row's id or file name can be no part of a path.
    package func path(of style: MediaStyle) -> BytePath? { mediaPath(of: style)?.path }

    /// Puts the path of a variant behind what is there; false where there can be none.
    package func appendPath(of style: MediaStyle, to bytes: inout [UInt8]) -> Bool {
        mediaPath(of: style)?.append(to: &bytes) ?? false
    }

    private func mediaPath(of style: MediaStyle) -> MediaPath? {
        guard let name = MediaFileName(fileName) else { return nil }
        return MediaPath(isCached: isCached, kind: kind, id: rowID, style: style.name, name: name.name(for: style))
    }
}
