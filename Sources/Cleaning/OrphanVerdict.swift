internal import Catalog
internal import MediaModel

/// What a file in the store is to the database.
enum OrphanVerdict: Equatable {
    /// A row names it, right here.
    case named
    /// A row names a file of this name, but in another folder: kept and told.
    case misplaced
    /// No row, none of its kind in the row, or another name.
    case orphan

    /// - Parameter row: the row of the path's number, if there is one. Mastodon's own rule compares names only; the folder
    ///   of the variant and `cache/` are looked at beyond it.
    init(of path: MediaPath, at place: BytePath, row: CatalogRow?) {
        guard let media = row?.media.first(where: { $0.kind == path.kind }) else {
            self = .orphan
            return
        }
        let styles = media.styles
        let name = MediaFileName(media.fileName)
        if styles.contains(where: { media.path(of: $0) == place }) {
            self = .named
        } else if path.kind == .upload, let name, name.base == MediaFileName(path.name.bytes)?.base {
            // Pictures of the server's own pages have variants that rows do not tell: `@1x/NAME.png`.
            self = .named
        } else if let name, name.counts(path.name.bytes, among: styles) {
            self = .misplaced
        } else {
            self = .orphan
        }
    }

    /// What each file is to the database, nil for what is not recognized: one statement for each table that is asked.
    static func all(of batch: [BytePath], _ reader: CatalogReader) throws(SyncError) -> [(MediaPath, OrphanVerdict)?] {
        let media = batch.map { MediaPath(passingCacheFolders: $0) }
        var rows: [CatalogTable: [Int64: CatalogRow]] = [:]
        for table in CatalogTable.allCases {
            let ids = Set(media.compactMap { $0 }.filter { CatalogTable(of: $0.kind) == table }.map(\.id))
            if !ids.isEmpty { rows[table] = try reader.rows(table, ids: Array(ids)) }
        }
        return zip(batch, media).map { path, media in
            guard let media else { return nil }
            let row = rows[CatalogTable(of: media.kind)]?[media.id]
            return (media, OrphanVerdict(of: media, at: path, row: row))
        }
    }
}
