internal import Catalog
internal import MediaModel
internal import Running
internal import Storage

extension CleanupEngine {
    /// Whether the file that a row names is not there: that of an attachment itself, not its thumbnail's or a variant's. A row
    /// whose name is no name of a file is not judged here.
    func isMissing(_ row: CatalogRow) throws(SyncError) -> Bool {
        for media in row.media where media.kind != .thumbnail {
            guard let path = media.path(of: .original) else { return true }
            do throws(FileFault) {
                guard let entry = try store.look(path), entry.size > 0 else { return true }
            } catch {
                throw error.syncError("cannot look at \(path)")
            }
        }
        return false
    }

    /// How many rows would lose their names. A disk that is not mounted is told by this number before anything is changed.
    func countMissing(_ retention: Retention, _ reader: CatalogReader) throws(SyncError) -> Int {
        var count = 0
        for table in retention.tables {
            var after: Int64?
            repeat {
                if let reason = control.stopReason { throw reason }
                let page = try reader.page(retention, table, after: after)
                for row in page.rows where try isMissing(row) { count += 1 }
                after = page.next
            } while after != nil
        }
        return count
    }
}
