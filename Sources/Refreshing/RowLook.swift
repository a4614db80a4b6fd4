internal import Catalog
internal import MediaModel
internal import Storage

/// Whether the files that a row names are really there.
enum RowLook {
    /// True where every variant is there, none is empty, and the original has the size that the row says.
    static func isPresent(_ media: StoredMedia, in store: any MediaStore) throws(FileFault) -> Bool {
        for style in media.styles {
            guard let path = media.path(of: style), let entry = try store.look(path), entry.kind == .file,
                entry.size > 0
            else { return false }
            if style == .original, let size = media.byteCount, size != entry.size { return false }
        }
        return true
    }
}
