internal import Catalog
internal import Imaging
internal import MediaModel
internal import Storage

/// New files of one attachment, good and without names yet, and what they are to replace.
struct NewFile: Sendable {
    let item: RefreshItem
    let replacement: FileReplacement
    let variants: [Variant]
    /// Files that the row names now; removed once it does not.
    let oldPaths: [BytePath]

    struct Variant: Sendable {
        let path: BytePath
        let spool: SpoolFile
        let bytes: Int64
    }

    var path: BytePath? { variants.first?.path }
    var bytesWritten: Int64 { variants.reduce(0) { $0 + $1.bytes } }

    /// Everything that is there while the row may say either.
    var intent: RemovalIntent {
        RemovalIntent(
            table: CatalogTable(of: item.kind).rawValue,
            id: item.id,
            paths: variants.map(\.path) + oldPaths
        )
    }
}

/// Gives what a decoder made its names and its place in the row.
struct FileNamer: Sendable {
    let schema: CatalogSchema

    /// - Parameter outputs: where the decoder wrote.
    /// - Returns: nil where the variants are not those that Mastodon has for the type.
    func name(_ media: ProcessedMedia, of arrival: Arrival, outputs: [SpoolFile]) throws(FileFault) -> NewFile? {
        var variants: [NewFile.Variant] = []
        let main = stored(media, kind: arrival.item.kind, row: arrival.row)
        guard try add(media, main, arrival, outputs, to: &variants) else { return nil }
        var replacement = FileReplacement(row: arrival.row, file: file(main))
        if arrival.item.kind == .attachment || arrival.item.kind == .thumbnail {
            var description = FileReplacement.MediaDescription(blurhash: media.blurhash)
            description.meta = media.meta.json(mergedInto: arrival.row.meta)
            // A thumbnail's type is not the attachment's.
            if arrival.item.kind == .attachment { description.type = media.attachmentType.rawValue }
            replacement.description = description
        }
        if arrival.item.kind == .attachment, let picture = media.thumbnail {
            let thumbnail = stored(picture, kind: .thumbnail, row: arrival.row)
            guard try add(picture, thumbnail, arrival, outputs, to: &variants) else { return nil }
            replacement.picture = file(thumbnail)
            var meta = media.meta
            meta.small = picture.meta.small ?? meta.small
            meta.colors = picture.meta.colors ?? meta.colors
            replacement.description?.meta = meta.json(mergedInto: arrival.row.meta)
            replacement.description?.blurhash = picture.blurhash ?? media.blurhash
        }
        let old = arrival.row.stored.map { stored in stored.styles.compactMap { stored.path(of: $0) } } ?? []
        return NewFile(item: arrival.item, replacement: replacement, variants: variants, oldPaths: old)
    }

    /// What the row will say: a name of 16 digits by chance, so that no page and no cache takes it for an older file.
    private func stored(_ media: ProcessedMedia, kind: MediaKind, row: RemoteMedia) -> StoredMedia {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let name = String(repeating: "0", count: 16 - digits.count) + digits
        let end = media.fileExtension.isEmpty ? "" : "." + media.fileExtension
        return StoredMedia(
            kind: kind,
            rowID: row.rowID,
            isRemote: true,
            fileName: Array((name + end).utf8),
            contentType: media.contentType,
            byteCount: media.variants.first?.byteCount,
            storageVersion: schema.newStorageVersion(of: kind)
        )
    }

    private func file(_ stored: StoredMedia) -> FileReplacement.StoredFile {
        FileReplacement.StoredFile(
            name: String(decoding: stored.fileName, as: UTF8.self),
            contentType: stored.contentType ?? "",
            byteCount: stored.byteCount ?? 0
        )
    }

    private func add(
        _ media: ProcessedMedia,
        _ stored: StoredMedia,
        _ arrival: Arrival,
        _ outputs: [SpoolFile],
        to variants: inout [NewFile.Variant]
    ) throws(FileFault) -> Bool {
        let styles = stored.styles
        guard styles.map(\.name) == media.variants.map(\.style) else { return false }
        for (style, variant) in zip(styles, media.variants) {
            guard let path = stored.path(of: style) else { return false }
            let spool: SpoolFile
            switch variant.source {
            case .output(let index):
                guard outputs.indices.contains(index) else { return false }
                spool = outputs[index]
            case .input(let bytes):
                spool = arrival.spool
                if try spool.size() > bytes { try spool.truncate(to: bytes) }
            }
            guard try spool.size() == variant.byteCount, variant.byteCount > 0 else { return false }
            variants.append(NewFile.Variant(path: path, spool: spool, bytes: variant.byteCount))
        }
        return true
    }
}
