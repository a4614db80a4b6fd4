/// One file of a row: where its bytes are, and what is known of them.
package struct ProcessedVariant: Hashable, Sendable {
    /// Where a variant's bytes are.
    package enum Source: Hashable, Sendable {
        /// The first bytes of the input, as many as the image itself has: what follows its end is cut off.
        case input(bytes: Int64)
        /// All of the output with this index.
        case output(Int)
    }

    /// Mastodon's name of the variant (style): `original`, `small` or `static`.
    package var style: String
    package var source: Source
    package var byteCount: Int64
    /// The extension of this variant's name, without a dot; empty for none.
    package var fileExtension: String
    /// Pixels as they are shown; nil for sound.
    package var size: PixelSize?

    package init(style: String, source: Source, byteCount: Int64, fileExtension: String, size: PixelSize? = nil) {
        self.style = style
        self.source = source
        self.byteCount = byteCount
        self.fileExtension = fileExtension
        self.size = size
    }
}

/// What became of fetched bytes: what the row must say, and the files it names.
package struct ProcessedMedia: Hashable, Sendable {
    /// What `media_attachments.type` holds.
    package enum AttachmentType: Int, Hashable, Sendable {
        case image = 0
        /// A video without sound.
        case gifv = 1
        case video = 2
        case unknown = 3
        case audio = 4
    }

    /// The type of the original variant.
    package var contentType: String
    /// The extension of the original variant's name, without a dot, from a fixed table; empty for none.
    package var fileExtension: String
    package var attachmentType: AttachmentType
    /// The original first.
    package var variants: [ProcessedVariant]
    package var meta: MediaMeta
    package var blurhash: String?
    /// None or one: a struct cannot hold itself.
    private var thumbnails: [ProcessedMedia] = []

    /// The picture embedded in sound, made by the rules of thumbnails.
    package var thumbnail: ProcessedMedia? {
        get { thumbnails.first }
        set { thumbnails = newValue.map { [$0] } ?? [] }
    }

    package init(
        contentType: String,
        fileExtension: String,
        attachmentType: AttachmentType,
        variants: [ProcessedVariant],
        meta: MediaMeta = MediaMeta(),
        blurhash: String? = nil
    ) {
        self.contentType = contentType
        self.fileExtension = fileExtension
        self.attachmentType = attachmentType
        self.variants = variants
        self.meta = meta
        self.blurhash = blurhash
    }
}
